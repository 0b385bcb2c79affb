// What the wrappers of extensions with callbacks [answer] have in common. Not for authors.
#ifndef COLLET_ANSWERING_HPP
#define COLLET_ANSWERING_HPP

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include <collet/plugin.hpp>

namespace collet::inline v1::detail {

// What one thread waits for and another one brings.
template <class T>
class Slot {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    brought_.notify_one();
  }
  T take() {
    std::unique_lock lock(mutex_);
    brought_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);
  }

 private:
  std::mutex mutex_;  // guards the value
  std::condition_variable brought_;
  std::optional<T> value_;
};

// While a callback runs.
struct Answering {
  Answering() { is_answering = true; }
  ~Answering() { is_answering = false; }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  static void refuse() {
    if (is_answering) throw Error("a callback cannot wait for an answer: nobody else would bring it");
  }
  static inline thread_local bool is_answering = false;
};

}  // namespace collet::inline v1::detail

#endif
