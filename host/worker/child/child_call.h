// A call in a worker: hears what the plugin says, and has it sent to the host.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "plugin/abi/caller_info.h"
#include "plugin/run/call_table.h"
#include "registry/item.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

// Loop thread, but for info().
class ChildCall final : public registry::Listener {
 public:
  // `id` is the host's. `info` are the fields of what is known of the caller.
  ChildCall(std::uint64_t id, std::string_view info, Outbox& out, std::function<void(std::uint64_t id)>& ended);

  std::uint64_t id() const { return id_; }

  void on_progress(const registry::Progress& progress) override;
  void on_log(const registry::LogMessage& message) override;
  void on_close_stream(unsigned retry_ms) override;
  void on_answer_head(registry::WebHead head) override;
  void on_answer_bytes(std::string& bytes) override;
  void on_body_taken(std::size_t bytes) override;
  void on_end(registry::Ending& ending) override;  // calls `ended`, which may destroy this
  std::optional<std::string_view> info(std::string_view key) const override { return info_.find(key); }

  registry::CallId here = 0;  // the call's id in this process

 private:
  const std::uint64_t id_;
  plugin::CallerInfo info_;
  Outbox& out_;
  std::function<void(std::uint64_t id)>& ended_;
};

// What the host calls the call, which one of these hears; 0: there is none.
std::uint64_t id_at_host(plugin::LockedCall& call);

}  // namespace collet::worker
