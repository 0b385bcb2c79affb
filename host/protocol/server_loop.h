// MCP, server side, on one loop: from a message whose context is known to its handler. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "loop/loop.h"
#include "protocol/calls/calls.h"
#include "protocol/held_open.h"
#include "protocol/http/route_call.h"
#include "protocol/legacy/loop_sessions.h"
#include "protocol/lists/list_news.h"
#include "protocol/lists/listing.h"
#include "protocol/lists/viewed.h"
#include "protocol/request.h"
#include "protocol/stdio_client.h"
#include "protocol/tasks/loop_tasks.h"
#include "protocol/waiting_requests.h"
#include "registry/registry.h"

namespace collet::protocol {

class Server;

// Everything of one loop. Loop thread.
class ServerLoop {
 public:
  ServerLoop(Server& server, loop::Loop& loop, unsigned index);
  ~ServerLoop();
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;

  RequestPtr new_request() { return requests_.acquire(); }
  // Reads a message of the request's principal, or, where that is nobody, of `client`, who has room for it.
  [[nodiscard]] std::optional<rpc::Error> read(std::string_view text, Request& request, std::string_view client = {});

  // A request whose context is known. It will be answered.
  void handle(RequestPtr request);
  // One that cannot be handled: answers with the error.
  void refuse(Request& request, const rpc::Error& error);
  // A notification, or a response to a request of ours, whose context is known.
  void notice(const Request& request);

  // May be null. Outlives its requests.
  void set_stdio_client(StdioClient* client) { stdio_client_ = client; }

  // Owns what a client holds open, until it is let go.
  HeldOpen& hold_open(std::uint64_t serial, std::unique_ptr<HeldOpen> held) {
    return *held_open_.emplace(serial, std::move(held)).first->second;
  }
  void let_go(std::uint64_t serial) { held_open_.erase(serial); }
  void end_all_held_open() { held_open_.clear(); }
  // A callback, safe on any thread, that has what is held open under `serial` look again.
  std::function<void()> waker(std::uint64_t serial);

  Server& server() { return server_; }
  loop::Loop& loop() { return loop_; }
  unsigned index() const { return index_; }
  Calls& calls() { return calls_; }
  LoopSessions& sessions() { return sessions_; }
  const registry::Snapshot& snapshot() const { return *snapshot_; }
  // Takes note of what the session's client finds in its lists, if it has a view.
  void note_lists(Session& session);
  // A number that this loop uses once.
  std::uint64_t next_serial() { return ++serial_; }
  rpc::InFlight* in_flight_of(const Request& request);
  // What who asks sees of that final name, or of that URI, as things are now.
  registry::Snapshot::Found find(registry::CallKind kind, std::string_view name, const Context& context);
  const registry::Item* find(registry::Kind kind, std::string_view name, const Context& context);
  // Whether the principal sees the resource of that URI.
  bool sees(const registry::PrincipalPtr& principal, std::string_view uri) const;
  // The list of that kind as the principal sees it.
  const Listing& listing(registry::Kind kind, const registry::PrincipalPtr& principal);
  // Of a principal with a view: another number where its list is another one. Resources and templates are one to clients.
  std::size_t fingerprint(registry::Kind kind, const registry::PrincipalPtr& principal);
  // The route that serves the path, as the principal sees it: the one of that name, else of the longest with * that it is below.
  const registry::Item* find_route(std::string_view path, const registry::PrincipalPtr& principal) const;
  // Answers the request by a call of the route; `path` is what is asked for below its plugin's.
  void begin_route(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
                   transport::HttpReply& reply, RouteVisit visit);
  // Whether streams are to end: one that begins now, too.
  bool ends_streams() const { return ends_streams_; }
  void flush_route(std::uint64_t serial);
  void end_route(std::uint64_t serial) { routes_.erase(serial); }
  // Asks all calls to end.
  void cancel_calls(registry::CancelReason reason);
  // Ends all streams that clients hold open: subscriptions with an answer. A plugin's stream ends when the plugin, which hears of
  // it, ends its call.
  void end_streams();

  // Null: everything is seen.
  const Viewed* viewed(const registry::PrincipalPtr& principal);
  bool has_room_for_subscription(const std::string& principal) const;
  // Requests that wait for a store.
  WaitingRequests& waiting() { return waiting_; }
  // A message to a legacy session that belongs to no request.
  void tell_session(Session& session, const std::string& message);
  bool list_is_news(Session& session, registry::Kind kind, bool several = false);

  // What the server has posted to this loop.
  void cancel(std::uint64_t serial);
  void wake(std::uint64_t serial);
  void adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings, unsigned changed);
  void tell_updated(std::string_view key);

 private:
  void cancelled(const Request& request);
  void answered(const Request& request);
  void tell_lists_changed(unsigned changed);

  Server& server_;
  loop::Loop& loop_;
  const unsigned index_;
  registry::SnapshotPtr snapshot_;
  std::shared_ptr<const Listings> listings_;  // shared with the other loops
  std::unordered_map<const registry::View*, const Viewed*> viewed_;  // of these: those that have been asked for here
  RequestPool requests_;
  Calls calls_;
  LoopSessions sessions_{*this};
  WaitingRequests waiting_{loop_};
  LoopTasks tasks_{server_, loop_, waiting_};
  std::map<std::uint64_t, std::unique_ptr<HeldOpen>> held_open_;  // by serial
  std::map<std::uint64_t, std::unique_ptr<RouteCall>> routes_;
  bool ends_streams_ = false;
  std::uint64_t serial_ = 0;
  StdioClient* stdio_client_ = nullptr;
  ListChanges changes_;  // that news_ has not told of
  ListNews news_;        // for subscriptions and the stdio client
};

}  // namespace collet::protocol
