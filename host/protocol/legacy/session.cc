#include "protocol/legacy/session.h"

#include <algorithm>

#include "base/assert.h"
#include "base/clock.h"
#include "protocol/random_id.h"
#include "protocol/shares.h"
#include "registry/uri_spelling.h"

namespace collet::protocol {

bool Session::initialize(Client client) {
  const std::lock_guard lock(mutex_);
  if (stored_client_) return false;
  stored_client_ = std::make_unique<const Client>(std::move(client));
  client_.store(stored_client_.get(), std::memory_order_release);
  return true;
}

const Session::Client& Session::client() const {
  static const Client kUnknown;
  const Client* client = client_.load(std::memory_order_acquire);
  return client ? *client : kUnknown;
}

Session::Record Session::record() const {
  Record record{.owner = owner(), .client = client(), .log_severity = log_severity()};
  const std::lock_guard lock(mutex_);
  for (const auto& [key, watched] : watched_) record.watched.push_back(watched.uri);
  return record;
}

void Session::begin_keeping(std::uint64_t now_ms) { kept_ms_ = std::max<std::uint64_t>(now_ms, 1); }

bool Session::begin_put() {
  const std::lock_guard lock(mutex_);
  if (kept_ms_ == 0) return false;
  if (put_ == Put::none) {
    put_ = Put::under_way;
    return true;
  }
  put_ = Put::changed_since;
  return false;
}

bool Session::end_put() {
  const std::lock_guard lock(mutex_);
  const bool again = put_ == Put::changed_since && kept_ms_ != 0;
  put_ = again ? Put::under_way : Put::none;
  return again;
}

bool Session::end_keeping() {
  const std::lock_guard lock(mutex_);
  return kept_ms_.exchange(0) != 0;
}

bool Session::take_renewal(std::uint64_t now_ms, std::uint64_t renewal_ms) {
  std::uint64_t kept_ms = kept_ms_;
  return kept_ms != 0 && now_ms >= kept_ms + renewal_ms && kept_ms_.compare_exchange_strong(kept_ms, now_ms);
}

void Session::continue_from(const Record& record, std::uint64_t first_number) {
  initialize(record.client);
  set_log_severity(record.log_severity);
  is_continued_ = news_of_lists_ = true;
  const std::lock_guard lock(mutex_);
  last_log_ = last_question_ = first_number;
}

EventLogPtr Session::open_log() {
  const std::lock_guard lock(mutex_);
  return open_log_locked();
}

EventLogPtr Session::open_log_locked() {
  EventLogPtr log = event_logs_.open({.owner = owner(), .session = id_, .number = ++last_log_});
  if (ended_) {
    log->finish();
    return log;
  }
  if (logs_.size() >= limits::kSessionStreamsMax) {
    // The side log lives as long as the session, however old it is.
    const auto oldest = logs_.begin()->second == side_log_ ? std::next(logs_.begin()) : logs_.begin();
    logs_.erase(oldest);
  }
  return logs_.emplace(log->number(), log).first->second;
}

EventLogPtr Session::find_log(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(number);
  return found == logs_.end() || found->second->broken() ? nullptr : found->second;
}

EventLogPtr Session::open_side_log() {
  const std::lock_guard lock(mutex_);
  return side_log_ = open_log_locked();
}

EventLogPtr Session::side_log() const {
  const std::lock_guard lock(mutex_);
  return side_log_;
}

bool Session::listening() const {
  const EventLogPtr log = side_log();
  return log && log->attached();
}

void Session::end() {
  std::map<std::uint64_t, EventLogPtr> logs;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    logs.swap(logs_);
  }
  for (const auto& [number, log] : logs) log->finish();
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

bool Session::subscribe(std::string_view uri, Watch watch) {
  const std::string key = registry::watched_uri(uri);
  const std::lock_guard lock(mutex_);
  if (watched_.size() >= limits::kSubscriptionUrisMax && !watched_.contains(key)) return false;
  watched_.try_emplace(key, Watched{std::string(uri), std::move(watch)});
  return true;
}

void Session::unsubscribe(std::string_view uri) {
  Watch ended;  // outside of the lock
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(registry::watched_uri(uri));
  if (found == watched_.end()) return;
  ended = std::move(found->second.watch);
  watched_.erase(found);
}

std::optional<std::string> Session::subscribed(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(key);
  if (found == watched_.end()) return std::nullopt;
  return found->second.uri;
}

bool Session::note_list(registry::Kind kind, std::size_t fingerprint) {
  const std::lock_guard lock(mutex_);
  return std::exchange(lists_[static_cast<unsigned>(kind)], fingerprint) != fingerprint;
}

SessionPtr SessionTable::create(registry::PrincipalPtr principal, std::uint64_t now_ms) {
  std::string id = random_id();
  const std::lock_guard lock(mutex_);
  return add(std::move(id), std::move(principal), now_ms);
}

SessionPtr SessionTable::restore(std::string id, registry::PrincipalPtr principal, const Session::Record& record,
                                 std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (record.owner != registry::id_of(principal)) return nullptr;
  if (by_id_.contains(id) || std::ranges::find(ended_, id) != ended_.end()) return nullptr;
  SessionPtr session = add(std::move(id), std::move(principal), now_ms);
  session->continue_from(record, wall_ms());
  return session;
}

bool SessionTable::has(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return by_id_.contains(id);
}

SessionPtr SessionTable::add(std::string id, registry::PrincipalPtr principal, std::uint64_t now_ms) {
  auto session = std::make_shared<Session>(std::move(id), std::move(principal), event_logs_);
  expire(now_ms);
  ++counts_[session->owner()];
  if (by_use_.size() >= sessions_max_) drop_one();
  by_use_.push_back({session, now_ms});
  by_id_.emplace(session->id(), std::prev(by_use_.end()));
  return session;
}

SessionPtr SessionTable::find(std::string_view id, const registry::PrincipalPtr& principal, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->session->owner() != registry::id_of(principal)) return nullptr;
  found->second->used_ms = std::max(found->second->used_ms, now_ms);
  by_use_.splice(by_use_.end(), by_use_, found->second);
  return found->second->session;
}

