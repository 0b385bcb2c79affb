// MCP, server side, on one loop: from a message whose context is known to its handler. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "loop/loop.h"
#include "protocol/calls/calls.h"
#include "protocol/held_open_table.h"
#include "protocol/http/route_calls.h"
#include "protocol/legacy/loop_sessions.h"
#include "protocol/lists/loop_catalog.h"
#include "protocol/lists/loop_news.h"
#include "protocol/loop_clients.h"
#include "protocol/request.h"
#include "protocol/tasks/loop_tasks.h"
#include "protocol/waiting_requests.h"
#include "registry/deadlines.h"

namespace collet::protocol {

class Server;

// Owns what serves on one loop, each part with a class of its own.
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

  Server& server() { return server_; }
  loop::Loop& loop() { return loop_; }
  unsigned index() const { return index_; }
  LoopCatalog& catalog() { return catalog_; }
  LoopClients& clients() { return clients_; }
  registry::Deadlines& deadlines() { return deadlines_; }
  Calls& calls() { return calls_; }
  LoopSessions& sessions() { return sessions_; }
  // Requests that wait for a store.
  WaitingRequests& waiting() { return waiting_; }
  HeldOpenTable& held_open() { return held_open_; }
  RouteCalls& routes() { return routes_; }
  LoopNews& news() { return news_; }

  // A number that this loop uses once, for a call or for what is held open.
  std::uint64_t next_serial() { return ++serial_; }
  // A callback, safe on any thread, that has what is held open under `serial` look again.
  std::function<void()> waker(std::uint64_t serial);

  // Asks all calls to end.
  void cancel_calls(registry::CancelReason reason);
  // Ends all streams that clients hold open: subscriptions with an answer. A plugin's stream ends when the plugin, which hears of
  // it, ends its call.
  void end_streams();

  // What the server posts here: the call, or what is held open, of that number is cancelled …
  void cancel(std::uint64_t serial);
  // … the call of that number has the client's answer to its question …
  void respond(std::uint64_t serial, const std::string& key, const Result<std::string>& result);
  // … and this is served from now on.
  void adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings, unsigned changed);

 private:
  void cancelled(const Request& request);
  void answered(const Request& request);

  Server& server_;
  loop::Loop& loop_;
  const unsigned index_;
  LoopCatalog catalog_;
  LoopClients clients_;
  RequestPool requests_;
  registry::Deadlines deadlines_;
  Calls calls_;
  LoopSessions sessions_{server_, loop_, catalog_};
  WaitingRequests waiting_{loop_};
  LoopTasks tasks_{server_, loop_, waiting_};
  HeldOpenTable held_open_;
  RouteCalls routes_;
  std::uint64_t serial_ = 0;
  LoopNews news_;
};

}  // namespace collet::protocol
