#include "protocol/legacy/session_records.h"

#include <utility>

#include "base/json.h"
#include "base/json_members.h"
#include "base/text.h"
#include "protocol/version.h"

namespace collet::protocol {
namespace {

const std::string kSessionsSpace = "host:sessions";  // no plugin's name has a colon

std::optional<std::string> text_member(const json::Value& object, std::string_view name) {
  const auto text = json::find_string(object, name);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace

std::string session_text(const Session::Record& record) {
  return json::ObjectText()
      .add_text("owner", record.owner)
      .add_text("version", record.client.version)
      .add_text("info", record.client.info)
      .add_text("capabilities", record.client.capabilities)
      .add_number("logSeverity", record.log_severity)
      .add("watched", text::json_strings(record.watched))
      .take();
}

std::optional<Session::Record> read_session(std::string_view text) {
  json::Document document;
  if (json::parse(text, document) || !document.IsObject()) return std::nullopt;
  auto owner = text_member(document, "owner");
  auto info = text_member(document, "info");
  auto capabilities = text_member(document, "capabilities");
  const std::string_view version = known_legacy(json::find_string(document, "version").value_or(""));
  const json::Value* severity = json::find(document, "logSeverity");
  const json::Value* watched = json::find(document, "watched");
  if (!owner || !info || !capabilities || version.empty() || !severity || !severity->IsUint() || !watched || !watched->IsArray())
    return std::nullopt;
  Session::Record record{.owner = std::move(*owner),
                         .client = {version, std::move(*info), std::move(*capabilities)},
                         .log_severity = severity->GetUint()};
  for (const json::Value& uri : watched->GetArray()) {
    if (uri.IsString()) record.watched.emplace_back(json::view(uri));
  }
  return record;
}

void SessionRecords::keep(SessionPtr session, Callback<void()> done) {
  if (session->begin_put()) return put(std::move(session), std::move(done));
  if (done) done();
}

void SessionRecords::put(SessionPtr session, Callback<void()> done) {
  Session& putting = *session;
  auto answered = [this, session = std::move(session), done = std::move(done)](store::Records::Answer answer) mutable {
    trouble_.note(answer.status, "a session");
    if (done) done();
    if (session->end_put()) put(std::move(session), {});
  };
  records_.put(kSessionsSpace, {.key = putting.id(), .value = session_text(putting.record()), .ttl_ms = idle_timeout_ms_},
               std::move(answered));
}

void SessionRecords::remove(Session& session) {
  if (session.end_keeping()) records_.remove(kSessionsSpace, session.id(), {}, [](store::Records::Answer) {});
}

void SessionRecords::find(const std::string& id, Callback<void(Result<std::optional<Session::Record>>)> then) {
  if (id.empty() || id.size() > limits::kRecordKeyBytesMax) return then(std::optional<Session::Record>());
  records_.get(kSessionsSpace, id, [then = std::move(then)](store::Records::Answer answer) mutable {
    if (answer.status == store::Records::Status::failed) return then(error("the store has failed"));
    then(answer.value ? read_session(*answer.value) : std::nullopt);
  });
}

}  // namespace collet::protocol
