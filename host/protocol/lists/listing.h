// The lists that clients ask for, as bytes: written once a snapshot, sliced into pages.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/version.h"
#include "registry/registry.h"
#include "registry/view.h"

namespace collet::protocol {

class Listing {
 public:
  // `kind`'s items of the snapshot in the order of their names.
  Listing(const registry::Snapshot& snapshot, registry::Kind kind, unsigned page_items);
  // Those of `whole`, which has one of each of the items, that are listed.
  Listing(const Listing& whole, const std::vector<registry::Sight>& sights);

  struct Page {
    std::string_view items;   // comma-separated objects
    std::string next_cursor;  // empty: the last page
  };
  // The page behind `cursor`, or the first one. Nothing if the cursor is none of ours. A cursor stays good when the
  // list changes: it names the item that the page before ended with.
  std::optional<Page> page(std::optional<std::string_view> cursor, Era era) const;
  // Of the second kind: another number where there is another list.
  std::size_t fingerprint() const { return fingerprint_; }

 private:
  struct Text {
    std::string items;                // all of them, each followed by a comma
    std::vector<std::size_t> begins;  // of each item, and one for the end
  };

  Text text_;
  std::optional<Text> older_text_;  // for the legacy era, if it differs
  std::vector<std::string> names_;
  unsigned page_items_;
  std::size_t fingerprint_ = 0;
};

class Viewed;

// All four of a snapshot, as they are and as views show them. Any thread.
class Listings {
 public:
  Listings(const registry::Snapshot& snapshot, unsigned page_items);
  ~Listings();
  const Listing& of(registry::Kind kind) const { return all_[static_cast<unsigned>(kind)]; }
  // `snapshot` is the one that these are of.
  const Viewed& under(const registry::ViewPtr& view, const registry::Snapshot& snapshot) const;

 private:
  std::vector<Listing> all_;
  mutable std::mutex mutex_;
  mutable std::map<const registry::View*, std::unique_ptr<Viewed>> viewed_;  // each keeps its view
};

}  // namespace collet::protocol
