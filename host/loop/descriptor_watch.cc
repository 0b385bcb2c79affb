#include "loop/descriptor_watch.h"

#include <uv.h>

namespace collet::loop {

struct DescriptorWatch::State {
  uv_poll_t handle;
  int descriptor;
  Callback<void(unsigned)> ready;
};

Result<std::unique_ptr<DescriptorWatch>> DescriptorWatch::open(Loop& loop, int descriptor, unsigned wanted,
                                                               Callback<void(unsigned)> ready) {
  auto* state = new State{{}, descriptor, std::move(ready)};
  if (const int failure = uv_poll_init(loop.uv(), &state->handle, descriptor); failure != 0) {
    delete state;
    return error("cannot watch the descriptor {}: {}", descriptor, uv_strerror(failure));
  }
  state->handle.data = state;
  std::unique_ptr<DescriptorWatch> watch(new DescriptorWatch(state));
  if (auto wants = watch->want(wanted); !wants) return wants.failure();
  return watch;
}

DescriptorWatch::~DescriptorWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

Result<void> DescriptorWatch::want(unsigned wanted) {
  const int events = (wanted & kReadable ? UV_READABLE : 0) | (wanted & kWritable ? UV_WRITABLE : 0);
  const auto on_event = [](uv_poll_t* poll, int status, int events_ready) {
    unsigned what = status < 0 || (events_ready & UV_READABLE) ? kReadable : 0;
    if (events_ready & UV_WRITABLE) what |= kWritable;
    static_cast<State*>(poll->data)->ready(what);
  };
  const int failure = events ? uv_poll_start(&state_->handle, events, on_event) : uv_poll_stop(&state_->handle);
  if (failure == 0) return {};
  return error("cannot watch the descriptor {}: {}", state_->descriptor, uv_strerror(failure));
}

}  // namespace collet::loop
