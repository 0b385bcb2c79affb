// MCP, server side. One Server for the process, one ServerLoop for each loop; a request stays on the loop it came
// in on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/callback.h"
#include "base/limits.h"
#include "loop/loop.h"
#include "protocol/calls/calls.h"
#include "protocol/calls/item_call.h"
#include "protocol/held_open.h"
#include "protocol/http/route_call.h"
#include "protocol/legacy/event_reader.h"
#include "protocol/legacy/loop_sessions.h"
#include "protocol/legacy/session.h"
#include "protocol/legacy/session_records.h"
#include "protocol/lists/list_news.h"
#include "protocol/lists/listing.h"
#include "protocol/lists/subscription.h"
#include "protocol/lists/viewed.h"
#include "protocol/lists/watches.h"
#include "protocol/request.h"
#include "protocol/request_observer.h"
#include "protocol/tasks/task.h"
#include "protocol/tasks/task_records.h"
#include "protocol/tasks/task_waiter.h"
#include "protocol/waiting_requests.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"

namespace collet::protocol {

struct ServerOptions {
  std::string name = "collet";
  std::string title;
  std::string version;
  std::string instructions;
  // Any thread: what comes behind them now, of the plugins that are shown. May be empty.
  std::function<std::string(const std::function<bool(std::string_view plugin)>& is_shown)> more_instructions;
  std::uint64_t call_timeout_ms = limits::kCallTimeoutMs;
  std::uint64_t input_timeout_ms = limits::kInputTimeoutMs;  // for a client to answer what a plugin asks it
  std::uint64_t task_ttl_ms = limits::kTaskTtlMs;            // of a task, the longest
  unsigned page_items = limits::kPageItems;
  unsigned sessions_max = limits::kSessionsMax;
  std::uint64_t session_idle_timeout_ms = limits::kSessionIdleTimeoutMs;
  bool has_views = false;        // not all see the same: what one has asked for is not to be kept for another
  registry::PrincipalPtr local;  // who is at the other end of the standard streams
  std::shared_ptr<transport::RequestMemory> request_memory;  // that what is read is counted to; null: not counted
  Watches::OnChange on_watch;             // any thread; may be empty
  std::vector<std::string> kept_headers;  // of a request over HTTP, for plugins that hand them on
  std::uint64_t list_changed_interval_ms = limits::kListChangedIntervalMs;
  RequestObservers observers;  // borrowed for good
  std::vector<registry::StateSealer::Key> state_keys;  // of registry::StateSealer
  // Where sessions and tasks outlive this process; borrowed: it ends before the server is destroyed. Null: they do not.
  store::Records* records = nullptr;
};

class Server;

// The client at the other end of the standard streams.
class StdioClient {
 public:
  // One complete message.
  virtual void send(std::string_view message) = 0;
  virtual Session& session() = 0;

 protected:
  ~StdioClient() = default;
};

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

  // To who has known the lists of an earlier process.
  void tell_lists_may_have_changed(EventLog& log);
  // Sends a log of the session over a reply, from behind `position`.
  void open_reader(transport::HttpReply& reply, SessionPtr session, EventLogPtr log, std::uint64_t position,
                   EventReader::Style style);
  // Owns what a client holds open, until it is let go.
  HeldOpen& hold_open(std::uint64_t serial, std::unique_ptr<HeldOpen> held) {
    return *held_open_.emplace(serial, std::move(held)).first->second;
  }
  void let_go(std::uint64_t serial) { held_open_.erase(serial); }
  void end_all_held_open() { held_open_.clear(); }
  // A callback, safe on any thread, that has what is held open under `serial` look again.
  std::function<void()> waker(std::uint64_t serial);
  // A function for any thread that tells the session of the task's state, by notifications/tasks/status.
  std::function<void()> announcer(const TaskPtr& task, const SessionPtr& session);

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

 private:
  friend class Server;
  using Handler = void (ServerLoop::*)(RequestPtr);
  struct Method;
  static const Method kMethods[];

  void discover(RequestPtr request);
  void initialize(RequestPtr request);
  void answer_initialize(Request& request, std::string_view version);
  void ping(RequestPtr request);
  void set_level(RequestPtr request);
  void list(RequestPtr request, registry::Kind kind);
  template <registry::Kind kind>
  void list(RequestPtr request) {
    list(std::move(request), kind);
  }
  void call_tool(RequestPtr request);
  void get_prompt(RequestPtr request);
  void read_resource(RequestPtr request);
  void complete(RequestPtr request);
  void subscribe(RequestPtr request);
  void unsubscribe(RequestPtr request);
  void listen(RequestPtr request);
  bool has_room_for_subscription(const std::string& principal) const;
  void get_task(RequestPtr request);
  void update_task(RequestPtr request);
  void cancel_task(RequestPtr request);
  // Whether the request waits for tasks of a store that it is about; it goes on with its handler when they are here.
  bool awaits_tasks(RequestPtr& request, Handler handler);
  void take_tasks(WaitingRequests::Serial serial, Handler handler, Result<std::vector<Task::Record>> tasks);
  // The task that the request is about; if there is none the request has been answered.
  TaskPtr find_task(Request& request);
  // Likewise in the dialect of 2025-11-25.
  TaskPtr find_core_task(Request& request);
  void get_core_task(RequestPtr request);
  void await_core_task(RequestPtr request);
  void list_core_tasks(RequestPtr request);
  void cancel_core_task(RequestPtr request);

