#include "client/net/keeper.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace collet::client {
namespace {

struct Begun {
  int error;
  int process;
};

void close_end(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

bool write_all(int to, const std::string& bytes) {
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t size = ::write(to, bytes.data() + written, bytes.size() - written);
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) written += static_cast<std::size_t>(size);
  }
  return true;
}

}  // namespace

std::unique_ptr<Keeper> Keeper::prepare(const std::vector<std::string>& variables) {
  std::string block;
  for (const std::string& variable : variables) block += variable + '\0';
  std::unique_ptr<Keeper> made(new Keeper);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  made->end_ = ends[0];
  made->its_end_ = ends[1];
  made->variables_ = ::memfd_create("variables", MFD_CLOEXEC);
  if (made->variables_ < 0 || !write_all(made->variables_, block)) return nullptr;
  return made;
}

Keeper::~Keeper() {
  end();  // somebody who has forked may have a copy of the descriptor
  close_end(end_);
  started();
}

void Keeper::started() {
  close_end(its_end_);
  close_end(variables_);
}

std::optional<int> Keeper::begun() {
  Begun answer{};
  const ssize_t size = ::recv(end_, &answer, sizeof answer, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (size != sizeof answer) return EPIPE;
  command_ = answer.process;
  return answer.error;
}

void Keeper::terminate() const { ::send(end_, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

void Keeper::end() const {
  if (end_ >= 0) ::shutdown(end_, SHUT_WR);
}

void Keeper::kill_command() const {
  if (command_ > 0) ::kill(-command_, SIGKILL);
}

bool Keeper::has_ended_all() const {
  char told;
  return ::recv(end_, &told, 1, MSG_DONTWAIT) == 1;
}

}  // namespace collet::client
