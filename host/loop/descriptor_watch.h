// Tells when a descriptor is ready. Loop thread.
#pragma once

#include <memory>

#include "base/callback.h"
#include "base/result.h"
#include "loop/loop.h"

namespace collet::loop {

class DescriptorWatch {
 public:
  static constexpr unsigned kReadable = 1, kWritable = 2;

  // `ready` is called again and again, with what the descriptor is ready for, as long as that is wanted; the end
  // and errors are readable. It may destroy the watch. The descriptor is borrowed; it is made non-blocking.
  static Result<std::unique_ptr<DescriptorWatch>> open(Loop& loop, int descriptor, unsigned wanted,
                                                       Callback<void(unsigned)> ready);
  ~DescriptorWatch();
  DescriptorWatch(const DescriptorWatch&) = delete;
  DescriptorWatch& operator=(const DescriptorWatch&) = delete;

  // From now on; 0: nothing.
  Result<void> want(unsigned wanted);

 private:
  struct State;
  explicit DescriptorWatch(State* state) : state_(state) {}

  State* state_;  // owned; freed by libuv's close callback
};

}  // namespace collet::loop
