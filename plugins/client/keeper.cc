#include "client/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "client/limits.h"

namespace collet::client {
namespace {

struct Begun {
  int error;
  int process;
};

void close_end(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

bool send_all(int to, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t size = ::send(to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) sent += static_cast<std::size_t>(size);
  }
  return true;
}

bool is_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  int ready;
  while ((ready = ::poll(&waiting, 1, limits::kKeeperStartMs)) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

}  // namespace

std::unique_ptr<Keeper> Keeper::prepare() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  return std::unique_ptr<Keeper>(new Keeper(ends[0], ends[1]));
}

Keeper::~Keeper() {
  end();  // somebody who has forked may have a copy of the descriptor
  close_end(end_);
  close_end(its_end_);
}

int Keeper::begin(const std::vector<std::string>& variables) {
  close_end(its_end_);
  std::string block;
  for (const std::string& variable : variables) block += variable + '\0';
  std::string message(sizeof(std::uint32_t), '\0');
  const auto size = static_cast<std::uint32_t>(block.size());
  std::memcpy(message.data(), &size, sizeof size);
  Begun answer{};
  if (!send_all(end_, message + block)) return EPIPE;
  if (!is_readable(end_)) return ETIMEDOUT;
  if (::recv(end_, &answer, sizeof answer, MSG_WAITALL) != sizeof answer) return EPIPE;
  command_ = answer.process;
  return answer.error;
}

void Keeper::terminate() const { static_cast<void>(send_all(end_, std::string(1, '\0'))); }

void Keeper::end() const { ::shutdown(end_, SHUT_WR); }

void Keeper::kill_command() const {
  if (command_ > 0) ::kill(-command_, SIGKILL);
}

bool Keeper::has_ended_all() const {
  char told;
  return ::recv(end_, &told, 1, MSG_DONTWAIT) == 1;
}

}  // namespace collet::client
