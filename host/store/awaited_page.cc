#include "store/awaited_page.h"

#include <utility>

namespace collet::store {

std::shared_ptr<AwaitedPage> AwaitedPage::begin(Streams& streams, StreamName name, std::uint64_t after, std::uint32_t events_max,
                                                Streams::Read then) {
  const std::shared_ptr<AwaitedPage> page(new AwaitedPage(streams, std::move(name), after, events_max, std::move(then)));
  page->watch_ = streams.watch(page->name_, [awaited = page->weak_from_this()] {
    if (const auto its = awaited.lock()) its->on_news();
  });
  page->read();
  return page;
}

AwaitedPage::AwaitedPage(Streams& streams, StreamName name, std::uint64_t after, std::uint32_t events_max, Streams::Read then)
    : streams_(streams), name_(std::move(name)), events_max_(events_max), after_(after), then_(std::move(then)) {}

AwaitedPage::~AwaitedPage() { streams_.unwatch(name_, watch_); }

void AwaitedPage::stop() {
  const std::lock_guard lock(mutex_);
  then_ = nullptr;
}

void AwaitedPage::on_news() {
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
    if (std::exchange(reading_, true)) return;
  }
  read();
}

void AwaitedPage::read() {
  std::uint64_t after;
  {
    const std::lock_guard lock(mutex_);
    if (!then_) return;  // for good: nothing reads any more
    news_ = false;
    after = after_;
  }
  streams_.read(name_, after, events_max_, [its = shared_from_this()](Streams::Page page) { its->on_page(std::move(page)); });
}

void AwaitedPage::on_page(Streams::Page page) {
  if (!take(page)) read();
}

// False if there may be something by now.
bool AwaitedPage::take(Streams::Page& page) {
  const std::lock_guard lock(mutex_);
  if (!then_) return true;
  if (page.status == Streams::Status::done && page.events.empty() && page.last >= page.after) {
    after_ = page.after;
    reading_ = news_;
    return !news_;
  }
  std::exchange(then_, nullptr)(std::move(page));
  return true;
}

}  // namespace collet::store
