// So many in so long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace collet::client::auth {

class Budget {
 public:
  Budget(std::size_t count, std::int64_t window_s) : count_(count), window_s_(window_s) {}

  // False, and nothing taken, if `count` have been taken within the window that ends now.
  bool take(std::int64_t now) {
    while (!taken_.empty() && taken_.front() <= now - window_s_) taken_.pop_front();
    if (taken_.size() == count_) return false;
    taken_.push_back(now);
    return true;
  }

 private:
  const std::size_t count_;
  const std::int64_t window_s_;
  std::deque<std::int64_t> taken_;  // when
};

}  // namespace collet::client::auth
