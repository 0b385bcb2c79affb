#include "plugin/run/items.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "plugin/abi/abi_items.h"
#include "plugin/abi/content.h"
#include "plugin/abi/structs.h"

namespace collet::plugin {
namespace {

using registry::Kind;

// Why `definition` cannot be an item's, or empty.
std::string definition_problem(Kind kind, std::string_view definition, std::string& mime) {
  json::Document document;
  if (const auto bad = json::parse(definition, document, {limits::kPluginJsonDepthMax})) {
    return fmt::format("its definition is not JSON: {} at byte {}", bad->message, bad->offset);
  }
  if (!document.IsObject()) return "its definition is not a JSON object";
  // Only a resource's or template's human name is the author's to write; its URI is registered.
  const std::string_view member = mcp::names_of(kind).name_member;
  if (json::find(document, member)) {
    return fmt::format("its definition has a member \"{}\", which is registered as the item's name", member);
  }
  mime = json::find_string(document, "mimeType").value_or("");
  return {};
}

}  // namespace

std::int32_t Items::reject(std::int32_t status, std::string reason) {
  last_error_ = std::move(reason);
  return status;
}

std::int32_t Items::add(const collet_item_def& given, collet_item* out) {
  const collet_item_def def = copy_struct(given);
  const std::lock_guard lock(mutex_);
  if (closed_) return reject(COLLET_E_STATE, "an item was added while the plugin is being unloaded");
  const auto kind = to_kind(def.kind);
  if (!kind) return reject(COLLET_E_INVALID, fmt::format("an item has the unknown kind {}", def.kind));
  if (!is_sound(def.name) || !is_sound(def.definition)) {
    return reject(COLLET_E_INVALID, "an item has a text that is NULL and not empty");
  }
  if (records_.size() >= limits::kItemsMax) {
    return reject(COLLET_E_LIMIT, fmt::format("more than {} items", limits::kItemsMax));
  }
  const std::string_view name = view(def.name);
  if (name.empty()) return reject(COLLET_E_INVALID, "an item has no name");
  if (name.size() > limits::kUriBytesMax) {
    return reject(COLLET_E_LIMIT, fmt::format("an item's name is longer than {} bytes", limits::kUriBytesMax));
  }
  if (!text::is_utf8(name)) return reject(COLLET_E_INVALID, "an item's name is not UTF-8");
  const text::Utf8 utf8(def.definition.data ? view(def.definition) : "{}");
  const std::string_view definition = utf8.view();
  if (definition.size() > limits::kDefinitionBytesMax) {
    return reject(COLLET_E_LIMIT, fmt::format("item \"{}\": its definition is longer than {} bytes", name,
                                              limits::kDefinitionBytesMax));
  }
  std::string mime;
  if (std::string problem = definition_problem(*kind, definition, mime); !problem.empty()) {
    return reject(COLLET_E_INVALID, fmt::format("item \"{}\": {}", name, problem));
  }
  if (!names_.emplace(*kind, name).second) {
    return reject(COLLET_E_DUPLICATE, fmt::format("item \"{}\" is registered twice", name));
  }

  auto record = std::make_unique<ItemRecord>();
  record->def = {.kind = *kind,
                 .name = std::string(name),
                 .definition = content::on_one_line(definition),
                 .traits = to_traits(def.flags),
                 .timeout_ms = timeout_of(name, def.timeout_ms),
                 .handle = reinterpret_cast<std::uint64_t>(record.get())};
  record->id = ++last_id_;
  record->user = def.user;
  record->mime = std::move(mime);
  record->nonblocking = (def.flags & COLLET_ITEM_NONBLOCKING) != 0;
  if (record->nonblocking && rules_.inline_allowed) record->inline_guard.allow();
  *out = record->id;
  records_.emplace_hint(records_.end(), record->id, std::move(record));
  return COLLET_OK;
}

std::uint32_t Items::timeout_of(std::string_view name, std::uint32_t own_ms) const {
  const auto set = rules_.item_timeouts_ms.find(name);
  if (set != rules_.item_timeouts_ms.end()) return set->second;
  return own_ms ? own_ms : rules_.timeout_ms;
}

std::int32_t Items::remove(collet_item item) {
  const std::lock_guard lock(mutex_);
  if (closed_) return COLLET_E_STATE;
  const auto found = records_.find(item);
  if (found == records_.end() || found->second->state == ItemRecord::State::removed) return COLLET_E_STALE;
  ItemRecord& record = *found->second;
  names_.erase({record.def.kind, record.def.name});
  if (record.state == ItemRecord::State::added) {
    records_.erase(found);  // nobody has seen it
  } else {
    record.state = ItemRecord::State::removed;
  }
  return COLLET_OK;
}

std::int32_t Items::commit() {
  const std::lock_guard lock(mutex_);
  if (closed_) return COLLET_E_STATE;
  std::vector<std::unique_ptr<ItemRecord>> removed;
  for (auto at = records_.begin(); at != records_.end();) {
    if (at->second->state == ItemRecord::State::removed) {
      removed.push_back(std::move(at->second));
      at = records_.erase(at);
    } else {
      at->second->state = ItemRecord::State::live;
      ++at;
    }
  }
  if (publish_) publish_(current(), [kept = std::move(removed)] {});
  return COLLET_OK;
}

std::vector<registry::ItemDef> Items::current() const {
  std::vector<registry::ItemDef> items;
  items.reserve(records_.size());
  for (const auto& [id, record] : records_) {
    if (record->state != ItemRecord::State::added) items.push_back(record->def);
  }
  return items;
}

std::vector<OfferedItem> Items::offered(const Pause&) const {
  std::vector<OfferedItem> items;
  for (const auto& [id, record] : records_) {
    const registry::ItemDef& def = record->def;
    if (record->state == ItemRecord::State::added) continue;
    items.push_back({def.kind, def.name, std::hash<std::string>()(def.definition), def.traits, record->from_start});
  }
  return items;
}

void Items::publish_by(const Pause&, Publish publish) {
  publish_ = std::move(publish);
  if (std::exchange(has_served_, true)) return;
  for (const auto& [id, record] : records_) record->from_start = record->state != ItemRecord::State::added;
}

const ItemRecord* Items::find(Kind kind, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, record] : records_) {
    const registry::ItemDef& def = record->def;
    if (def.kind == kind && def.name == name && record->state == ItemRecord::State::live) return record.get();
  }
  return nullptr;
}

std::string Items::name_of(collet_item item) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(item);
  return found == records_.end() ? std::string() : found->second->def.name;
}

bool Items::note_overrun(collet_item item, std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(item);
  if (found == records_.end()) return false;
  ItemRecord& record = *found->second;
  if (!record.inline_guard.note_overrun()) return false;
  name = record.def.name;
  return true;
}

std::size_t Items::size() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

bool Items::has_nonblocking() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(records_.begin(), records_.end(), [](const auto& entry) { return entry.second->nonblocking; });
}

std::string Items::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

}  // namespace collet::plugin