  void begin_call(RequestPtr request, const Target& target);
  std::string instructions_for(const Context& context);

  // Null: everything is seen.
  const Viewed* viewed(const registry::PrincipalPtr& principal);

  void cancelled(const Request& request);
  void answered(const Request& request);
  void cancel(std::uint64_t serial);
  void adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings, unsigned changed);
  void tell_lists_changed(unsigned changed);
  bool list_is_news(Session& session, registry::Kind kind, bool several = false);
  void tell_updated(std::string_view key);
  void wake(std::uint64_t serial);
  // A message to a legacy session that belongs to no request.
  void tell_session(Session& session, const std::string& message);

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
  std::map<std::uint64_t, std::unique_ptr<HeldOpen>> held_open_;  // by serial
  std::map<std::uint64_t, std::unique_ptr<RouteCall>> routes_;
  bool ends_streams_ = false;
  std::uint64_t serial_ = 0;
  StdioClient* stdio_client_ = nullptr;
  ListChanges changes_;  // that news_ has not told of
  ListNews news_;        // for subscriptions and the stdio client
};

// Whether the client has declared the extension.
bool can_do_tasks(const Context& context);
// Whether it is a session of 2025-11-25, the one version with tasks in its core.
bool has_core_tasks(const Context& context);
// Whether a call of such a tool becomes a task, and how long that is kept; or why it is refused.
struct TaskOffer {
  std::optional<std::uint64_t> ttl_ms = {};
  std::optional<rpc::Error> bad = {};
};
TaskOffer offer_task(const registry::Traits& traits, const Context& context, std::uint32_t round,
                     std::uint64_t ttl_ms);
TaskOffer offer_core_task(const registry::Traits& traits, const Context& context, const rpc::Message& message,
                          std::uint64_t ttl_ms_max);
// Whose the tasks of such a request are: the principal's, or without one the session's.
std::string task_owner(const Context& context);
// What a modern client would have to be able to do for such an item and has not declared. A legacy client declares
// its abilities once, in initialize, and is asked when the need arises.
std::optional<rpc::Error> check_capabilities(const registry::Traits& traits, const Context& context);

// What the loops share: identity, sessions, the way from the registry to every loop.
class Server {
 public:
  // The loops outlive the server; construct it before they run.
  Server(ServerOptions options, registry::Registry& registry, std::vector<loop::Loop*> loops);
  // After the loops have ended.
  ~Server();

  ServerLoop& at(unsigned index) { return *loops_[index]; }
  const ServerOptions& options() const { return options_; }
  SessionTable& sessions() { return sessions_; }
  // Null: sessions are in this process alone.
  SessionRecords* session_records() { return session_records_ ? &*session_records_ : nullptr; }

  // Constant members of results, as text. The identity is an Implementation object.
  const std::string& identity() const { return identity_; }
  // `"io.modelcontextprotocol/serverInfo":{…}`, of a modern result's _meta.
  const std::string& server_info_member() const { return server_info_member_; }
  // `"resultType":"complete","_meta":{…}`, of every modern result …
  const std::string& stamp() const { return stamp_; }
  // … and with the caching hints that lists and server/discover carry.
  const std::string& cacheable_stamp() const { return cacheable_stamp_; }
  // `"instructions":"…",` or nothing; for who sees this, or, if it is null, everything.
  std::string instructions_member(const Viewed* viewed) const;

  const registry::StateSealer& sealer() const { return sealer_; }
  TaskTable& tasks() { return tasks_; }
  // Null: tasks are in this process alone.
  TaskRecords* task_records() { return task_records_ ? &*task_records_ : nullptr; }

  // Any thread: somebody watches the resource, until the watch ends.
  Watch watch(std::string_view uri) { return watches_.add(std::string(uri)); }
  // Any thread: asks the loop at `place` to cancel the call or subscription there …
  void cancel(rpc::Place place);
  // … to give the call there the client's answer to its question …
  void respond(rpc::Place place, std::string key, Result<std::string> result);
  // … to have what is held open there look again.
  void wake(rpc::Place place);
  // Any thread: tells all clients that watch this resource.
  void resource_updated(std::string_view uri);

 private:
  void publish(registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted);
  void tell_of_pages(const registry::Snapshot& snapshot);
  void note_changed(unsigned changed);
  void tell_sessions(unsigned changed);

  const ServerOptions options_;
  registry::Registry& registry_;
  Watches watches_;
  std::optional<SessionRecords> session_records_;
  SessionTable sessions_;
  const registry::StateSealer sealer_;
  std::optional<TaskRecords> task_records_;
  TaskTable tasks_;
  std::string identity_;
  std::string server_info_member_;
  std::string stamp_;
  std::string cacheable_stamp_;
  std::vector<std::unique_ptr<ServerLoop>> loops_;
  ListChanges session_changes_;  // the first loop's, as the next
  ListNews session_news_;
  unsigned outgrown_ = 0;  // 1 << registry::Kind: a page no longer holds all; only publish() touches it
  // That a loop may still read: like snapshots they are not destroyed on loops. Only publish() touches it.
  std::vector<std::shared_ptr<const Listings>> listings_;
};

}  // namespace collet::protocol
