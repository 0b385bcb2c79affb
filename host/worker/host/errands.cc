#include "worker/host/errands.h"

#include "base/limits.h"

namespace collet::worker {

void Errands::attach(const collet_host& host) {
  host_ = &host;
  offered_ = find_tables(host);
  for (;;) {
    std::deque<Waiting> waiting;
    {
      const std::lock_guard held(mutex_);
      waiting.swap(waiting_);
      waiting_bytes_ = 0;
      if (waiting.empty()) attached_ = true;
    }
    if (waiting.empty()) return;
    for (const Waiting& each : waiting) make_if_offered(each.incarnation, each.head, each.body);
  }
}

void Errands::begin(std::uint32_t incarnation) {
  Callback<void()> end;
  {
    const std::lock_guard held(mutex_);
    incarnation_ = incarnation;
    waiting_.clear();
    waiting_bytes_ = 0;
    end = forget();
  }
  if (end) end();
}

std::string Errands::take(const FrameHead& head, std::string_view body) {
  std::uint32_t incarnation;
  {
    const std::lock_guard held(mutex_);
    incarnation = incarnation_;
    if (!attached_) {
      waiting_bytes_ += body.size();
      if (waiting_.size() >= early_max_ || waiting_bytes_ > limits::kWorkerQueueBytesMax) {
        return "it wants more of the host than that has room for, before it is up";
      }
      waiting_.push_back({incarnation_, head, std::string(body)});
      return {};
    }
  }
  return make_if_offered(incarnation, head, body);
}

std::string Errands::make_if_offered(std::uint32_t incarnation, const FrameHead& head, std::string_view body) {
  return offered_ ? make(incarnation, head, body) : "it wants what it is not offered";
}

std::unique_lock<std::mutex> Errands::lock_for(std::uint32_t incarnation) const {
  auto held = lock();
  if (incarnation != incarnation_) held.unlock();
  return held;
}

}  // namespace collet::worker
