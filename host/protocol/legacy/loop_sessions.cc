#include "protocol/legacy/loop_sessions.h"

#include "protocol/legacy/session_records.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"

namespace collet::protocol {

SessionPtr LoopSessions::find(std::string_view id, const registry::PrincipalPtr& principal) {
  const std::uint64_t now_ms = loop_.loop().now_ms();
  SessionPtr session = loop_.server().sessions().find(id, principal, now_ms);
  SessionRecords* const records = loop_.server().session_records();
  if (session && records && session->take_renewal(now_ms, records->renewal_ms())) records->keep(session);
  return session;
}

bool LoopSessions::may_be_elsewhere(std::string_view id) const {
  return loop_.server().session_records() && !loop_.server().sessions().has(id);
}

void LoopSessions::fetch(std::string id, registry::PrincipalPtr principal, Callback<void(std::string_view problem)> done) {
  SessionRecords& records = *loop_.server().session_records();
  auto found = [this, id, principal = std::move(principal),
                done = std::move(done)](Result<std::optional<Session::Record>> record) mutable {
    if (!record) return done(record.message());
    if (!*record) return done({});
    loop_.loop().post([this, id = std::move(id), principal = std::move(principal), record = std::move(**record),
                       done = std::move(done)]() mutable {
      restore(std::move(id), principal, record);
      done({});
    });
  };
  records.find(id, std::move(found));
}

// What it watches it goes on watching, whether that is there yet or not: its principal is told of what it sees then.
void LoopSessions::restore(std::string id, const registry::PrincipalPtr& principal, const Session::Record& record) {
  const SessionPtr session = loop_.server().sessions().restore(std::move(id), principal, record, loop_.loop().now_ms());
  if (!session) return;
  loop_.note_lists(*session);
  for (const std::string& uri : record.watched) {
    const auto found = loop_.snapshot().find_resource(uri, registry::view_of(principal));
    session->subscribe(uri, loop_.server().watch(found.item ? found.uri(uri) : std::string_view(uri)));
  }
  session->begin_keeping(loop_.loop().now_ms());  // now that it is what its record says
}

void LoopSessions::begin_to_keep(const SessionPtr& session, Callback<void()> done) {
  SessionRecords* const records = loop_.server().session_records();
  if (!records) return done();
  session->begin_keeping(loop_.loop().now_ms());
  records->keep(session, std::move(done));
}

void LoopSessions::keep(const SessionPtr& session) {
  if (SessionRecords* const records = loop_.server().session_records()) records->keep(session);
}

void LoopSessions::end(Session& session) {
  loop_.server().sessions().remove(session);
  if (SessionRecords* const records = loop_.server().session_records()) records->remove(session);
}

}  // namespace collet::protocol
