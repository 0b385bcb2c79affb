#include "worker/child/child_items.h"

#include "plugin/abi/abi_items.h"

namespace collet::worker {
namespace {

constexpr std::size_t kItemsFrameBytes = 1u << 20;  // after that many another frame begins

}  // namespace

void ChildItems::say(const std::vector<registry::ItemDef>& items) {
  std::unordered_map<std::uint64_t, std::uint32_t> gone;
  std::vector<const registry::ItemDef*> added;
  {
    const std::lock_guard lock(mutex_);
    std::unordered_map<std::uint64_t, std::uint32_t> numbers;
    for (const registry::ItemDef& item : items) {
      const auto known = numbers_.find(item.handle);
      if (known == numbers_.end()) added.push_back(&item);
      const std::uint32_t number = known == numbers_.end() ? ++last_ : known->second;
      numbers.emplace(item.handle, number);
      handles_.emplace(number, item.handle);
    }
    numbers_.swap(numbers);
    gone.swap(numbers);
    for (const auto& [handle, number] : numbers_) gone.erase(handle);
    for (const auto& [handle, number] : gone) handles_.erase(number);
  }
  std::size_t next = 0;
  do {
    out_.put([&](std::string& out) {
      FrameWriter frame(out, FrameType::items);
      frame.number(static_cast<std::uint32_t>(next == 0 ? gone.size() : 0));
      if (next == 0) {
        for (const auto& [handle, number] : gone) frame.number(number);
      }
      std::size_t count = 0;
      for (std::size_t bytes = 0; next + count < added.size() && bytes < kItemsFrameBytes; ++count) {
        bytes += added[next + count]->definition.size() + added[next + count]->name.size();
      }
      frame.number(static_cast<std::uint32_t>(count));
      for (; count > 0; --count) append(frame, *added[next++]);
      frame.number(static_cast<std::uint8_t>(next == added.size()));
    });
  } while (next < added.size());
}

void ChildItems::append(FrameWriter& frame, const registry::ItemDef& item) const {
  // Without the lock: only say() changes them.
  frame.number(numbers_.at(item.handle)).number(plugin::to_abi(item.kind)).number(plugin::to_flags(item.traits));
  frame.number(item.timeout_ms).text(item.name).text(item.definition);
}

std::uint64_t ChildItems::handle_of(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  const auto known = handles_.find(number);
  return known == handles_.end() ? 0 : known->second;
}

}  // namespace collet::worker
