// What of a snapshot a view shows.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/lists/listing.h"
#include "registry/view.h"

namespace collet::protocol {

// Made when it is first asked for, and gone with the snapshot's listings. Any thread.
class Viewed {
 public:
  // `whole` outlives it.
  Viewed(registry::ViewPtr view, const Listings& whole) : view_(std::move(view)), whole_(whole) {}
  // The snapshot of `whole`, which outlives it. Before all below; once, and others wait for that.
  void look_at(const registry::Snapshot& snapshot);

  // Whether an item of the snapshot may be called.
  bool shows(const registry::Item& item) const;
  // Whether anything of what the plugin offers may be.
  bool shows_some_of(std::string_view plugin) const { return plugins_.contains(plugin); }
  const Listing& of(registry::Kind kind) const;

 private:
  void read(const registry::Snapshot& snapshot);

  struct Part {
    const registry::Item* first = nullptr;
    std::vector<registry::Sight> sights;  // in the order of the items
    mutable std::once_flag begun;
    mutable std::optional<Listing> listing;
  };

  std::once_flag looked_;
  const registry::ViewPtr view_;
  const Listings& whole_;
  Part parts_[registry::kListedKinds];
  std::set<std::string_view> plugins_;  // ids, which live as long as the registry
};

}  // namespace collet::protocol
