// The bytes on their way out of one connection: gathered, so that what belongs together leaves by one call, encrypted if the
// client's socket has TLS, and kept as long as the client does not take them. Knows nothing of what they say. Loop thread.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/unsent.h"
#include "transport/client_socket.h"
#include "transport/output_buffer.h"

namespace collet::transport {

// The owner of `socket` is told what becomes of it: see ClientSocket::Owner. Once that has closed the socket nothing is sent.
class HttpOutput {
 public:
  HttpOutput(ClientSocket& socket, OutputBuffer& buffer) : socket_(socket), buffer_(buffer) {}
  HttpOutput(const HttpOutput&) = delete;
  HttpOutput& operator=(const HttpOutput&) = delete;

  // What has been gathered, for more to be appended: until the next call of another function, or of another output.
  std::string& gathered() { return buffer_.of(*this); }
  // Gathers the pieces, or, if their `bytes` are many, sends them from where they lie.
  void put(std::span<const std::string_view> pieces, std::size_t bytes);
  // Sends what has been gathered.
  void flush();
  void flush_if_full();
  // Sends it never.
  void drop_gathered() { buffer_.release(*this); }

  // Sends what TLS has to say by itself.
  void send_encrypted();
  // Nothing follows: says so to a client of TLS.
  void end_tls();

  // Whether anything waits for the client to take it, and how much.
  bool waits() const { return backlog_ != nullptr; }
  std::size_t waiting_bytes() const;
  // Whether the client has taken anything since this was asked before.
  bool took_more();

 private:
  // What the socket did not take.
  struct Backlog {
    uv_write_t request;
    Unsent bytes;
    std::size_t writing = 0;  // of them, by the request
  };

  void send(std::span<const std::string_view> pieces);
  void encrypt_and_send(std::string_view plaintext);
  void transmit(std::span<const uv_buf_t> buffers);
  void keep_unsent(std::span<const uv_buf_t> buffers, std::size_t sent);
  void write_backlog();
  void backlog_written(int status);

  ClientSocket& socket_;
  OutputBuffer& buffer_;
  std::unique_ptr<Backlog> backlog_;
  std::uint64_t untaken_bytes_ = 0;  // would wait now, had the client taken nothing since took_more()
};

}  // namespace collet::transport
