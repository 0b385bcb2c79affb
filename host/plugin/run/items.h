// The items of one generation: what its plugin has staged, and what is published.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/callback.h"
#include "collet/plugin.h"
#include "plugin/run/inline_guard.h"
#include "registry/item.h"

namespace collet::plugin {

// How an operator wants a plugin's items to be called.
struct CallRules {
  bool inline_allowed = true;    // NONBLOCKING items may run on loops
  std::uint32_t timeout_ms = 0;  // for items that set none; 0: the host's default
  std::map<std::string, std::uint32_t, std::less<>> item_timeouts_ms;  // by the plugin's names; they go first

  bool operator==(const CallRules&) const = default;
};

// An item as a call finds it. Kept until no loop can start a call of it any more.
struct ItemRecord {
  registry::ItemDef def;  // def.handle is this record's address
  collet_item id = 0;
  void* user = nullptr;
  std::string mime;                  // of a resource or template, as its definition says
  bool nonblocking = false;          // as its author says
  mutable InlineGuard inline_guard;  // whether it may run on loops; they read and wind it
  enum class State : std::uint8_t { added, live, removed } state = State::added;
  bool from_start = false;  // it was there when the plugin began to serve
};

// What an item is for callers, without its texts.
struct OfferedItem {
  registry::Kind kind = registry::Kind::tool;
  std::string name;
  std::size_t definition_hash = 0;
  registry::Traits traits;
  bool from_start = false;  // it was there when publish_by() was called first

  bool looks_like(const OfferedItem& other) const {
    return definition_hash == other.definition_hash && traits == other.traits;
  }
};

// Any thread. The functions of the ABI return its status codes.
class Items {
 public:
  // Hands over all that is offered from now on. `adopted` owns what was taken out and must live until no loop can
  // start a call of it.
  using Publish = std::function<void(std::vector<registry::ItemDef> items, Callback<void()> adopted)>;

  explicit Items(CallRules rules) : rules_(std::move(rules)) {}

  std::int32_t add(const collet_item_def& def, collet_item* out);
  std::int32_t remove(collet_item item);
  // Makes what is staged current, and publishes it if publishing has begun.
  std::int32_t commit();

  // While it lives nothing is added, removed or published: whoever wants to waits.
  using Pause = std::unique_lock<std::mutex>;
  Pause pause() { return Pause(mutex_); }
  // What is offered.
  std::vector<registry::ItemDef> current(const Pause&) const { return current(); }
  // Likewise, as much as is needed to compare it with what is offered at another time.
  std::vector<OfferedItem> offered(const Pause&) const;
  // From now on every commit is published.
  void publish_by(const Pause&, Publish publish);
  // From now on nothing is added, removed or published.
  void close(const Pause&) { closed_ = true; }
  void close() { close(pause()); }

  // The item as a call finds it, by the plugin's name for it; null if it is not offered. Good as long as the item
  // is.
  const ItemRecord* find(registry::Kind kind, std::string_view name) const;
  // The plugin's name for it; empty if it is gone.
  std::string name_of(collet_item item) const;

  // Notes that a call of the item ran on a loop for longer than its budget; true if that was once too often, and
  // the item runs on executors from now on.
  bool note_overrun(collet_item item, std::string& name);
  std::size_t size() const;
  bool has_nonblocking() const;  // whether there is an item that declares itself NONBLOCKING
  // Why the last add() failed.
  std::string last_error() const;

 private:
  std::int32_t reject(std::int32_t status, std::string reason);
  std::vector<registry::ItemDef> current() const;

  std::uint32_t timeout_of(std::string_view name, std::uint32_t own_ms) const;

  const CallRules rules_;
  mutable std::mutex mutex_;  // guards all below; held while publishing, so that commits arrive in order
  std::map<collet_item, std::unique_ptr<ItemRecord>> records_;  // by id: in the order of registration
  std::set<std::pair<registry::Kind, std::string>> names_;
  collet_item last_id_ = 0;
  bool has_served_ = false;
  bool closed_ = false;
  Publish publish_;
  std::string last_error_;
};

}  // namespace collet::plugin
