#include "cli/admin_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"

namespace collet::cli {
namespace {

// Also of connect(), which waits while a server accepts nobody.
void set_patience(int connection, std::uint64_t silence_ms) {
  const timeval patience{static_cast<time_t>(silence_ms / 1'000),
                         static_cast<suseconds_t>(silence_ms % 1'000 * 1'000)};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Error no_answer(const std::string& path) { return error("the server at {} does not answer", path); }

Error failure(const std::string& path) {
  if (errno == EAGAIN || errno == EINPROGRESS) return no_answer(path);
  return error("cannot speak to the server at {}: {}", path, std::strerror(errno));
}

bool answers(const std::string& path, std::uint64_t silence_ms) {
  const auto answer = ask_server(path, R"({"do":"list"})", silence_ms);
  return answer && answer->ok();
}

}  // namespace

std::optional<Result<std::string>> ask_server(const std::string& path, const std::string& request,
                                              std::uint64_t silence_ms, AtSilence at_silence) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  const Descriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_patience(connection.get(), silence_ms);
  if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    return Result<std::string>(failure(path));
  }
  const std::string line = request + '\n';
  if (send(connection.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return Result<std::string>(failure(path));
  }
  std::string answer;
  char buffer[64 << 10];
  while (answer.empty() || answer.back() != '\n') {
    const ssize_t count = recv(connection.get(), buffer, sizeof buffer, 0);
    if (count > 0) {
      answer.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0) {
      return Result<std::string>(error("the server at {} has ended the conversation", path));
    } else if (errno == EAGAIN) {
      if (at_silence == AtSilence::probe && answers(path, silence_ms)) continue;
      return Result<std::string>(no_answer(path));
    } else if (errno != EINTR) {
      return Result<std::string>(failure(path));
    }
  }
  answer.pop_back();
  return Result<std::string>(std::move(answer));
}

}  // namespace collet::cli
