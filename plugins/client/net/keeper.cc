#include "client/net/keeper.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>

namespace collet::client {
namespace {

struct Begun {
  int error;
  int process;
};

}  // namespace

std::unique_ptr<Keeper> Keeper::prepare(const std::vector<std::string>& variables) {
  std::string block;
  for (const std::string& variable : variables) block += variable + '\0';
  std::unique_ptr<Keeper> made(new Keeper);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  made->end_ = kit::Descriptor(ends[0]);
  made->its_end_ = kit::Descriptor(ends[1]);
  made->variables_ = kit::Descriptor(::memfd_create("variables", MFD_CLOEXEC));
  if (!made->variables_ || !kit::write_all(made->variables_.get(), block)) return nullptr;
  return made;
}

// Somebody who has forked may have a copy of the descriptor.
Keeper::~Keeper() { end(); }

void Keeper::started() {
  its_end_.close();
  variables_.close();
}

std::optional<int> Keeper::begun() {
  Begun answer{};
  const ssize_t size = ::recv(end_.get(), &answer, sizeof answer, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (size != sizeof answer) return EPIPE;
  command_ = answer.process;
  return answer.error;
}

void Keeper::terminate() const { ::send(end_.get(), "", 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

void Keeper::end() const {
  if (end_) ::shutdown(end_.get(), SHUT_WR);
}

void Keeper::kill_command() const {
  if (command_ > 0) ::kill(-command_, SIGKILL);
}

bool Keeper::has_ended_all() const {
  char told;
  return ::recv(end_.get(), &told, 1, MSG_DONTWAIT) == 1;
}

}  // namespace collet::client
