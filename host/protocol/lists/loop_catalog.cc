#include "protocol/lists/loop_catalog.h"

#include "registry/callee.h"

namespace collet::protocol {

LoopCatalog::LoopCatalog()
    : snapshot_(std::make_shared<registry::Snapshot>()), listings_(std::make_shared<Listings>(*snapshot_, 1)) {}

void LoopCatalog::adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings) {
  snapshot_ = std::move(snapshot);
  listings_ = std::move(listings);
  viewed_.clear();
}

registry::Snapshot::Found LoopCatalog::find(registry::CallKind kind, std::string_view name,
                                            const registry::PrincipalPtr& principal) {
  if (kind == registry::CallKind::resource) {
    return snapshot_->find_resource(name, registry::view_of(principal));
  }
  const auto items = kind == registry::CallKind::tool ? registry::Kind::tool : registry::Kind::prompt;
  return {find(items, name, principal), {}};
}

const registry::Item* LoopCatalog::find(registry::Kind kind, std::string_view name,
                                        const registry::PrincipalPtr& principal) {
  const registry::Item* item = snapshot_->find(kind, name);
  const Viewed* seen = item ? viewed(principal) : nullptr;
  return seen && !seen->shows(*item) ? nullptr : item;
}

const registry::Item* LoopCatalog::find_route(std::string_view path, const registry::PrincipalPtr& principal) const {
  return registry::find_route(*snapshot_, path, registry::view_of(principal));
}

bool LoopCatalog::sees(const registry::PrincipalPtr& principal, std::string_view uri) const {
  const registry::View* view = registry::view_of(principal);
  return !view || snapshot_->find_resource(uri, view).item;
}

const Listing& LoopCatalog::listing(registry::Kind kind, const registry::PrincipalPtr& principal) {
  const Viewed* seen = viewed(principal);
  return seen ? seen->of(kind) : listings_->of(kind);
}

std::size_t LoopCatalog::fingerprint(registry::Kind kind, const registry::PrincipalPtr& principal) {
  const std::size_t own = listing(kind, principal).fingerprint();
  if (kind != registry::Kind::resource) return own;
  return own ^ 31 * listing(registry::Kind::resource_template, principal).fingerprint();
}

const Viewed* LoopCatalog::viewed(const registry::PrincipalPtr& principal) {
  const registry::View* view = registry::view_of(principal);
  if (!view) return nullptr;
  const Viewed*& viewed = viewed_[view];
  if (!viewed) viewed = &listings_->under(principal->view, *snapshot_);
  return viewed;
}

}  // namespace collet::protocol
