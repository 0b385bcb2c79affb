#include "worker/host/item_mirror.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits.h"
#include "worker/talk/frame.h"

namespace collet::worker {
namespace {

constexpr unsigned kWorkerIdBits = 32;

}  // namespace

ItemMirror::Handle ItemMirror::Handle::of(const void* item_user) {
  const auto both = reinterpret_cast<std::uint64_t>(item_user);
  return {both >> kWorkerIdBits, both & ((std::uint64_t{1} << kWorkerIdBits) - 1)};
}

void* ItemMirror::Handle::item_user() const { return reinterpret_cast<void*>(incarnation << kWorkerIdBits | worker_id); }

void ItemMirror::attach(const collet_host& host, Replay& replay) {
  const std::lock_guard lock(mutex_);
  host_ = &host;
  replay_ = &replay;
  adopt_pending();
}

void ItemMirror::begin(std::uint64_t incarnation) {
  const std::lock_guard lock(mutex_);
  for (const Added& item : pending_) bytes_ -= item.bytes();
  pending_.clear();
  incarnation_ = incarnation;
}

void ItemMirror::adopt() {
  const std::lock_guard lock(mutex_);
  if (!host_) return;
  adopt_pending();
  host_->items_commit(host_);
}

void ItemMirror::adopt_pending() {
  std::vector<std::uint64_t> all;
  for (const auto& [worker_id, item] : items_) all.push_back(worker_id);
  change(all, std::exchange(pending_, {}));
  replay_->instructions(std::exchange(pending_instructions_, {}));
}

void ItemMirror::change(const std::vector<std::uint64_t>& removed, const std::vector<Added>& added) {
  for (const std::uint64_t worker_id : removed) {
    const auto found = items_.find(worker_id);
    if (found == items_.end()) continue;
    host_->item_remove(host_, found->second.id);
    bytes_ -= found->second.bytes;
    items_.erase(found);
  }
  for (const Added& item : added) {
    collet_item_def def{};
    def.struct_size = sizeof def;
    def.kind = item.kind;
    def.flags = item.flags;
    def.timeout_ms = item.timeout_ms;
    def.user = Handle{incarnation_, item.worker_id}.item_user();
    def.name = {item.name.data(), item.name.size()};
    def.definition = {item.definition.data(), item.definition.size()};
    collet_item id = 0;
    if (host_->item_add(host_, &def, &id) == COLLET_OK) {
      items_.emplace(item.worker_id, Mirrored{id, item.bytes()});
    } else {
      bytes_ -= item.bytes();
    }
  }
}

std::string ItemMirror::take_items(std::string_view body, bool is_up) {
  FieldReader fields(body);
  std::vector<std::uint64_t> removed;
  for (auto left = fields.number<std::uint32_t>(); left > 0 && !fields.bad(); --left) {
    removed.push_back(fields.number<std::uint32_t>());
  }
  std::vector<Added> added;
  std::size_t bytes = 0;
  for (auto left = fields.number<std::uint32_t>(); left > 0 && !fields.bad(); --left) {
    Added& item = added.emplace_back();
    item.worker_id = fields.number<std::uint32_t>();
    item.kind = fields.number<std::uint32_t>();
    item.flags = fields.number<std::uint32_t>() & ~COLLET_ITEM_NONBLOCKING;  // that is the worker's affair
    item.timeout_ms = fields.number<std::uint32_t>();
    item.name = fields.text();
    item.definition = fields.text();
    bytes += item.bytes();
  }
  const bool last = fields.number<std::uint8_t>() != 0;
  if (!fields.complete()) return no_frame("change of items");

  const std::lock_guard lock(mutex_);
  if (items_.size() + pending_.size() + added.size() > 2 * limits::kItemsMax || bytes_ + bytes > limits::kWorkerItemBytesMax) {
    return "it has registered more items than the host has room for";
  }
  bytes_ += bytes;
  if (is_up && host_) {
    change(removed, added);
    if (last) host_->items_commit(host_);
    return {};
  }
  std::erase_if(pending_, [&](const Added& item) {
    const bool gone = std::ranges::find(removed, item.worker_id) != removed.end();
    if (gone) bytes_ -= item.bytes();
    return gone;
  });
  std::move(added.begin(), added.end(), std::back_inserter(pending_));
  return {};
}

std::string ItemMirror::take_instructions(std::string_view body, bool is_up) {
  FieldReader fields(body);
  const std::string_view text = fields.text();
  if (!fields.complete() || text.size() > limits::kInstructionsBytesMax) return no_frame("text of instructions");
  const std::lock_guard lock(mutex_);
  if (is_up && host_) {
    replay_->instructions(text);
  } else {
    pending_instructions_ = text;
  }
  return {};
}

}  // namespace collet::worker
