#include "service/interruption.h"

#include <csignal>

namespace collet::service {

Interruption::Interruption(loop::Loop& loop, const std::function<void()>& callback) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before;
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    signals_.push_back(std::make_unique<const loop::Signal>(loop, number, callback));
  }
}

}  // namespace collet::service
