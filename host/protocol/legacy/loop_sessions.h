// The sessions of the legacy era as the requests of one loop find them: in this process, or, where there is one, in a store.
#pragma once

#include <string>
#include <string_view>

#include "base/callback.h"
#include "loop/loop.h"
#include "protocol/legacy/session.h"
#include "registry/principal.h"

namespace collet::protocol {

class LoopCatalog;
class Server;

// Loop thread.
class LoopSessions {
 public:
  // All outlive it.
  LoopSessions(Server& server, loop::Loop& loop, LoopCatalog& catalog)
      : server_(server), loop_(loop), catalog_(catalog) {}

  // One that is here; null: there is none of this principal. Counts as use.
  SessionPtr find(std::string_view id, const registry::PrincipalPtr& principal);
  // Whether there is a store that a session may be in which is not here …
  bool may_be_elsewhere(std::string_view id) const;
  // … which brings it here, if it is there and the principal's, and then calls back, on any thread, as Route::Fetch does.
  void fetch(std::string id, registry::PrincipalPtr principal, Callback<void(std::string_view problem)> done);

  // Has the store keep the session from now on, as it is, and calls back, on any thread, when it does. At once without a store.
  void begin_to_keep(const SessionPtr& session, Callback<void()> done);
  // The session has changed: so does what is kept of it, if something is.
  void keep(const SessionPtr& session);
  void end(Session& session);

 private:
  void restore(std::string id, const registry::PrincipalPtr& principal, const Session::Record& record);

  Server& server_;
  loop::Loop& loop_;
  LoopCatalog& catalog_;
};

}  // namespace collet::protocol
