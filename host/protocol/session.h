// Sessions of the legacy era: what `initialize` said, for as long as the client keeps it.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/limits.h"
#include "rpc/in_flight.h"

namespace collet::protocol {

// Shared by the table (or the stdio stream) and the requests that run in it. Any thread; what is const after
// initialize() needs no lock.
class Session {
 public:
  explicit Session(std::string id) : id_(std::move(id)) {}

  const std::string& id() const { return id_; }

  // Once, before the session is shared.
  struct Client {
    std::string_view version;  // one of kLegacyVersions
    std::string info;          // JSON text
    std::string capabilities;  // JSON text
    std::string principal;
  };
  void initialize(Client client) { client_ = std::move(client); }
  const Client& client() const { return client_; }

  void set_log_severity(unsigned severity) { log_severity_ = severity; }
  unsigned log_severity() const { return log_severity_; }

  rpc::InFlight& in_flight() { return in_flight_; }

  // Requests of ours that the client has not answered. Nothing if there are kSessionCallsMax already.
  struct Question {
    rpc::Place asker;
    std::string key;
  };
  std::optional<std::uint64_t> note_question(rpc::Place asker, std::string key);
  std::optional<Question> take_question(std::uint64_t id);

  // resources/subscribe. False if the session watches kSubscriptionUrisMax already.
  bool subscribe(std::string_view uri);
  void unsubscribe(std::string_view uri);
  bool subscribed(std::string_view uri) const;

  // The one stream that carries what belongs to no request, or nothing: a message goes out once, though a client
  // may hold several streams. A later stream takes over.
  void set_stream(rpc::Place place);
  void clear_stream(rpc::Place place);
  bool owns_stream(rpc::Place place) const;

 private:
  const std::string id_;
  Client client_;
  std::atomic<unsigned> log_severity_ = 6;  // info, until logging/setLevel says otherwise
  rpc::InFlight in_flight_;
  mutable std::mutex mutex_;
  std::optional<rpc::Place> stream_;
  std::uint64_t last_question_ = 0;
  std::map<std::uint64_t, Question> questions_;
  std::set<std::string, std::less<>> watched_;
};

using SessionPtr = std::shared_ptr<Session>;  // see the class: the table and the requests

// All sessions over HTTP, behind one lock. Bounded: past the limit the one that was idle for longest goes.
class SessionTable {
 public:
  SessionTable(unsigned sessions_max, std::uint64_t idle_timeout_ms)
      : sessions_max_(sessions_max), idle_timeout_ms_(idle_timeout_ms) {}

  SessionPtr create(Session::Client client, std::uint64_t now_ms);
  // Only for the principal who made it. Counts as use.
  SessionPtr find(std::string_view id, std::string_view principal, std::uint64_t now_ms);
  void remove(const Session& session);
  std::size_t size() const;

 private:
  struct Entry {
    SessionPtr session;
    std::uint64_t used_ms;
  };
  void expire(std::uint64_t now_ms);

  const unsigned sessions_max_;
  const std::uint64_t idle_timeout_ms_;
  mutable std::mutex mutex_;
  std::list<Entry> by_use_;  // least recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_id_;
};

}  // namespace collet::protocol
