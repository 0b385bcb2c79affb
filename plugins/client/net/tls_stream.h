// Bytes under TLS, as a client. Nothing is read ahead: what OpenSSL has not given is still in the socket.
#pragma once

#include "client/net/byte_stream.h"
#include "client/net/tls_context.h"

struct bio_st;         // OpenSSL's BIO
struct bio_method_st;  // BIO_METHOD

namespace collet::client {

class TlsStream final : public ByteStream {
 public:
  // The socket is borrowed.
  TlsStream(int socket, TlsContextPtr context);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // The handshake: done if the server is who it is to be.
  Outcome open() override;
  Moved write(std::string_view bytes) override;
  Moved read(char* to, std::size_t size) override;
  void close() override;
  bool wants_room() const override { return reading_wants_room_ || writing_wants_room_; }
  const std::string& why() const override { return why_; }
  std::size_t sent() const override { return sent_; }

 private:
  static const bio_method_st* socket_method();
  static int on_write(bio_st* bio, const char* bytes, int size);
  static int on_read(bio_st* bio, char* to, int size);
  static long on_control(bio_st* bio, int command, long, void*);

  Outcome outcome_of(int result, bool& wants_room);
  Outcome fail(std::string why);

  const int socket_;
  const TlsContextPtr context_;
  ssl_st* session_ = nullptr;  // null: there was no memory for it
  std::size_t sent_ = 0;
  int writing_problem_ = 0;  // the socket can be written to no more, for this errno
  int reading_problem_ = 0;
  bool at_end_ = false;  // nothing more can be read from the socket
  bool failed_ = false;
  bool reading_wants_room_ = false;
  bool writing_wants_room_ = false;
  std::string why_;
};

}  // namespace collet::client
