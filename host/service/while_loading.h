// Signals that come before the loops run.
#pragma once

#include <thread>

#include "loop/loop.h"
#include "service/host.h"
#include "service/interruption.h"

namespace collet::service {

// While it lives, what interrupts the process ends it after `patience_ms`, on a thread of its own: a plugin may take
// its time to load. From before host.load() until others hear of signals.
class WhileLoading {
 public:
  explicit WhileLoading(const Host& host, std::uint64_t patience_ms = 0);
  ~WhileLoading();

 private:
  loop::Loop loop_;
  loop::Timer patience_;
  const Interruption interruption_;
  std::thread thread_;
};

}  // namespace collet::service
