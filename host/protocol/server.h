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
#include "protocol/listing.h"
#include "protocol/request.h"
#include "protocol/session.h"
#include "protocol/tool_call.h"
#include "registry/registry.h"

namespace collet::protocol {

struct ServerOptions {
  std::string name = "collet";
  std::string title;
  std::string version;
  std::string instructions;
  std::uint64_t call_timeout_ms = limits::kCallTimeoutMs;
  unsigned page_items = limits::kPageItems;
  unsigned sessions_max = limits::kSessionsMax;
  std::uint64_t session_idle_timeout_ms = limits::kSessionIdleTimeoutMs;
};

class Server;

// A stream for what belongs to no request: a legacy client's GET stream, or its stdio stream.
class SideStream {
 public:
  // One complete message.
  virtual void send(std::string_view message) = 0;
  virtual const SessionPtr& session() const = 0;

 protected:
  ~SideStream() = default;
};

// Everything of one loop. Loop thread.
class ServerLoop {
 public:
  ServerLoop(Server& server, loop::Loop& loop, unsigned index);
  ~ServerLoop();
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;

  RequestPtr new_request() { return requests_.acquire(); }

  // A request whose context is known. It will be answered.
  void handle(RequestPtr request);
  // A notification whose context is known.
  void notice(const Request& request);

  // Requests of these may be cancelled by id: of a stdio stream, which has no session object to hold them. May be
  // null.
  void set_stream_in_flight(rpc::InFlight* in_flight) { stream_in_flight_ = in_flight; }

  rpc::Place add_stream(SideStream& stream);
  void remove_stream(rpc::Place place);

  Server& server() { return server_; }
  loop::Loop& loop() { return loop_; }
  unsigned index() const { return index_; }
  std::size_t calls_waiting() const { return waiting_.size(); }
  // Calls back once, as soon as no call waits for its plugin; possibly at once.
  void when_idle(Callback<void()> callback);

  // For ToolCall.
  std::uint64_t add_waiting(std::unique_ptr<ToolCall> call);
  std::unique_ptr<ToolCall> remove_waiting(const ToolCall& call);
  std::unique_ptr<ToolCall> new_call();
  void keep(std::unique_ptr<ToolCall> call);
  rpc::InFlight* in_flight_of(const Request& request);

  // Ends every call that still runs; nobody is answered.
  void cancel_all(registry::CancelReason reason);

 private:
  friend class Server;
  using Handler = void (ServerLoop::*)(RequestPtr);
  struct Method;
  static const Method kMethods[];

  void discover(RequestPtr request);
  void initialize(RequestPtr request);
  void ping(RequestPtr request);
  void set_level(RequestPtr request);
  void list_tools(RequestPtr request);
  void call_tool(RequestPtr request);

  void cancelled(const Request& request);
  void cancel(std::uint64_t serial);
  void adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listing> tools, unsigned changed);
  void arm_deadline();
  void expire();

  Server& server_;
  loop::Loop& loop_;
  const unsigned index_;
  registry::SnapshotPtr snapshot_;
  std::shared_ptr<const Listing> tools_;  // shared with the other loops
  RequestPool requests_;
  std::vector<std::unique_ptr<ToolCall>> idle_calls_;
  std::unordered_map<std::uint64_t, std::unique_ptr<ToolCall>> waiting_;  // for their plugin, by serial
  std::multimap<std::uint64_t, std::uint64_t> deadlines_;                 // when → serial
  loop::Timer deadline_timer_;
  std::map<std::uint64_t, SideStream*> streams_;
  std::uint64_t serial_ = 0;
  Callback<void()> when_idle_;
  rpc::InFlight* stream_in_flight_ = nullptr;
};

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

  // Constant members of results, as text. The identity is an Implementation object.
  const std::string& identity() const { return identity_; }
  // `"resultType":"complete","_meta":{…}`, of every modern result …
  const std::string& stamp() const { return stamp_; }
  // … and with the caching hints that lists and server/discover carry.
  const std::string& cacheable_stamp() const { return cacheable_stamp_; }
  // `"instructions":"…",` or nothing.
  const std::string& instructions_member() const { return instructions_member_; }

  // Any thread: asks the loop at `place` to cancel the call there.
  void cancel(rpc::Place place);

 private:
  void publish(registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted);

  const ServerOptions options_;
  registry::Registry& registry_;
  SessionTable sessions_;
  std::string identity_;
  std::string stamp_;
  std::string cacheable_stamp_;
  std::string instructions_member_;
  std::vector<std::unique_ptr<ServerLoop>> loops_;
};

}  // namespace collet::protocol
