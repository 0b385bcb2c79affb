// The waist of the house: providers put items in, loops read snapshots out.
//
// A snapshot is immutable and replaced whole. Registry::replace() may be called from any thread; it builds the next
// snapshot, and the publisher hands it to every loop. Names are a pure function of the rules and the items, in the
// order in which sources were declared: a clash never depends on which plugin happened to load first.
//
// A loop that lets go of a snapshot never destroys it, which would take as long as the snapshot is large: the
// registry keeps what it has replaced until it alone holds it.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/assert.h"
#include "base/callback.h"
#include "base/limits.h"
#include "base/result.h"
#include "registry/call_observer.h"
#include "registry/definition.h"
#include "registry/item.h"
#include "registry/names.h"
#include "registry/view.h"

namespace collet::registry {

// One published item: what its provider offered, under its final name.
struct Item {
  std::string name;              // what clients see
  const ItemDef* def = nullptr;  // these two live as long as the snapshot
  const Compiled* compiled = nullptr;
  Provider* provider = nullptr;
  const std::string* source = nullptr;  // id of the plugin; lives as long as the registry
  std::string key = {};                 // what it is found by: its name, or its URI's normal spelling
};

// An item that was left out, and why.
struct Rejected {
  std::string source;
  std::string name;
  std::string reason;
};

// An item that is served without a part of its definition, and why.
struct Mended {
  std::string source;
  std::string name;
  std::string left_out;
};

// Transparent hashing, so that a string_view finds a string.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

// What a source has put in, with what was found out about it, once.
struct Offer {
  ItemDef def;
  Compiled compiled;
  std::string problem;  // why it cannot be served, or empty
};
using OffersPtr = std::shared_ptr<const std::vector<Offer>>;  // shared by the source and the snapshots made of it

// Compiles what is compiled, once; what cannot be is noted in its offer. A validation may take so many steps.
OffersPtr examine(std::vector<ItemDef> items, std::int64_t schema_steps_max = limits::kSchemaFuel);

// What a source offers from now on; no offers take it out.
struct Change {
  std::string source;
  Provider* provider = nullptr;
  OffersPtr offers;
  // The change is refused if an item would be left out because of it that is not left out now.
  bool careful = false;
};

// A source and its rules.
struct Declaration {
  std::string source;
  NameRules rules;
};

class Snapshot {
 public:
  // Sorted by name; stable between snapshots.
  const std::vector<Item>& items(Kind kind) const { return items_[static_cast<unsigned>(kind)]; }
  // One hash lookup; null if there is none. A URI is found in whatever way it is spelt.
  const Item* find(Kind kind, std::string_view name) const;
  // The resource of that URI, or the first template that it is one of, with the variables' values.
  struct Found {
    const Item* item = nullptr;
    std::map<std::string, std::string> variables;
    // As its provider knows what was found by `uri`.
    std::string_view uri(std::string_view uri) const {
      return item->def->kind == Kind::resource ? item->name : uri;
    }
  };
  // As who has both views sees it; null: all of it.
  Found find_resource(std::string_view uri, const View* view = nullptr, const View* reach = nullptr) const;
  const std::vector<Rejected>& rejected() const { return rejected_; }
  const std::vector<Mended>& mended() const { return mended_; }
  // Counts up by one each time; the first published one is 1.
  std::uint64_t version() const { return version_; }
  // Who is told of calls; null: nobody. They live as long as the registry.
  const std::vector<CallObserver*>* observers() const { return observers_; }

 private:
  friend class Registry;
  std::vector<Item> items_[kKinds];
  std::unordered_map<std::string_view, const Item*, NameHash, std::equal_to<>> index_[kKinds];
  std::vector<OffersPtr> offers_;  // what items_ points into
  std::vector<Rejected> rejected_;
  std::vector<Mended> mended_;
  std::uint64_t version_ = 0;
  const std::vector<CallObserver*>* observers_ = nullptr;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;  // shared by the loops that still read it

class Registry {
 public:
  // Called with each new snapshot, one after another, on the thread that changed the registry. `changed` has one
  // bit a Kind: 1 << kind is set if definitions of that kind differ. The publisher calls `adopted` once no loop
  // reads an older snapshot any more.
  using Publisher = Callback<void(SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted)>;

  explicit Registry(std::size_t name_bytes_max = limits::kToolNameBytesMax,
                    std::int64_t schema_steps_max = limits::kSchemaFuel)
      : name_bytes_max_(name_bytes_max), schema_steps_max_(schema_steps_max) {}

  // As above, within this registry's limits.
  OffersPtr examine(std::vector<ItemDef> items) const {
    return registry::examine(std::move(items), schema_steps_max_);
  }

  // Before anything is offered; borrowed for good.
  void observe(CallObserver& observer) {
    COLLET_ASSERT(current()->version() == 0);
    observers_.push_back(&observer);
  }

  // Adds a source behind those that there are: the order decides clashes.
  void declare(std::string source, NameRules rules);
  // The sources from now on, in their order; others are gone with what they offered. Seen with the next snapshot.
  void arrange(std::vector<Declaration> sources);

  // Replaces everything that the sources offer, in one snapshot. `adopted` is called on some thread once no loop
  // can start a call at what they offered before. Says of each change why it was refused, if it was: then its
  // source goes on as before.
  std::vector<Result<void>> replace(std::vector<Change> changes, Callback<void()> adopted = {});
  // As above, for one source and any items. A source that is gone has nothing replaced.
  void replace(std::string_view source, Provider* provider, std::vector<ItemDef> items,
               Callback<void()> adopted = {});

  // Until this is called snapshots are only kept. Publishes the current one. An empty publisher ends it.
  void publish_to(Publisher publisher);

  // Any thread, which it does not keep waiting.
  SnapshotPtr current() const;

  // Called with the version of each new snapshot whose definitions differ from those before, one after another, when it has
  // become the current one; `changed` as of a Publisher. Must not block.
  using Watcher = std::function<void(std::uint64_t version, unsigned changed)>;
  std::uint64_t watch(Watcher watcher);
  // When this has returned the watcher is not called any more.
  void unwatch(std::uint64_t id);

 private:
  struct Source {
    std::string id;
    NameRules rules;
    Provider* provider = nullptr;
    OffersPtr offers = std::make_shared<std::vector<Offer>>();
  };

  Source* find(std::string_view id) const;
  SnapshotPtr build() const;
  SnapshotPtr build_with(std::vector<Change>& changes, std::vector<Result<void>>& results);
  // Why the snapshot is no good for one of the changes, and for which; nothing if it is good.
  std::optional<std::pair<std::size_t, std::string>> find_loss(const Snapshot& next,
                                                               const std::vector<Change>& changes,
                                                               const std::vector<Result<void>>& results) const;
  void publish(SnapshotPtr next, Callback<void()> adopted);
  void tell_watchers(unsigned changed);

  std::vector<CallObserver*> observers_;
  const std::size_t name_bytes_max_;
  const std::int64_t schema_steps_max_;
  mutable std::mutex mutex_;  // guards everything below; held while publishing, so that snapshots arrive in order
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<Source>> former_;  // no longer declared; their ids are still read
  SnapshotPtr current_ = std::make_shared<Snapshot>();  // changed under both mutexes: either is enough to read it
  std::vector<SnapshotPtr> replaced_;  // that somebody may still read
  Publisher publisher_;
  mutable std::mutex current_mutex_;

  std::mutex watchers_mutex_;  // guards the two below; held while they are called
  std::map<std::uint64_t, Watcher> watchers_;
  std::uint64_t last_watcher_ = 0;
};

}  // namespace collet::registry
