#include "loop/read_watch.h"

#include <uv.h>

namespace collet::loop {

struct ReadWatch::State {
  uv_poll_t handle;
  Callback<void()> readable;
};

Result<std::unique_ptr<ReadWatch>> ReadWatch::open(Loop& loop, int descriptor, Callback<void()> readable) {
  auto* state = new State{{}, std::move(readable)};
  if (const int failure = uv_poll_init(loop.uv(), &state->handle, descriptor); failure != 0) {
    delete state;
    return error("cannot watch the descriptor {}: {}", descriptor, uv_strerror(failure));
  }
  state->handle.data = state;
  std::unique_ptr<ReadWatch> watch(new ReadWatch(state));
  const auto on_event = [](uv_poll_t* poll, int, int) { static_cast<State*>(poll->data)->readable(); };
  if (const int failure = uv_poll_start(&state->handle, UV_READABLE, on_event); failure != 0) {
    return error("cannot watch the descriptor {}: {}", descriptor, uv_strerror(failure));
  }
  return watch;
}

ReadWatch::~ReadWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace collet::loop
