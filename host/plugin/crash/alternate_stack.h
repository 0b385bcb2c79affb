// Where the calling thread handles signals, so that it can still do so when its own stack is used up.
#pragma once

#include <cstddef>

namespace collet::plugin::crash {

// Of the thread that makes it, until that destroys it. Where there is no memory for it, or another one already, there is none.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* at_ = nullptr;
};

}  // namespace collet::plugin::crash
