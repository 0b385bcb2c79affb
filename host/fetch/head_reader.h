// The head of an answer, from its lines as libcurl hands them on; stricter than libcurl is.
#pragma once

#include <string>
#include <string_view>

#include "fetch/request.h"

namespace collet::fetch {

class HeadReader {
 public:
  // Whether libcurl unpacks what is packed: then no more is packed than was asked for.
  explicit HeadReader(bool unpacks) : unpacks_(unpacks) {}

  // One line, its end included; also of interim heads, which are passed over, and of trailers.
  void take(std::string_view line);

  // The head has come, not an interim one.
  bool whole() const { return whole_; }
  // Why the answer cannot be used, in words; null: nothing is wrong.
  const char* problem() const { return problem_; }
  Head& head() { return head_; }
  // Whether the body is unpacked.
  bool is_unpacked() const { return is_unpacked_; }

 private:
  void begin(std::string_view line);
  void take_field(std::string_view line);
  void finish();

  bool unpacks_;
  Head head_;
  std::size_t bytes_ = 0;
  bool begun_ = false;
  bool whole_ = false;
  bool is_unpacked_ = false;
  const char* problem_ = nullptr;
};

}  // namespace collet::fetch
