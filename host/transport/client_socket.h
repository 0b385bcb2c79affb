// The connected socket of one client: libuv's handle, and the TLS session if there is one. Knows nothing of what is
// said on it. Loop thread.
#pragma once

#include <uv.h>

#include <memory>

#include "base/descriptor.h"
#include "transport/tls.h"

namespace collet::transport {

class ClientSocket {
 public:
  // Whose socket it is, and who closes it.
  class Owner {
   public:
    // What the client had not taken at once has been taken (HttpOutput). From the loop.
    virtual void on_sent() = 0;
    // Nothing more can be sent: the owner is to call close(). From the loop, or from inside of what sends.
    virtual void on_broken() = 0;
    // The handle is closed, so that the socket may be destroyed. From the loop.
    virtual void on_closed() = 0;

   protected:
    ~Owner() = default;
  };

  ClientSocket() = default;
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  // Takes over `descriptor`, a connected socket; `local`: a unix socket. False if libuv does not take it. Either way the
  // socket must be closed from then on before it is destroyed.
  bool open(uv_loop_t* loop, int descriptor, bool local, Owner& owner);
  // These call back as libuv does, without a detour: it happens for each request. The handle's `data` is the owner.
  void start_reading(uv_alloc_cb space, uv_read_cb read) { uv_read_start(stream(), space, read); }
  void stop_reading() { uv_read_stop(stream()); }
  // No more is sent.
  void shut_down();
  // Once; on_closed() follows. `resets`: the client gets a reset instead of an end, if it is one of TCP.
  void close(bool resets);
  bool is_closing() const { return uv_is_closing(handle()) != 0; }

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle_); }
  const uv_stream_t* stream() const { return reinterpret_cast<const uv_stream_t*>(&handle_); }
  Owner& owner() { return *static_cast<Owner*>(stream()->data); }
  // -1 if there is none any more.
  int descriptor() const;
  // Another descriptor of the same socket, which lasts when this one is closed; or none.
  Descriptor duplicate() const;

  // Null if nothing is encrypted.
  TlsSession* tls() const { return tls_.get(); }
  void use_tls(std::unique_ptr<TlsSession> session) { tls_ = std::move(session); }
  std::unique_ptr<TlsSession> take_tls() { return std::move(tls_); }

 private:
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&handle_); }
  const uv_handle_t* handle() const { return reinterpret_cast<const uv_handle_t*>(&handle_); }

  union {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace collet::transport
