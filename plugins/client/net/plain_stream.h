// Bytes as they are, over TCP.
#pragma once

#include "client/net/byte_stream.h"

namespace collet::client {

class PlainStream final : public ByteStream {
 public:
  // The socket is borrowed.
  explicit PlainStream(int socket) : socket_(socket) {}

  Outcome open() override { return Outcome::done; }
  Moved write(std::string_view bytes) override;
  Moved read(char* to, std::size_t size) override;
  void close() override {}
  bool wants_room() const override { return wants_room_; }
  const std::string& why() const override { return why_; }
  std::size_t sent() const override { return sent_; }

 private:
  Outcome outcome_of(int problem);

  const int socket_;
  std::size_t sent_ = 0;
  bool wants_room_ = false;
  std::string why_;
};

}  // namespace collet::client
