// Sessions of the legacy era: what `initialize` said, for as long as the client keeps it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "protocol/legacy/event_logs.h"
#include "protocol/lists/watches.h"
#include "registry/item.h"
#include "registry/principal.h"
#include "rpc/in_flight.h"

namespace collet::protocol {

// Shared by the table (or the stdio stream) and the requests that run in it. Any thread.
class Session {
 public:
  // Its streams are kept in logs of `event_logs`, which outlives the session.
  Session(std::string id, registry::PrincipalPtr principal, EventLogs& event_logs)
      : id_(std::move(id)), principal_(std::move(principal)), event_logs_(event_logs) {}

  const std::string& id() const { return id_; }
  // Who has opened it.
  const registry::PrincipalPtr& principal() const { return principal_; }
  const std::string& owner() const { return registry::id_of(principal_); }

  struct Client {
    std::string_view version;  // one of kLegacyVersions; empty before initialize()
    std::string info;          // JSON text
    std::string capabilities;  // JSON text
  };
  // What outlives the process that has the session.
  struct Record {
    std::string owner;  // the id of its principal
    Client client;
    unsigned log_severity = 0;
    std::vector<std::string> watched;  // URIs, as the client spells them
  };
  Record record() const;

  // False if it was called before.
  bool initialize(Client client);
  const Client& client() const;
  bool initialized() const { return client_.load(std::memory_order_acquire) != nullptr; }
  // Whether its client comes back for the rest of a stream that broke (since 2025-03-26), or that we closed (since
  // 2025-11-25).
  bool can_resume() const { return client().version >= "2025-03-26"; }
  bool can_poll() const { return client().version >= "2025-11-25"; }

  void set_log_severity(unsigned severity) { log_severity_ = severity; }
  unsigned log_severity() const { return log_severity_; }

  rpc::InFlight& in_flight() { return in_flight_; }

  // What a store has of it. From begin_keeping() to end_keeping() each change is to be put there, by one who puts at a time.
  void begin_keeping(std::uint64_t now_ms);
  // Whether to put it; else nothing keeps it, or whoever is putting it now does so again.
  bool begin_put();
  // Whether to put it again: it has changed meanwhile.
  bool end_put();
  // Whether anything has been put.
  bool end_keeping();
  // True, and not again for as long, if `renewal_ms` have passed since.
  bool take_renewal(std::uint64_t now_ms, std::uint64_t renewal_ms);

  // It was opened in an earlier process. What it numbers from now on has no number that its client knows from there.
  void continue_from(const Record& record, std::uint64_t first_number);
  bool is_continued() const { return is_continued_; }
  // True once for one that is continued: what its client knows of lists may be old.
  bool take_news_of_lists() { return news_of_lists_.exchange(false); }

  // Takes note of what its client's list is like, by LoopCatalog::fingerprint(); whether that is another one than before.
  bool note_list(registry::Kind kind, std::size_t fingerprint);

  // Requests of ours that the client has not answered. Nothing if there are kSessionCallsMax already.
  struct Question {
    rpc::Place asker;
    std::string key;
  };
  std::optional<std::uint64_t> note_question(rpc::Place asker, std::string key);
  std::optional<Question> take_question(std::uint64_t id);

  // resources/subscribe. False if the session watches kSubscriptionUrisMax already.
  bool subscribe(std::string_view uri, Watch watch);
  void unsubscribe(std::string_view uri);
  // In the words in which the client has subscribed to it; nothing if it has not. `key` is a URI's normal spelling.
  std::optional<std::string> subscribed(std::string_view key) const;

  // A log for one more stream; the oldest of more than kSessionStreamsMax are forgotten.
  EventLogPtr open_log();
  // Null if it is not, or no longer, there.
  EventLogPtr find_log(std::uint64_t number) const;
  // What belongs to no request goes to the newest of these alone: a message goes out once, though a client may hold
  // several streams. Null before the first one was opened.
  EventLogPtr open_side_log();
  EventLogPtr side_log() const;
  // Whether a client listens to the side log.
  bool listening() const;
  // Its streams end.
  void end();

 private:
  EventLogPtr open_log_locked();

  const std::string id_;
  const registry::PrincipalPtr principal_;
  EventLogs& event_logs_;
  std::unique_ptr<const Client> stored_client_;
  std::atomic<const Client*> client_ = nullptr;  // the stored one, once it is complete
  std::atomic<unsigned> log_severity_ = 6;       // info, until logging/setLevel says otherwise
  std::atomic<std::uint64_t> kept_ms_ = 0;  // 0: nothing keeps it
  std::atomic<bool> is_continued_ = false;
  std::atomic<bool> news_of_lists_ = false;
  rpc::InFlight in_flight_;
  mutable std::mutex mutex_;  // guards all below
  std::size_t lists_[registry::kListedKinds] = {};
  bool ended_ = false;
  enum class Put : std::uint8_t { none, under_way, changed_since } put_ = Put::none;
  std::uint64_t last_log_ = 0;
  std::map<std::uint64_t, EventLogPtr> logs_;
  EventLogPtr side_log_;
  std::uint64_t last_question_ = 0;
  std::map<std::uint64_t, Question> questions_;
  struct Watched {
    std::string uri;  // as the client spells it
    Watch watch;
  };
  std::map<std::string, Watched, std::less<>> watched_;  // by its normal spelling
};

using SessionPtr = std::shared_ptr<Session>;  // see the class: the table and the requests

// All sessions over HTTP, behind one lock. Bounded: past the limit, of who has most, the one that was idle for longest
// goes.
class SessionTable {
 public:
  // `on_drop` is told, with the table's lock, of a session that goes for want of room.
  using OnDrop = std::function<void(Session&)>;
  // `event_logs`, which the sessions keep their streams in, outlives them.
  SessionTable(EventLogs& event_logs, unsigned sessions_max, std::uint64_t idle_timeout_ms, OnDrop on_drop = {})
      : event_logs_(event_logs),
        sessions_max_(sessions_max),
        idle_timeout_ms_(idle_timeout_ms),
        on_drop_(std::move(on_drop)) {}

  SessionPtr create(registry::PrincipalPtr principal, std::uint64_t now_ms);
  // Only for the principal who made it. Counts as use.
  SessionPtr find(std::string_view id, const registry::PrincipalPtr& principal, std::uint64_t now_ms);
  // One that was opened in an earlier process, as it was there. Null if that was another principal's, or it is here by now, or has
  // ended here.
  SessionPtr restore(std::string id, registry::PrincipalPtr principal, const Session::Record& record, std::uint64_t now_ms);
  bool has(std::string_view id) const;
  void remove(const Session& session);
  std::size_t size() const;
  // To each session what `message_for` has for it, if it has, as an event of its side log.
  void broadcast(const std::function<std::optional<std::string>(Session&)>& message_for);

 private:
  struct Entry {
    SessionPtr session;
    std::uint64_t used_ms;
  };
  using Entries = std::list<Entry>;
  SessionPtr add(std::string id, registry::PrincipalPtr principal, std::uint64_t now_ms);
  void expire(std::uint64_t now_ms);
  void drop_one();
  void drop(Entries::iterator entry);

  EventLogs& event_logs_;
  const unsigned sessions_max_;
  const std::uint64_t idle_timeout_ms_;
  const OnDrop on_drop_;
  mutable std::mutex mutex_;
  Entries by_use_;  // least recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_id_;
  std::map<std::string, unsigned> counts_;  // by principal
  std::deque<std::string> ended_;           // the last ones that their clients have ended
};

}  // namespace collet::protocol
