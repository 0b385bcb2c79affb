// What this system cannot be brought to enforce, in words.
#pragma once

#include <string>
#include <string_view>

namespace collet::worker {

class Missing {
 public:
  void add(std::string_view what) {
    if (what.empty()) return;
    if (!words_.empty()) words_ += ", ";
    words_ += what;
  }
  const std::string& words() const { return words_; }

 private:
  std::string words_;
};

}  // namespace collet::worker