void SessionTable::remove(const Session& session) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(session.id());
  if (found == by_id_.end()) return;
  ended_.push_back(session.id());
  if (ended_.size() > limits::kEndedSessionsMax) ended_.pop_front();
  drop(found->second);
}

std::size_t SessionTable::size() const {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

void SessionTable::expire(std::uint64_t now_ms) {
  // Loops read the clock once a turn: one may be a little behind what another has noted.
  while (!by_use_.empty() && by_use_.front().used_ms + idle_timeout_ms_ < now_ms) {
    const auto oldest = by_use_.begin();
    if (!oldest->session->listening()) {
      drop(oldest);
      continue;
    }
    oldest->used_ms = now_ms;
    by_use_.splice(by_use_.end(), by_use_, oldest);
  }
}

// Of who has most, the one that is about to come included, unless that is their only one.
void SessionTable::drop_one() {
  const auto most = who_has_most(counts_);
  const auto theirs = [&](const Entry& entry) { return entry.session->owner() == most->first; };
  auto dropped = std::find_if(by_use_.begin(), by_use_.end(),
                              [&](const Entry& entry) { return theirs(entry) && !entry.session->listening(); });
  if (dropped == by_use_.end()) dropped = std::find_if(by_use_.begin(), by_use_.end(), theirs);
  if (dropped == by_use_.end()) dropped = by_use_.begin();
  if (on_drop_) on_drop_(*dropped->session);
  drop(dropped);
}

void SessionTable::drop(Entries::iterator entry) {
  entry->session->end();
  if (const auto count = counts_.find(entry->session->owner()); --count->second == 0) counts_.erase(count);
  by_id_.erase(entry->session->id());
  by_use_.erase(entry);
}

void SessionTable::broadcast(const std::function<std::optional<std::string>(Session&)>& message_for) {
  std::vector<SessionPtr> sessions;
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : by_use_) sessions.push_back(entry.session);
  }
  for (const SessionPtr& session : sessions) {
    const EventLogPtr log = session->side_log();
    if (const auto message = log ? message_for(*session) : std::nullopt) log->append(*message);
  }
}

}  // namespace collet::protocol
