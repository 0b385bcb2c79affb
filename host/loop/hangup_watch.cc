#include "loop/hangup_watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

namespace collet::loop {

// libuv can wait for a hangup only together with other events, such as a half-closed socket, which would wake it
// without end. An epoll descriptor that wants no events is ready exactly at EPOLLHUP or EPOLLERR.
std::unique_ptr<HangupWatch> HangupWatch::open(Loop& loop, int descriptor, Callback<void()> gone, bool also_half) {
  const int events = epoll_create1(EPOLL_CLOEXEC);
  if (events < 0) return nullptr;
  std::unique_ptr<HangupWatch> watch(new HangupWatch(events, std::move(gone)));
  epoll_event wanted{};
  if (also_half) wanted.events = EPOLLRDHUP;
  if (epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &wanted) != 0) return nullptr;
  auto readable = DescriptorWatch::open(loop, events, DescriptorWatch::kReadable, [watch = watch.get()](unsigned) {
    static_cast<void>(watch->watch_->want(0));
    std::exchange(watch->gone_, nullptr)();
  });
  if (!readable) return nullptr;
  watch->watch_ = std::move(*readable);
  return watch;
}

HangupWatch::~HangupWatch() {
  watch_.reset();
  close(events_);
}

}  // namespace collet::loop
