#include "protocol/lists/known_lists.h"

namespace collet::protocol {

// Who sees everything sees each change. Of several at once one may have undone another, and have been seen meanwhile.
bool list_is_news(LoopCatalog& catalog, Session& session, registry::Kind kind, bool several) {
  const registry::PrincipalPtr& principal = session.principal();
  if (!registry::view_of(principal)) return true;
  return session.note_list(kind, catalog.fingerprint(kind, principal)) || several;
}

void note_lists(LoopCatalog& catalog, Session& session) {
  if (!registry::view_of(session.principal())) return;
  for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) {
    list_is_news(catalog, session, static_cast<registry::Kind>(kind));
  }
}

}  // namespace collet::protocol
