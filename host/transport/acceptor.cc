#include "transport/acceptor.h"

#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/log.h"
#include "collet/kit/loop.hpp"

namespace collet::transport {
namespace {

constexpr int kAcceptsPerTurn = 64;              // so that a flood does not starve those who are in
constexpr std::uint64_t kRefusalLogMs = 10'000;  // between two log lines about refusals
constexpr std::uint64_t kAcceptPauseMs = 100;    // when not even the spare descriptor could be had
constexpr std::string_view kNoDescriptor = "no file descriptor is left; raise the limit on open files";

}  // namespace

// Accepts from one descriptor. Closed by libuv after stop().
struct Acceptor::Listener {
  uv_poll_t poll;
  Acceptor* owner;
  Descriptor descriptor;
  Take take;

  void start() {
    uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
      auto& listener = *static_cast<Listener*>(handle->data);
      listener.owner->accept_some(listener);
    });
  }
  void stop() {
    uv_poll_stop(&poll);
    descriptor.close();
    kit::close_and_delete(this, poll);
  }
};

void Acceptor::listen(Descriptor descriptor, Take take) {
  auto* listener = new Listener{{}, this, std::move(descriptor), std::move(take)};
  COLLET_ASSERT(uv_poll_init(loop_.uv(), &listener->poll, listener->descriptor.get()) == 0);
  listener->poll.data = listener;
  listener->start();
  listeners_.push_back(listener);
}

void Acceptor::stop() {
  pause_.stop();
  for (Listener* listener : listeners_) listener->stop();
  listeners_.clear();
}

void Acceptor::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage from{};
    socklen_t from_bytes = sizeof from;
    const int accepted = accept4(listener.descriptor.get(), reinterpret_cast<sockaddr*>(&from), &from_bytes,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      if (listener.take(accepted, from)) continue;
      ::close(accepted);
      count_refusal("all connections are taken");
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) {
      if (shed(listener.descriptor.get())) continue;
      pause();
    } else if (errno == ENOBUFS || errno == ENOMEM) {
      count_refusal(std::strerror(errno));
      pause();
    }
    return;
  }
}

Descriptor Acceptor::open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Turns one client away.
bool Acceptor::shed(int listening) {
  if (!spare_) spare_ = open_spare();
  if (!spare_) {
    count_refusal(kNoDescriptor);
    return false;
  }
  spare_.close();
  const int turned_away = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (turned_away >= 0) {
    ::close(turned_away);
    count_refusal(kNoDescriptor);
  }
  spare_ = open_spare();
  return turned_away >= 0;
}

void Acceptor::pause() {
  for (Listener* listener : listeners_) uv_poll_stop(&listener->poll);
  pause_.start(kAcceptPauseMs, [this] {
    for (Listener* listener : listeners_) listener->start();
  });
}

void Acceptor::count_refusal(std::string_view why) {
  ++refused_;
  const std::uint64_t now = loop_.now_ms();
  if (now < log_again_ms_) return;
  log::warning("refused {} connection(s): {}", refused_ - refused_logged_, why);
  refused_logged_ = refused_;
  log_again_ms_ = now + kRefusalLogMs;
}

}  // namespace collet::transport
