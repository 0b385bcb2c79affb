// The host's side of a worker: a plugin whose functions pass on what they are given to a process of its own, and
// whose answers are said to the host table.
//
// A thread of the image reads what the worker says, and looks after its life. When the process ends by itself, or
// is ended because it breaks the rules, every call that it had ends with the cause; then it is started again, after
// a time that doubles with each failure, until there have been too many: quarantine.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/unsent.h"
#include "collet/ext/reconfigure.h"
#include "collet/ext/save_state.h"
#include "collet/ext/status.h"
#include "collet/ext/watch.h"
#include "plugin/replace/stage.h"
#include "plugin/run/thread.h"
#include "worker/host/denials.h"
#include "worker/host/fetch_errands.h"
#include "worker/host/guard.h"
#include "worker/host/item_mirror.h"
#include "worker/host/peer_errands.h"
#include "worker/host/process.h"
#include "worker/host/questions.h"
#include "worker/host/record_errands.h"
#include "worker/host/restarts.h"
#include "worker/host/stream_errands.h"
#include "worker/host/worker_log.h"
#include "worker/talk/arena.h"
#include "worker/talk/frame.h"
#include "worker/talk/replay.h"
#include "worker/walls/control_group.h"
#include "worker/walls/disk.h"

namespace collet::worker {

struct WorkerOptions {
  std::string executable = "/proc/self/exe";  // run as `executable __worker`: worker_main()
  std::uint64_t start_timeout_ms = limits::kCreateTimeoutMs;
  std::uint64_t hang_ms = limits::kWorkerHangMs;
  std::uint64_t exit_ms = limits::kWorkerExitMs;
  std::uint64_t status_ms = limits::kWorkerStatusMs;
  Restarts::Rules restarts = {};
  int log_level = 2;   // log::Level
  std::shared_ptr<ControlGroups> groups;  // in which the processes are; null: in none
  bool debug = false;  // what the host refuses of the plugin is said in the log
  std::string unenforced;                 // what the host could not be brought to enforce, in words, or empty
};

class WorkerImage final : public plugin::Image {
 public:
  WorkerImage(plugin::WorkerOrder order, WorkerOptions options);
  ~WorkerImage() override;

  Result<void> open() override;
  const plugin::PluginTable& table() const override { return table_; }
  std::int32_t create(const collet_host& host, const collet_create_params& params, void** self) override;
  const void* get_extension(std::string_view id) override;
  bool close() override;
  void pin() override {}
  const std::string& path() const override { return path_; }
  bool isolated() const override { return true; }
  bool kill(std::string_view why) override;
  bool given_up() const override;
  std::string condition() const override;
  std::string item_problem() const override;
  void listen(Events events) override { events_ = std::move(events); }

 private:
  enum class State : std::uint8_t { down, starting, up, quarantined, closing, closed };

  // A process and what belongs to it. Of the image's thread.
  struct Running {
    ControlGroup group;  // outlives the process
    Process process;
    Descriptor socket;
    std::unique_ptr<WorkerLog> log;
    FrameBuffer input;
    std::unique_ptr<Guard> guard;  // null if its calls do not ask, or not yet
    bool opened = false;
    bool ended = false;   // by itself
    std::string refusal;  // why it cannot be used: "its create() …", "its worker process was killed: …"
  };

  // Functions of the plugin's table: any thread.
  static std::int32_t call_plugin(void* self, collet_call call, const collet_call_params* params);
  static void cancel_call(void* self, collet_call call, std::uint32_t reason);
  static void taken(void* self, collet_call call, std::size_t bytes);
  static std::int32_t quiesce(void* self, std::uint32_t deadline_ms);
  static void destroy(void* self);
  static std::int32_t save(void* self, collet_state_write write, void* to);
  static std::int32_t reconfigure(void* self, const char* config, std::size_t size);
  static std::int32_t status(void* self, void (*take)(void*, const char*, std::size_t), void* context);
  static void watch(void* self, const char* uri, std::size_t size, std::uint32_t watched);

  std::int32_t pass_on(collet_call call, const collet_call_params& params);
  bool send(std::string_view frames);
  bool send_to(std::uint32_t incarnation, std::string_view frames, Errands::Need need);
  Questions::Answer ask(FrameType type, std::string_view text = {}, std::optional<std::uint64_t> at_most_ms = {});
  std::string down_words() const;

  // The image's thread.
  void look_after();
  std::string run_once();
  Result<Running> start();
  void serve(Running& running);
  int wait_ms() const;
  void receive(Running& running);
  ssize_t receive_first(Running& running, char* to, std::size_t room);
  void note_denial(const std::string& denial);  // a guard's thread
  std::unique_ptr<DiskWatch> watch_disk();
  void flush();
  std::string find_reason_to_kill(const Running& running);
  bool wait_to_restart(const std::string& cause);
  void wake() const;
  // Each returns why the frame cannot come from a sound worker, or an empty text.
  std::string take(Running& running, const FrameBuffer::Frame& frame);
  std::string take_opened(Running& running, std::string_view body);
  void begin_errands(std::uint32_t incarnation);
  std::string take_of_call(const FrameBuffer::Frame& frame);

  plugin::WorkerOrder order_;
  const WorkerOptions options_;
  const std::string path_;
  Events events_;
  plugin::PluginTable table_;
  collet_save_state save_state_{};
  collet_reconfigure reconfigure_{};
  collet_status status_{};
  collet_watch watch_{};
  Descriptor wake_;
  std::atomic<const collet_host*> host_{nullptr};  // from create() on

  // Of the image's thread.
  bool opened_once_ = false;
  Restarts restarts_;
  plugin::Clock::time_point started_;
  ArenaView arena_;
  std::unique_ptr<Replay> replay_;  // from create() on: there once host_ is
  const Errands::Send send_to_ = [this](std::uint32_t incarnation, std::string_view frames, Errands::Need need) {
    return send_to(incarnation, frames, need);
  };
  PeerErrands peer_errands_{send_to_};
  RecordErrands record_errands_{send_to_};
  StreamErrands stream_errands_{send_to_};
  FetchErrands fetch_errands_{send_to_};

  ItemMirror items_;
  Questions questions_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  State state_ = State::down;
  int socket_ = -1;  // of the process that is up
  pid_t spawned_ = 0;  // the process that was started; 0: none runs
  pid_t pid_ = 0;   // of who has the library, once it is up
  std::uint32_t incarnation_ = 0;
  Unsent outgoing_;  // what the socket did not take
  Denials denials_;
  std::string kill_reason_;  // somebody wants the process to be killed
  std::string cause_;        // of the last end
  std::string item_problem_;
  bool quiescing_ = false;  // calls may have been ended behind the worker's back
  std::set<std::string, std::less<>> watched_;  // URIs, for the next process to be told
  std::deque<std::pair<plugin::Clock::time_point, collet_call>> overdue_;

  std::thread thread_;
  std::unique_ptr<DiskWatch> disk_;  // null if nothing is to be watched
};

}  // namespace collet::worker
