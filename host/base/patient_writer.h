// A descriptor that others may have stopped reading: what it does not take within a moment is lost, counted and said,
// so that nobody waits for a reader that does not come. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

namespace collet {

class PatientWriter {
 public:
  explicit PatientWriter(int descriptor) : descriptor_(descriptor) {}

  // One or more lines, each with its end.
  void write(std::string_view lines);

 private:
  bool put(std::string_view text, int patience_ms);

  const int descriptor_;
  std::mutex mutex_;  // guards the two below
  std::uint64_t lost_ = 0;
  bool cut_ = false;  // in the middle of a line
};

}  // namespace collet
