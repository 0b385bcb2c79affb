// What of a snapshot a view shows.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "protocol/listing.h"
#include "registry/view.h"

namespace collet::protocol {

// Made when it is first asked for, and gone with the snapshot's listings. Any thread.
class Viewed {
 public:
  // `whole` outlives it, and so does the snapshot that it is of.
  Viewed(registry::ViewPtr view, const registry::Snapshot& snapshot, const Listings& whole);

  // Whether an item of the snapshot may be called.
  bool shows(const registry::Item& item) const;
  const Listing& of(registry::Kind kind) const;

 private:
  struct Part {
    const registry::Item* first = nullptr;
    std::vector<registry::Sight> sights;  // in the order of the items
    mutable std::once_flag begun;
    mutable std::optional<Listing> listing;
  };

  const registry::ViewPtr view_;
  const Listings& whole_;
  Part parts_[registry::kKinds];
};

}  // namespace collet::protocol
