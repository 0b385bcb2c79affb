#include "loop/folder_watch.h"

#include <uv.h>

#include "collet/kit/loop.hpp"

namespace collet::loop {

struct FolderWatch::State {
  uv_fs_event_t handle;
  Callback<void(std::string_view name)> changed;
};

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(Loop& loop, const std::string& folder,
                                                       Callback<void(std::string_view name)> changed) {
  auto* state = new State{{}, std::move(changed)};
  uv_fs_event_init(loop.uv(), &state->handle);
  state->handle.data = state;
  std::unique_ptr<FolderWatch> watch(new FolderWatch(state));
  const auto on_event = [](uv_fs_event_t* event, const char* name, int, int status) {
    if (status == 0) static_cast<State*>(event->data)->changed(name ? name : "");
  };
  if (const int failure = uv_fs_event_start(&state->handle, on_event, folder.c_str(), 0); failure != 0) {
    return error("cannot watch the folder {}: {}", folder, uv_strerror(failure));
  }
  return watch;
}

FolderWatch::~FolderWatch() {
  kit::close_and_delete(state_, state_->handle);
}

}  // namespace collet::loop
