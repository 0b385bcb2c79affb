#include "loop/freed_memory_watch.h"

#include "base/freed_memory.h"
#include "base/limits.h"

namespace collet::loop {

void FreedMemoryWatch::look() {
  if (!freed_memory::take_note()) return;
  more_ = true;
  if (!waits_) wait();
}

void FreedMemoryWatch::wait() {
  waits_ = true;
  more_ = false;
  timer_.start(limits::kFreedMemoryKeptMs, [this] {
    if (more_) return wait();
    waits_ = false;
    freed_memory::give_back();
  });
}

}  // namespace collet::loop
