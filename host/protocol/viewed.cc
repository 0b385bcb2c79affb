#include "protocol/viewed.h"

#include <utility>

namespace collet::protocol {

Viewed::Viewed(registry::ViewPtr view, const registry::Snapshot& snapshot, const Listings& whole)
    : view_(std::move(view)), whole_(whole) {
  for (unsigned kind = 0; kind < registry::kKinds; ++kind) {
    const auto& items = snapshot.items(static_cast<registry::Kind>(kind));
    Part& part = parts_[kind];
    part.first = items.data();
    part.sights.reserve(items.size());
    for (const registry::Item& item : items) part.sights.push_back(view_->sight_of(item));
  }
}

bool Viewed::shows(const registry::Item& item) const {
  const Part& part = parts_[static_cast<unsigned>(item.def->kind)];
  return part.sights[static_cast<std::size_t>(&item - part.first)] != registry::Sight::hidden;
}

const Listing& Viewed::of(registry::Kind kind) const {
  const Part& part = parts_[static_cast<unsigned>(kind)];
  std::call_once(part.begun, [&] { part.listing.emplace(whole_.of(kind), part.sights); });
  return *part.listing;
}

}  // namespace collet::protocol
