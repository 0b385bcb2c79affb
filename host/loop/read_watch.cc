#include "loop/read_watch.h"

namespace collet::loop {

Result<std::unique_ptr<ReadWatch>> ReadWatch::open(Loop& loop, int descriptor, Callback<void()> readable) {
  auto watch = DescriptorWatch::open(loop, descriptor, DescriptorWatch::kReadable,
                                     [readable = std::move(readable)](unsigned) mutable { readable(); });
  if (!watch) return watch.failure();
  return std::unique_ptr<ReadWatch>(new ReadWatch(std::move(*watch)));
}

}  // namespace collet::loop
