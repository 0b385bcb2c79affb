// The lists that clients ask for, as bytes: written once a snapshot, sliced into pages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/version.h"
#include "registry/registry.h"

namespace collet::protocol {

class Listing {
 public:
  // `kind`'s items of the snapshot in the order of their names.
  Listing(const registry::Snapshot& snapshot, registry::Kind kind, unsigned page_items);

  struct Page {
    std::string_view items;   // comma-separated objects
    std::string next_cursor;  // empty: the last page
  };
  // The page behind `cursor`, or the first one. Nothing if the cursor is none of ours. A cursor stays good when the
  // list changes: it names the item that the page before ended with.
  std::optional<Page> page(std::optional<std::string_view> cursor, Era era) const;

 private:
  struct Text {
    std::string items;                // all of them, each followed by a comma
    std::vector<std::size_t> begins;  // of each item, and one for the end
  };

  Text text_;
  std::optional<Text> older_text_;  // for the legacy era, if it differs
  std::vector<std::string> names_;
  unsigned page_items_;
};

// All four of a snapshot.
class Listings {
 public:
  Listings(const registry::Snapshot& snapshot, unsigned page_items);
  const Listing& of(registry::Kind kind) const { return all_[static_cast<unsigned>(kind)]; }

 private:
  std::vector<Listing> all_;
};

}  // namespace collet::protocol
