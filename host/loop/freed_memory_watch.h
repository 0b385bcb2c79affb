// Keeps what large messages have left on a loop until none has come for a while: see base/freed_memory.h. Loop thread.
#pragma once

#include "loop/loop.h"

namespace collet::loop {

class FreedMemoryWatch {
 public:
  explicit FreedMemoryWatch(Loop& loop) : timer_(loop) {}

  // At the end of each turn.
  void look();

 private:
  void wait();

  Timer timer_;
  bool waits_ = false;
  bool more_ = false;  // large messages have come since it began to
};

}  // namespace collet::loop
