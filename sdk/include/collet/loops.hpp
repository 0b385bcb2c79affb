// Input and output on the host's loops, for plugins whose items are nonblocking: collet.loop/1, whose header says what a callback
// [loop] may do and how long one can come.
//
//   auto& loops = plugin.keep<collet::Loops>(plugin);
//   …inside of a nonblocking tool…  wait = loops.watch(descriptor, COLLET_LOOP_READABLE, [](std::uint32_t) { … });
#ifndef COLLET_LOOPS_HPP
#define COLLET_LOOPS_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include <collet/ext/loop.h>
#include <collet/plugin.hpp>

namespace collet::inline v1 {

// Made while the plugin is created, by plugin.keep<Loops>(plugin). Functions throw Error for what the host refuses.
class Loops {
  struct Ready : std::enable_shared_from_this<Ready> {
    const Loops* loops = nullptr;  // while callbacks come
    const collet_host* host = nullptr;  // these two for longer
    const collet_loop* loop = nullptr;
    std::function<void(std::uint32_t)> run;
  };

 public:
  explicit Loops(const Plugin& plugin)
      : host_(plugin.host()), loop_(host_.extension<collet_loop>(COLLET_EXT_LOOP)),
        logger_(detail::view(collet_plugin_entry_v1()->id)) {}
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;

  // [any] False in a worker and in a trial: then every other function throws.
  bool offered() const { return loop_ != nullptr; }
  // [any]
  unsigned count() const { return loop_ ? static_cast<unsigned>(loop_->count(host_.table())) : 0; }
  // [any] The loop whose thread this is.
  std::optional<unsigned> current() const {
    const std::int32_t number = loop_ ? loop_->current(host_.table()) : COLLET_E_UNSUPPORTED;
    if (number < 0) return std::nullopt;
    return static_cast<unsigned>(number);
  }

  // [any] Runs `task` on that loop, later. What has not run when the generation ends is dropped.
  void post(unsigned loop, std::function<void()> task) {
    auto posted = std::make_unique<Posted>(Posted{this, std::move(task)});
    Posted* const key = posted.get();
    {
      const std::lock_guard lock(mutex_);
      posted_.emplace(key, std::move(posted));
    }
    const std::int32_t status = loop_ ? loop_->post(host_.table(), loop, run_posted, key) : COLLET_E_UNSUPPORTED;
    if (status >= 0) return;
    take(key);
    throw Error(std::string("cannot post to a loop: ") + detail::status_text(status));
  }

  // A watch or a timer, until it is destroyed: on its loop, also from inside of its callback, or in the plugin's destruction.
  class Wait {
   public:
    Wait() = default;
    Wait(Wait&& other) noexcept : ready_(std::move(other.ready_)), id_(std::exchange(other.id_, 0)) {}
    Wait& operator=(Wait&& other) noexcept {
      std::swap(ready_, other.ready_), std::swap(id_, other.id_);
      return *this;
    }
    ~Wait() {
      if (id_) ready_->loop->unwait(ready_->host, id_);
    }
    explicit operator bool() const { return id_ != 0; }

   private:
    friend class Loops;
    std::shared_ptr<Ready> ready_;
    collet_loop_wait id_ = 0;
  };

  // [loop] Calls `ready` with what the descriptor is ready for, again and again: COLLET_LOOP_*. The descriptor stays open until the
  // Wait is destroyed.
  [[nodiscard]] Wait watch(std::int64_t descriptor, std::uint32_t events, std::function<void(std::uint32_t events)> ready) const {
    return begin("watch a descriptor", std::move(ready), [&](Ready& waiting, collet_loop_wait* out) {
      return loop_->watch(host_.table(), descriptor, events, run_ready, &waiting, out);
    });
  }
  // [loop] From now on for these events; 0: for none at present.
  void rewatch(const Wait& wait, std::uint32_t events) const {
    const std::int32_t status = loop_ ? loop_->rewatch(host_.table(), wait.id_, events) : COLLET_E_UNSUPPORTED;
    if (status < 0) throw Error(std::string("cannot watch a descriptor: ") + detail::status_text(status));
  }
  // [loop] Calls `task` once, after that time.
  [[nodiscard]] Wait after(std::chrono::milliseconds time, std::function<void()> task) const {
    const auto ms = static_cast<std::uint64_t>(std::max<std::chrono::milliseconds::rep>(time.count(), 0));
    return begin("start a timer", [task = std::move(task)](std::uint32_t) { task(); }, [&](Ready& waiting, collet_loop_wait* out) {
      return loop_->start_timer(host_.table(), ms, run_timer, &waiting, out);
    });
  }

 private:
  struct Posted {
    Loops* loops;
    std::function<void()> run;
  };

  template <class Start>
  Wait begin(const char* action, std::function<void(std::uint32_t)> run, Start&& start) const {
    Wait wait;
    wait.ready_ = std::make_shared<Ready>();
    wait.ready_->loops = this;
    wait.ready_->host = host_.table();
    wait.ready_->loop = loop_;
    wait.ready_->run = std::move(run);
    const std::int32_t status = loop_ ? start(*wait.ready_, &wait.id_) : COLLET_E_UNSUPPORTED;
    if (status >= 0) return wait;
    wait.id_ = 0;
    throw Error(std::string("cannot ") + action + ": " + detail::status_text(status));
  }

  std::unique_ptr<Posted> take(Posted* key) {
    const std::lock_guard lock(mutex_);
    const auto found = posted_.find(key);
    return found == posted_.end() ? nullptr : std::move(posted_.extract(found).mapped());
  }

  template <class Body>
  void guard(Body&& body) const noexcept {
    host_.guard(logger_, [&] { return body(), COLLET_OK; });
  }
  static void run_posted(void* context) noexcept {
    auto* const posted = static_cast<Posted*>(context);
    const Loops* const loops = posted->loops;
    loops->guard([&] { posted->loops->take(posted)->run(); });
  }
  // The callback may destroy its Wait.
  static void run_ready(void* context, std::uint32_t events) noexcept {
    const auto kept = static_cast<Ready*>(context)->shared_from_this();
    kept->loops->guard([&] { kept->run(events); });
  }
  static void run_timer(void* context) noexcept { run_ready(context, 0); }

  const detail::Host host_;
  const collet_loop* loop_;
  const std::string_view logger_;
  std::mutex mutex_;  // guards posted_
  std::unordered_map<Posted*, std::unique_ptr<Posted>> posted_;
};

}  // namespace collet::inline v1

#endif
