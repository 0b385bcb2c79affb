// Bytes on their way into a socket that does not take them all at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace collet::worker {

class Unsent {
 public:
  bool empty() const { return begin_ == bytes_.size(); }
  std::size_t size() const { return bytes_.size() - begin_; }
  std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
  void append(std::string_view bytes) { bytes_ += bytes; }
  // The first of them have been taken. Each is moved a few times at most, however small the steps.
  void drop(std::size_t count) {
    begin_ += count;
    if (empty()) return clear();
    if (begin_ < bytes_.size() / 2) return;
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  void clear() {
    begin_ = 0;
    bytes_.clear();
    if (bytes_.capacity() > limits::kWorkerReadBytes) std::string().swap(bytes_);
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace collet::worker
