// The threads that a plugin's code starts by itself. Its library must stay mapped as long as one of them runs.
//
// A thread is the plugin's own if it is started by one that was running the plugin's code, or by another one of its
// own: for this the executable has a pthread_create() that takes the place of the system's, in libraries too.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "plugin/crash/place.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

class OwnThreads : public std::enable_shared_from_this<OwnThreads> {  // shared by the generation and the threads
 public:
  // `plugin` is its name in the configuration.
  explicit OwnThreads(std::string plugin = {}) : plugin_(std::move(plugin)) {}

  // While this lives the calling thread runs code of that plugin; of none, if null.
  class Inside {
   public:
    explicit Inside(OwnThreads* plugin, const crash::Within& within = {})
        : before_(std::exchange(inside_, plugin)), place_(plugin ? plugin->plugin_ : std::string_view(), within) {}
    ~Inside() { inside_ = before_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    OwnThreads* const before_;
    const crash::Place place_;
  };

  // Of the plugin whose code the calling thread runs, or null.
  static OwnThreads* current() { return inside_; }

  // [any]
  unsigned running() const;
  // Waits a moment (kOwnThreadsMs) until none runs any more; false if one still does.
  bool wait();
  // "2 threads that it has started still run: poller, poller".
  std::string describe() const;

 private:
  friend class OwnThread;
  static inline constinit thread_local OwnThreads* inside_ = nullptr;

  const std::string plugin_;
  mutable std::mutex mutex_;  // guards both below
  std::condition_variable changed_;
  unsigned running_ = 0;  // also those that are about to begin
  std::set<pid_t> ids_;
};

}  // namespace collet::plugin
