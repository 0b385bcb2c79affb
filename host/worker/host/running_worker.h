// One process of a worker and what belongs to it: its socket, what it writes, its control group and its guard.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"
#include "plugin/replace/stage.h"
#include "worker/host/guard.h"
#include "worker/host/worker_log.h"
#include "worker/host/worker_options.h"
#include "worker/host/worker_process.h"
#include "worker/talk/frame.h"
#include "worker/walls/control_group.h"

namespace collet::worker {

// Belongs to the thread that starts it, with which the process dies.
class RunningWorker {
 public:
  // On the guard's thread: something was denied.
  using Denied = std::function<void(const std::string& denial)>;
  // Order and options are borrowed. `arena` is the memory that it shares with the host.
  static Result<std::unique_ptr<RunningWorker>> start(const plugin::WorkerOrder& order, const WorkerOptions& options,
                                                      ProcessStarter& processes, int arena, Denied denied);
  RunningWorker(const RunningWorker&) = delete;
  RunningWorker& operator=(const RunningWorker&) = delete;

  pid_t pid() const { return process_->pid(); }
  // Of the process that the library is in, once it is loaded.
  pid_t pid_of_library() const { return process_->pid_of_library(); }
  // What the host could not be brought to enforce, in words, or empty.
  const std::string& unenforced() const { return unenforced_; }
  bool threads_are_counted() const { return group_.limits_threads(); }

  // Readable when it says something; when it has ended; when it has written something (-1: it will not any more).
  int socket() const { return socket_.get(); }
  int ended() const { return end_of_process_; }
  int output() const { return log_->descriptor(); }

  // Logs what it has written.
  void read_output() { log_->read(); }
  void set_ended(bool ended) { ended_ = ended; }
  // Shows `take(frame)` all frames that are there, also what the process has left behind, until it is of no use any more. What
  // that returns is why the frame cannot come from a sound worker, or an empty text.
  template <class Take>
  void receive(Take&& take) {
    for (bool more = true; more;) {
      if (!read(more)) return;
      while (const auto frame = input_.next()) {
        if (const std::string reason = take(*frame); !reason.empty()) condemn(reason);
        if (!cause_.empty()) return;
      }
      if (input_.broken()) return condemn("it sent a frame that is larger than the limit");
    }
  }

  // Its plugin is there.
  bool is_open() const { return open_; }
  void set_open() { open_ = true; }
  bool has_guard() const { return guard_ != nullptr; }

  // It cannot be used: "its create() …".
  void give_up(std::string cause) { cause_ = std::move(cause); }
  // As give_up(): "its worker process was killed: …".
  void condemn(std::string_view reason);
  bool is_of_use() const { return !ended_ && cause_.empty(); }

  // Once, at last: kills it, unless it has ended by itself, and waits for its end. Returns why that came: what it was given up
  // for, or how it ended.
  std::string end();

 private:
  RunningWorker(const plugin::WorkerOrder& order, const WorkerOptions& options, Denied denied,
                std::unique_ptr<WorkerProcess> process, Descriptor socket)
      : order_(order),
        options_(options),
        denied_(std::move(denied)),
        process_(std::move(process)),
        end_of_process_(process_->ended()),
        socket_(std::move(socket)) {}

  // False if nothing has come. `more`: perhaps that was not all.
  bool read(bool& more);
  ssize_t read_first(char* to, std::size_t room);

  const plugin::WorkerOrder& order_;
  const WorkerOptions& options_;
  const Denied denied_;
  std::string unenforced_;
  ControlGroup group_;  // outlives the process
  const std::unique_ptr<WorkerProcess> process_;
  const int end_of_process_;  // its ended()
  const Descriptor socket_;
  std::unique_ptr<WorkerLog> log_;
  FrameBuffer input_;
  std::unique_ptr<Guard> guard_;  // null if its calls do not ask, or not yet
  bool open_ = false;
  bool ended_ = false;  // by itself
  std::string cause_;   // why it was given up, or empty
};

}  // namespace collet::worker
