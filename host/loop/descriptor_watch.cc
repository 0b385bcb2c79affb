#include "loop/descriptor_watch.h"

#include <uv.h>

#include "collet/kit/loop.hpp"

namespace collet::loop {

struct DescriptorWatch::State {
  static void on_event(uv_poll_t* poll, int status, int events);

  uv_poll_t handle;
  int descriptor;
  Callback<void(unsigned)> ready;
  int wanted = 0;  // in libuv's words
};

void DescriptorWatch::State::on_event(uv_poll_t* poll, int status, int events) {
  State& state = *static_cast<State*>(poll->data);
  unsigned what = events & UV_READABLE ? kReadable : 0;
  if (events & UV_WRITABLE) what |= kWritable;
  if (status < 0) {
    uv_poll_start(poll, state.wanted,
                  on_event);  // libuv has stopped it, and there may be more to read before the error
    what |= kReadable;
  }
  state.ready(what);
}

Result<std::unique_ptr<DescriptorWatch>> DescriptorWatch::open(Loop& loop, int descriptor, unsigned wanted,
                                                               Callback<void(unsigned)> ready) {
  auto* state = new State{{}, descriptor, std::move(ready), 0};
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
  kit::close_and_delete(state_, state_->handle);
}

Result<void> DescriptorWatch::want(unsigned wanted) {
  state_->wanted = (wanted & kReadable ? UV_READABLE : 0) | (wanted & kWritable ? UV_WRITABLE : 0);
  const int failure = state_->wanted ? uv_poll_start(&state_->handle, state_->wanted, State::on_event)
                                     : uv_poll_stop(&state_->handle);
  if (failure == 0) return {};
  return error("cannot watch the descriptor {}: {}", state_->descriptor, uv_strerror(failure));
}

}  // namespace collet::loop
