#include "protocol/session.h"

#include <algorithm>

#include "base/assert.h"
#include "protocol/random_id.h"

namespace collet::protocol {
namespace {

bool same(rpc::Place a, rpc::Place b) { return a.loop == b.loop && a.serial == b.serial; }

}  // namespace

void Session::set_stream(rpc::Place place) {
  const std::lock_guard lock(mutex_);
  stream_ = place;
}

void Session::clear_stream(rpc::Place place) {
  const std::lock_guard lock(mutex_);
  if (stream_ && same(*stream_, place)) stream_.reset();
}

bool Session::owns_stream(rpc::Place place) const {
  const std::lock_guard lock(mutex_);
  return stream_ && same(*stream_, place);
}

std::optional<std::uint64_t> Session::note_question(rpc::Place asker, std::string key) {
  const std::lock_guard lock(mutex_);
  if (questions_.size() >= limits::kSessionCallsMax) return std::nullopt;
  questions_.emplace(++last_question_, Question{asker, std::move(key)});
  return last_question_;
}

std::optional<Session::Question> Session::take_question(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = questions_.find(id);
  if (found == questions_.end()) return std::nullopt;
  Question question = std::move(found->second);
  questions_.erase(found);
  return question;
}

bool Session::subscribe(std::string_view uri) {
  const std::lock_guard lock(mutex_);
  if (watched_.size() >= limits::kSubscriptionUrisMax && !watched_.contains(uri)) return false;
  watched_.emplace(uri);
  return true;
}

void Session::unsubscribe(std::string_view uri) {
  const std::lock_guard lock(mutex_);
  if (const auto found = watched_.find(uri); found != watched_.end()) watched_.erase(found);
}

bool Session::subscribed(std::string_view uri) const {
  const std::lock_guard lock(mutex_);
  return watched_.contains(uri);
}

SessionPtr SessionTable::create(Session::Client client, std::uint64_t now_ms) {
  auto session = std::make_shared<Session>(random_id());
  session->initialize(std::move(client));
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  if (by_use_.size() >= sessions_max_) {
    by_id_.erase(by_use_.front().session->id());
    by_use_.pop_front();
  }
  by_use_.push_back({session, now_ms});
  by_id_.emplace(session->id(), std::prev(by_use_.end()));
  return session;
}

SessionPtr SessionTable::find(std::string_view id, std::string_view principal, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->session->client().principal != principal) return nullptr;
  found->second->used_ms = std::max(found->second->used_ms, now_ms);
  by_use_.splice(by_use_.end(), by_use_, found->second);
  return found->second->session;
}

void SessionTable::remove(const Session& session) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(session.id());
  if (found == by_id_.end()) return;
  const auto entry = found->second;
  by_id_.erase(found);
  by_use_.erase(entry);
}

std::size_t SessionTable::size() const {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

void SessionTable::expire(std::uint64_t now_ms) {
  // Loops read the clock once a turn: one may be a little behind what another has noted.
  while (!by_use_.empty() && by_use_.front().used_ms + idle_timeout_ms_ < now_ms) {
    by_id_.erase(by_use_.front().session->id());
    by_use_.pop_front();
  }
}

}  // namespace collet::protocol
