#include "protocol/legacy/loop_sessions.h"

#include "protocol/legacy/session_records.h"
#include "protocol/lists/known_lists.h"
#include "protocol/server.h"

namespace collet::protocol {

SessionPtr LoopSessions::find(std::string_view id, const registry::PrincipalPtr& principal) {
  const std::uint64_t now_ms = loop_.now_ms();
  SessionPtr session = server_.sessions().find(id, principal, now_ms);
  SessionRecords* const records = server_.session_records();
  if (session && records && session->take_renewal(now_ms, records->renewal_ms())) records->keep(session);
  return session;
}

bool LoopSessions::may_be_elsewhere(std::string_view id) const {
  return server_.session_records() && !server_.sessions().has(id);
}

void LoopSessions::fetch(std::string id, registry::PrincipalPtr principal, Callback<void(std::string_view problem)> done) {
  SessionRecords& records = *server_.session_records();
  auto found = [this, id, principal = std::move(principal),
                done = std::move(done)](Result<std::optional<Session::Record>> record) mutable {
    if (!record) return done(record.message());
    if (!*record) return done({});
    loop_.post([this, id = std::move(id), principal = std::move(principal), record = std::move(**record),
                done = std::move(done)]() mutable {
      restore(std::move(id), principal, record);
      done({});
    });
  };
  records.find(id, std::move(found));
}

// What it watches it goes on watching, whether that is there yet or not: its principal is told of what it sees then.
void LoopSessions::restore(std::string id, const registry::PrincipalPtr& principal, const Session::Record& record) {
  const SessionPtr session = server_.sessions().restore(std::move(id), principal, record, loop_.now_ms());
  if (!session) return;
  note_lists(catalog_, *session);
  for (const std::string& uri : record.watched) {
    const auto found = catalog_.snapshot().find_resource(uri, registry::view_of(principal));
    session->subscribe(uri, server_.watch(found.item ? found.uri(uri) : std::string_view(uri)));
  }
  session->begin_keeping(loop_.now_ms());  // now that it is what its record says
}

void LoopSessions::begin_to_keep(const SessionPtr& session, Callback<void()> done) {
  SessionRecords* const records = server_.session_records();
  if (!records) return done();
  session->begin_keeping(loop_.now_ms());
  records->keep(session, std::move(done));
}

void LoopSessions::keep(const SessionPtr& session) {
  if (SessionRecords* const records = server_.session_records()) records->keep(session);
}

void LoopSessions::end(Session& session) {
  server_.sessions().remove(session);
  if (SessionRecords* const records = server_.session_records()) records->remove(session);
}

}  // namespace collet::protocol
