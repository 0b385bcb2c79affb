#include "protocol/lists/local_watches.h"

namespace collet::protocol {

void LocalWatches::State::count(const std::string& uri, int by) {
  const std::lock_guard lock(mutex);
  unsigned& count = watchers[uri];
  const bool was_watched = count > 0;
  count += static_cast<unsigned>(by);
  const bool is_watched = count > 0;
  if (!is_watched) watchers.erase(uri);
  if (was_watched != is_watched) on_change(uri, is_watched);
}

Watch LocalWatches::add(std::string uri) {
  if (!state_->on_change) return nullptr;
  state_->count(uri, 1);
  return Watch(state_.get(), [state = state_, uri = std::move(uri)](const void*) { state->count(uri, -1); });
}

}  // namespace collet::protocol
