#include "plugin/run/own_threads.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <fstream>

#include "base/assert.h"
#include "base/limits.h"
#include "plugin/crash/alternate_stack.h"

namespace collet::plugin {

// One of them, from before its beginning to its end.
class OwnThread {
 public:
  using Body = void* (*)(void*);

  OwnThread(OwnThreads& plugin, Body body, void* argument)
      : plugin_(plugin.shared_from_this()), body_(body), argument_(argument) {
    const std::lock_guard lock(plugin_->mutex_);
    ++plugin_->running_;
  }
  ~OwnThread() {
    const std::lock_guard lock(plugin_->mutex_);
    plugin_->ids_.erase(id_);
    --plugin_->running_;
    plugin_->changed_.notify_all();
  }
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

  // As its body. It ends with the thread, in whatever way that does.
  static void* run(void* self) {
    auto* thread = static_cast<OwnThread*>(self);
    pthread_setspecific(key(), thread);
    {
      const std::lock_guard lock(thread->plugin_->mutex_);
      thread->id_ = gettid();
      thread->plugin_->ids_.insert(thread->id_);
    }
    const crash::AlternateStack stack;
    const OwnThreads::Inside inside(thread->plugin_.get(), {"a thread of its own"});
    return thread->body_(thread->argument_);
  }

  static pthread_key_t key() {
    static const pthread_key_t key = [] {
      pthread_key_t made;
      COLLET_ASSERT(pthread_key_create(&made, end) == 0);
      return made;
    }();
    return key;
  }

 private:
  // Late among the rounds of destructors, since those of the plugin's keys are its code, too. In the last one a
  // sanitizer takes its leave of the thread.
  static void end(void* self) {
    constexpr int kRounds = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
    auto* thread = static_cast<OwnThread*>(self);
    if (++thread->rounds_ < kRounds && pthread_setspecific(key(), thread) == 0) return;
    delete thread;
  }

  const std::shared_ptr<OwnThreads> plugin_;
  const Body body_;
  void* const argument_;
  pid_t id_ = 0;
  int rounds_ = 0;
};

unsigned OwnThreads::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

bool OwnThreads::wait() {
  const auto deadline = Clock::now() + std::chrono::milliseconds(limits::kOwnThreadsMs);
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return running_ == 0; });
}

std::string OwnThreads::describe() const {
  const std::lock_guard lock(mutex_);
  std::string names;
  for (const pid_t id : ids_) {
    std::ifstream file(fmt::format("/proc/self/task/{}/comm", id));
    std::string name;
    std::getline(file, name);
    names += (names.empty() ? ": " : ", ") + name;
  }
  return fmt::format("{} that it has started still run{}{}",
                     running_ == 1 ? "a thread" : fmt::format("{} threads", running_), running_ == 1 ? "s" : "",
                     names);
}

}  // namespace collet::plugin

using collet::plugin::OwnThread;
using collet::plugin::OwnThreads;

extern "C" int pthread_create(pthread_t* id, const pthread_attr_t* attributes, void* (*body)(void*),
                              void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  OwnThreads* const plugin = OwnThreads::current();
  if (!plugin) return create(id, attributes, body, argument);
  OwnThread::key();
  auto* thread = new (std::nothrow) OwnThread(*plugin, body, argument);
  if (!thread) return EAGAIN;
  const int failed = create(id, attributes, OwnThread::run, thread);
  if (failed != 0) delete thread;
  return failed;
}
