// One tools/call from the moment its tool is known: the caller's side of registry::Listener.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/request.h"
#include "registry/registry.h"

namespace collet::protocol {

class ServerLoop;

// Owned by its loop from start() until on_end(), whatever becomes of the client in between: a client that leaves or
// a deadline that passes ends the answer, but only the plugin ends the call.
class ToolCall final : public registry::Listener, public transport::HttpReplyObserver {
 public:
  explicit ToolCall(ServerLoop& loop) : loop_(loop) {}

  // Calls the tool. `self` is this object; it goes back to the loop, to wait for the plugin or for another call.
  void start(RequestPtr request, const registry::Item& item, std::unique_ptr<ToolCall> self);

  // The client asked for it, or has gone: it gets no answer. The plugin is asked to stop.
  void cancel(registry::CancelReason reason);
  // Its time is over: the client is told, the plugin is asked to stop.
  void expire();

  std::uint64_t serial() const { return serial_; }
  std::optional<std::uint64_t> deadline_ms() const { return deadline_ms_; }

  void on_progress(const registry::Progress& progress) override;
  void on_log(const registry::LogMessage& message) override;
  void on_end(registry::Ending& ending) override;
  std::optional<std::string_view> info(std::string_view key) const override;

  void on_gone() override;

 private:
  bool register_id();
  void forget_id();
  void answer(const registry::Ending& ending);
  void answer_completed(const registry::Ending& ending);
  void release();

  ServerLoop& loop_;
  RequestPtr request_;
  // Of a tool that promises structured content; the snapshot may be replaced while it runs.
  registry::SchemaPtr output_;
  const std::string* source_ = nullptr;
  std::string tool_;
  bool ended_ = false;

  // Of a call that did not end inside start().
  std::uint64_t serial_ = 0;  // 0: not waiting
  registry::Provider* provider_ = nullptr;
  registry::CallId id_ = 0;
  bool in_flight_ = false;  // its id is noted with its peer
  std::uint64_t timeout_ms_ = 0;
  std::optional<std::uint64_t> deadline_ms_;

  mutable std::mutex info_mutex_;  // info() is called from any thread
  mutable std::map<std::string, std::optional<std::string>, std::less<>> info_;
};

}  // namespace collet::protocol
