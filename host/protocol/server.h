// MCP, server side: what the loops of a process share. A request stays on the loop it came in on, with that loop's ServerLoop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/limits.h"
#include "loop/loop.h"
#include "protocol/legacy/memory_event_logs.h"
#include "protocol/legacy/session.h"
#include "protocol/legacy/session_records.h"
#include "protocol/lists/listing.h"
#include "protocol/lists/local_watches.h"
#include "protocol/lists/session_news.h"
#include "protocol/lists/viewed.h"
#include "protocol/request_observer.h"
#include "protocol/tasks/task.h"
#include "protocol/tasks/task_records.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"
#include "rpc/in_flight.h"
#include "transport/request_memory.h"

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
  // Where sessions keep their streams for clients that come back; never null. As it is, in memory.
  std::unique_ptr<EventLogs> event_logs = std::make_unique<MemoryEventLogs>();
  // Who is told which resources clients watch; never null. As it is, nobody.
  std::unique_ptr<Watches> watches = std::make_unique<LocalWatches>(nullptr);
  std::vector<std::string> kept_headers;  // of a request over HTTP, for plugins that hand them on
  std::uint64_t list_changed_interval_ms = limits::kListChangedIntervalMs;
  RequestObservers observers;  // borrowed for good
  std::vector<registry::StateSealer::Key> state_keys;  // of registry::StateSealer
  // Where sessions and tasks outlive this process; borrowed: it ends before the server is destroyed. Null: they do not.
  store::Records* records = nullptr;
};

class ServerLoop;

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
  Watch watch(std::string_view uri) { return options_.watches->add(std::string(uri)); }
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

  const ServerOptions options_;
  registry::Registry& registry_;
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
  SessionNews session_news_;
  unsigned outgrown_ = 0;  // 1 << registry::Kind: a page no longer holds all; only publish() touches it
  // That a loop may still read: like snapshots they are not destroyed on loops. Only publish() touches it.
  std::vector<std::shared_ptr<const Listings>> listings_;
};

}  // namespace collet::protocol
