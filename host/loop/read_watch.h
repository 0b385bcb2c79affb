// Tells when a descriptor can be read. Loop thread.
#pragma once

#include "base/callback.h"
#include "base/result.h"
#include "loop/loop.h"

namespace collet::loop {

class ReadWatch {
 public:
  // `readable` is called again and again as long as there is something to read, or the end. The descriptor is
  // borrowed; it is made non-blocking.
  static Result<std::unique_ptr<ReadWatch>> open(Loop& loop, int descriptor, Callback<void()> readable);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

 private:
  struct State;
  explicit ReadWatch(State* state) : state_(state) {}

  State* state_;  // owned; freed by libuv's close callback
};

}  // namespace collet::loop
