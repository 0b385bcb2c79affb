// How functions of this layer wait for what the host tells on its thread of answers. Not for authors.
#ifndef COLLET_WAITING_HPP
#define COLLET_WAITING_HPP

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include <collet/call.hpp>

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
  static inline thread_local bool is_answering = false;
};

inline void refuse_if_answering() {
  if (Answering::is_answering) throw Error("a callback cannot wait for an answer: nobody else would bring it");
}

}  // namespace collet::inline v1::detail

#endif
