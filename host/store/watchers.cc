#include "store/watchers.h"

#include <utility>

namespace collet::store {

std::uint64_t Watchers::watch(const StreamName& name, std::function<void()> appended) {
  auto told = std::make_shared<const std::function<void()>>(std::move(appended));
  const std::lock_guard lock(mutex_);
  watchers_[name].emplace(++last_watch_, std::move(told));
  return last_watch_;
}

void Watchers::unwatch(const StreamName& name, std::uint64_t watch) {
  const std::lock_guard lock(mutex_);
  const auto of_stream = watchers_.find(name);
  if (of_stream == watchers_.end()) return;
  of_stream->second.erase(watch);
  if (of_stream->second.empty()) watchers_.erase(of_stream);
}

void Watchers::tell(const StreamName& name) const {
  for (const Told& told : watchers_of(name)) (*told)();
}

std::size_t Watchers::count() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [name, watchers] : watchers_) count += watchers.size();
  return count;
}

std::vector<Watchers::Told> Watchers::watchers_of(const StreamName& name) const {
  const std::lock_guard lock(mutex_);
  std::vector<Told> watchers;
  const auto found = watchers_.find(name);
  if (found == watchers_.end()) return watchers;
  for (const auto& [number, told] : found->second) watchers.push_back(told);
  return watchers;
}

}  // namespace collet::store
