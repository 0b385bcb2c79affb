// What one loop serves, and what of it each principal sees: the snapshot that the loop has adopted, and its listings. Loop
// thread.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "protocol/lists/listing.h"
#include "protocol/lists/viewed.h"
#include "registry/principal.h"
#include "registry/registry.h"

namespace collet::protocol {

class LoopCatalog {
 public:
  LoopCatalog();

  void adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings);
  const registry::Snapshot& snapshot() const { return *snapshot_; }

  // What the principal sees of that final name, or of that URI, as things are now.
  registry::Snapshot::Found find(registry::CallKind kind, std::string_view name, const registry::PrincipalPtr& principal);
  const registry::Item* find(registry::Kind kind, std::string_view name, const registry::PrincipalPtr& principal);
  // The route that serves the path, as the principal sees it.
  const registry::Item* find_route(std::string_view path, const registry::PrincipalPtr& principal) const;
  // Whether the principal sees the resource of that URI.
  bool sees(const registry::PrincipalPtr& principal, std::string_view uri) const;

  // The list of that kind as the principal sees it.
  const Listing& listing(registry::Kind kind, const registry::PrincipalPtr& principal);
  // Of a principal with a view: another number where its list is another one. Resources and templates are one to clients.
  std::size_t fingerprint(registry::Kind kind, const registry::PrincipalPtr& principal);
  // Null: everything is seen.
  const Viewed* viewed(const registry::PrincipalPtr& principal);

 private:
  registry::SnapshotPtr snapshot_;
  std::shared_ptr<const Listings> listings_;  // shared with the other loops
  std::unordered_map<const registry::View*, const Viewed*> viewed_;  // of these: those that have been asked for here
};

}  // namespace collet::protocol
