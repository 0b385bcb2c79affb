#include "plugin/run/running_calls.h"

#include <algorithm>
#include <utility>

namespace collet::plugin {

std::vector<std::string> RunningCalls::describe(const Items& items, std::size_t count) const {
  std::vector<RunningCall> calls = list();
  std::sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.began < b.began; });
  std::vector<std::string> words;
  for (const RunningCall& call : calls) {
    if (words.size() == count) break;
    const std::string name = items.name_of(call.item);
    const auto age =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - call.began).count();
    words.push_back(fmt::format("{}, for {} s", name.empty() ? "an item that was removed" : name, age));
  }
  return words;
}

void RunningCalls::end(CallId id, std::string reason) const {
  LockedCall call = calls_.lock(id, owner_);
  if (!call) return;
  if (!call->failure.empty()) reason = call->failure;  // what went wrong first
  calls_.end_failed(std::move(call), kInternalError, std::move(reason));
}

void RunningCalls::end_for_memory(CallId id) const {
  LockedCall call = calls_.lock(id, owner_);
  if (!call) return;
  call->note_out_of_memory();
  calls_.end(std::move(call));
}

void RunningCalls::end_all(std::string_view reason) const {
  for (const RunningCall& call : list()) end(call.id, std::string(reason));
}

}  // namespace collet::plugin
