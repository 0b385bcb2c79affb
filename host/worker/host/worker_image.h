// The host's side of a worker: a plugin whose functions pass on what they are given to a process of its own, and
// whose answers are said to the host table.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collet/ext/reconfigure.h"
#include "collet/ext/save_state.h"
#include "collet/ext/status.h"
#include "collet/ext/watch.h"
#include "plugin/replace/stage.h"
#include "worker/host/frame_router.h"
#include "worker/host/process.h"
#include "worker/host/process_link.h"
#include "worker/host/supervisor.h"
#include "worker/host/worker_options.h"
#include "worker/talk/arena.h"
#include "worker/talk/opened.h"

namespace collet::worker {

class WorkerImage final : public plugin::Image {
 public:
  WorkerImage(plugin::WorkerOrder order, WorkerOptions options);

  Result<void> open() override;
  const plugin::PluginTable& table() const override { return table_; }
  std::int32_t create(const collet_host& host, const collet_create_params& params, void** self) override;
  const void* get_extension(std::string_view id) override;
  bool close() override;
  void pin() override {}
  const std::string& path() const override { return path_; }
  bool isolated() const override { return true; }
  bool kill(std::string_view why) override;
  bool given_up() const override { return supervisor_.is_quarantined(); }
  std::string condition() const override { return supervisor_.condition(); }
  std::string info() const override { return table_.info; }
  std::vector<std::string> last_end() const override { return supervisor_.last_end(); }
  std::string item_problem() const override { return supervisor_.item_problem(); }
  void listen(Events events) override { events_ = std::move(events); }

 private:
  // Functions of the plugin's table: any thread.
  static std::int32_t call_plugin(void* self, collet_call call, const collet_call_params* params);
  static void cancel_call(void* self, collet_call call, std::uint32_t reason);
  static void taken(void* self, collet_call call, std::size_t bytes);
  static void body_came(void* self, collet_call call);
  static std::int32_t quiesce(void* self, std::uint32_t deadline_ms);
  static void destroy(void* self);
  static std::int32_t save(void* self, collet_state_write write, void* to);
  static std::int32_t reconfigure(void* self, const char* config, std::size_t size);
  static std::int32_t status(void* self, void (*take)(void*, const char*, std::size_t), void* context);
  static void watch(void* self, const char* uri, std::size_t size, std::uint32_t watched);

  std::int32_t pass_on(collet_call call, const collet_call_params& params);

  // The supervisor's thread.
  std::string take_table(const Opened& opened);
  void take_info(std::string_view info);
  void tell_gone(const std::string& cause) const;

  const plugin::WorkerOrder order_;
  const WorkerOptions options_;
  const std::string path_;
  Events events_;
  // Those of the first process, by the time that open() returns.
  plugin::PluginTable table_;
  collet_save_state save_state_{};
  collet_reconfigure reconfigure_{};
  collet_status status_{};
  collet_watch watch_{};
  std::atomic<const collet_host*> host_{nullptr};  // from create() on

  ArenaView arena_;
  const std::shared_ptr<ProcessLink> link_;  // shared with loops that are about to flush it
  FrameRouter router_;
  SpawnedProcesses processes_;
  Supervisor supervisor_;  // ends first: its thread uses all of the above
};

}  // namespace collet::worker
