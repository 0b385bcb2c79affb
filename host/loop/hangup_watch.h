// Tells when nobody is left at the other end of a pipe or socket. Loop thread.
#pragma once

#include <memory>

#include "base/callback.h"
#include "loop/descriptor_watch.h"

namespace collet::loop {

class HangupWatch {
 public:
  // `gone` is called once: the reader of a pipe has closed it, or a socket is closed or broken in both directions.
  // It may destroy the watch. The descriptor is borrowed. Null if it is of a kind that has no other end. With
  // `also_half`, a socket whose other side sends no more counts, too.
  static std::unique_ptr<HangupWatch> open(Loop& loop, int descriptor, Callback<void()> gone, bool also_half = false);
  ~HangupWatch();
  HangupWatch(const HangupWatch&) = delete;
  HangupWatch& operator=(const HangupWatch&) = delete;

 private:
  HangupWatch(int events, Callback<void()> gone) : events_(events), gone_(std::move(gone)) {}

  const int events_;
  Callback<void()> gone_;
  std::unique_ptr<DescriptorWatch> watch_;
};

}  // namespace collet::loop
