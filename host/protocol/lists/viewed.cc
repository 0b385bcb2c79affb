#include "protocol/lists/viewed.h"

namespace collet::protocol {

void Viewed::look_at(const registry::Snapshot& snapshot) {
  std::call_once(looked_, [&] { read(snapshot); });
}

void Viewed::read(const registry::Snapshot& snapshot) {
  for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) {
    const auto& items = snapshot.items(static_cast<registry::Kind>(kind));
    Part& part = parts_[kind];
    part.first = items.data();
    part.sights.reserve(items.size());
    for (const registry::Item& item : items) {
      part.sights.push_back(view_->sight_of(item));
      if (part.sights.back() != registry::Sight::hidden) plugins_.insert(*item.source);
    }
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
