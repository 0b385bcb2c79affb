// The life of a worker's processes: one is started, heard and ended, and then the next.
//
// When a process ends by itself, or is ended because it breaks the rules, every call that it had ends with the cause; then it
// is started again, after a time that doubles with each failure, until there have been too many: quarantine.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "plugin/replace/stage.h"
#include "plugin/run/thread.h"
#include "worker/host/frame_router.h"
#include "worker/host/process_link.h"
#include "worker/host/restarts.h"
#include "worker/host/running_worker.h"
#include "worker/host/worker_options.h"
#include "worker/host/worker_process.h"
#include "worker/talk/arena.h"
#include "worker/talk/opened.h"
#include "worker/walls/disk.h"

namespace collet::worker {

// Any thread, where nothing else is said.
class Supervisor {
 public:
  // What it works with; all is borrowed. The arena is there before start().
  struct Tools {
    const plugin::WorkerOrder& order;
    const WorkerOptions& options;
    const ArenaView& arena;
    ProcessLink& link;
    FrameRouter& router;
    ProcessStarter& processes;
    SteadyClock now = plugin::Clock::now;  // the link's
  };
  // Told on the supervisor's thread.
  struct Listener {
    // The first process has its plugin. Returns why that cannot be what a sound worker says, or an empty text.
    std::function<std::string(const Opened& opened)> opened;
    // The first process has no plugin; what that says of itself is known all the same, or empty. May be empty itself.
    std::function<void(std::string_view info)> refused;
    // A process is gone, or could not be started: "its worker process ended with exit code 1".
    std::function<void(const std::string& cause)> gone;
  };
  Supervisor(Tools tools, Listener listener);
  ~Supervisor();  // kill() and join()

  // Once: waits until the first process is up; fails if none comes.
  Result<void> start();
  // Has the process end by itself, and waits until it has.
  void stop();
  void kill(std::string_view why);
  // Waits for its thread, after stop() or kill().
  void join();

  // The configuration of its next process.
  void set_config(std::string_view config);

  bool is_quarantined() const;
  // Why there is nobody to answer.
  std::string down_words() const;
  // As plugin::Image has them.
  std::string condition() const;
  std::string item_problem() const;
  std::vector<std::string> last_end() const;

 private:
  enum class State : std::uint8_t { down, starting, up, quarantined, closing, closed };

  // Its thread.
  void look_after();
  std::string run_once();
  Result<std::unique_ptr<RunningWorker>> start_process();
  void serve(RunningWorker& running);
  int wait_ms(const RunningWorker& running, plugin::Clock::time_point until) const;
  std::string find_reason_to_kill(const RunningWorker& running);
  void tell_place();
  bool wait_to_restart(const std::string& cause);
  // Each returns why the frame cannot come from a sound worker, or an empty text.
  std::string take(RunningWorker& running, const FrameBuffer::Frame& frame);
  std::string take_opened(RunningWorker& running, std::string_view body);

  std::unique_ptr<DiskWatch> watch_disk();
  void note_denial(const std::string& denial);  // a guard's thread

  const plugin::WorkerOrder& order_;
  const WorkerOptions& options_;
  const ArenaView& arena_;
  ProcessLink& link_;
  FrameRouter& router_;
  ProcessStarter& processes_;
  const SteadyClock now_;
  const Listener listener_;

  // Of its thread.
  bool opened_once_ = false;
  Restarts restarts_;
  plugin::Clock::time_point started_;

  // Held while the link is told of what begins and ends, so that calls go to a process if, and only if, the state is `up`.
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  State state_ = State::down;
  std::string config_;
  pid_t spawned_ = 0;  // the process that was started; 0: none runs
  pid_t pid_ = 0;      // of who has the library, once it is up
  std::uint32_t incarnation_ = 0;
  std::string cause_;  // of the last end
  std::string item_problem_;
  std::vector<std::string> last_end_;

  std::thread thread_;
  std::unique_ptr<DiskWatch> disk_;  // null if nothing is to be watched
};

}  // namespace collet::worker
