#include "service/while_loading.h"

namespace collet::service {

WhileLoading::WhileLoading(const Host& host, std::uint64_t patience_ms)
    : patience_(loop_),
      interruption_(loop_, [this, &host, patience_ms] { patience_.start(patience_ms, [&host] { host.leave(); }); }),
      thread_([this] { loop_.run(); }) {}

WhileLoading::~WhileLoading() {
  loop_.stop();
  thread_.join();
}

}  // namespace collet::service
