#include "client/net/plain_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace collet::client {

ByteStream::Outcome PlainStream::outcome_of(int problem) {
  if (problem == EAGAIN || problem == EINTR) return Outcome::waits;
  why_ = std::strerror(problem);
  return Outcome::broken;
}

ByteStream::Moved PlainStream::write(std::string_view bytes) {
  const ssize_t now = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  const std::size_t taken = now > 0 ? static_cast<std::size_t>(now) : 0;
  const Outcome outcome = taken == bytes.size() ? Outcome::done : now >= 0 ? Outcome::waits : outcome_of(errno);
  sent_ += taken;
  wants_room_ = outcome == Outcome::waits;
  return {outcome, taken};
}

ByteStream::Moved PlainStream::read(char* to, std::size_t size) {
  const ssize_t got = recv(socket_, to, size, MSG_DONTWAIT);
  if (got > 0) return {Outcome::done, static_cast<std::size_t>(got)};
  return {got == 0 ? Outcome::ended : outcome_of(errno)};
}

}  // namespace collet::client
