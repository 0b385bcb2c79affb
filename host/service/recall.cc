#include "service/recall.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/json.h"
#include "base/limits.h"

namespace collet::service {
namespace {

bool is_recalling(const Host& host) {
  json::Document status;
  if (json::parse(host.remotes_status(), status)) return false;
  const json::Value* recalling = json::find(status, "recalling");
  return recalling && recalling->IsTrue();
}

// Rung on any thread, also when nobody listens any more.
class Bell {
 public:
  void ring() {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_one();
  }
  // Whether it has been rung since this was called last; waits for it.
  bool wait_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [this] { return rung_; }) && std::exchange(rung_, false);
  }

 private:
  std::mutex mutex_;  // guards rung_
  std::condition_variable changed_;
  bool rung_ = false;
};

}  // namespace

void await_recall(Host& host) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limits::kRecallMs);
  const auto bell = std::make_shared<Bell>();
  host.on_status_changed([bell] { bell->ring(); });
  while (is_recalling(host) && bell->wait_until(deadline)) {
  }
  host.on_status_changed({});
}

}  // namespace collet::service
