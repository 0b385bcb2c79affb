// Tells when a descriptor can be read. Loop thread.
#pragma once

#include "loop/descriptor_watch.h"

namespace collet::loop {

class ReadWatch {
 public:
  // `readable` is called again and again as long as there is something to read, or the end. The descriptor is
  // borrowed; it is made non-blocking.
  static Result<std::unique_ptr<ReadWatch>> open(Loop& loop, int descriptor, Callback<void()> readable);

 private:
  explicit ReadWatch(std::unique_ptr<DescriptorWatch> watch) : watch_(std::move(watch)) {}

  const std::unique_ptr<DescriptorWatch> watch_;
};

}  // namespace collet::loop
