// What the C++ layer keeps of its host: the table, and who waits for a call to be cancelled. Not for authors.
#ifndef COLLET_RUNTIME_HPP
#define COLLET_RUNTIME_HPP

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <collet/plugin.h>
#include <collet/json.hpp>

namespace collet::inline v1 {

enum class Level : std::uint32_t { emergency, alert, critical, error, warning, notice, info, debug };

namespace detail {

inline std::string_view view(collet_str text) { return {text.data, text.data ? text.size : 0}; }
inline collet_str str(std::string_view text) { return {text.data(), text.size()}; }

inline const char* status_text(std::int32_t status) {
  switch (status) {
    case COLLET_E_INVALID:
      return "malformed";
    case COLLET_E_STALE:
      return "it is gone";
    case COLLET_E_LIMIT:
      return "a limit of the host is hit";
    case COLLET_E_STATE:
      return "not possible now";
    case COLLET_E_UNSUPPORTED:
      return "not supported by this host or client";
    case COLLET_E_DUPLICATE:
      return "that name is taken";
    default:
      return "an error inside the host";
  }
}

// The host's table as this header knows it. What an older host lacks answers COLLET_E_UNSUPPORTED.
class Host {
 public:
  // False if `table` lacks what no plugin can do without.
  static bool suits(const collet_host* table) {
    return table && table->struct_size >= offsetof(collet_host, fail) + sizeof table->fail;
  }

  explicit Host(const collet_host* table) : table_(table) {
    // A slot that the table holds only a part of is none.
    const std::size_t whole = table->struct_size / sizeof(void*) * sizeof(void*);
    std::memcpy(static_cast<void*>(&slots_), table, std::min(whole, sizeof slots_));
    fill(slots_.item_add, slots_.item_remove, slots_.items_commit, slots_.resource_updated, slots_.add_text,
         slots_.add_json, slots_.add_blob, slots_.set_structured, slots_.set_meta, slots_.set_field,
         slots_.complete, slots_.fail, slots_.suspend, slots_.need_input, slots_.progress, slots_.log,
         slots_.is_cancelled, slots_.call_info, slots_.blob_new, slots_.blob_drop, slots_.get_extension);
  }

  const collet_host* table() const { return table_; }

  // host(&collet_host::add_text, id, text, size)
  template <class R, class... A, class... B>
  R operator()(R (*collet_host::*slot)(const collet_host*, A...), B... arguments) const {
    return (slots_.*slot)(table_, arguments...);
  }

  // The extension's table, or null if this host has it not.
  template <class Table>
  const Table* extension(std::string_view id) const {
    const auto* table = static_cast<const Table*>((*this)(&collet_host::get_extension, id.data(), id.size()));
    return table && table->struct_size >= sizeof(Table) ? table : nullptr;
  }

  void log(collet_call call, Level level, std::string_view logger, std::string_view text) const noexcept {
    try {
      std::string data;
      append_json(data, text);
      (*this)(&collet_host::log, call, static_cast<std::uint32_t>(level), logger.data(), logger.size(), data.data(),
              data.size());
    } catch (const std::bad_alloc&) {
      // There is nobody left to tell.
    }
  }

  // Runs `body`, whose result is a status. What it throws has nobody to tell but the log.
  template <class Body>
  std::int32_t guard(std::string_view logger, Body&& body) const noexcept {
    try {
      return body();
    } catch (const std::exception& error) {
      log(0, Level::error, logger, error.what());
    } catch (...) {
      log(0, Level::error, logger, "it failed for a reason that is no std::exception");
    }
    return COLLET_E_INTERNAL;
  }

 private:
  template <class R, class... A>
  static void fill_one(R (*&slot)(A...)) {
    if (slot) return;
    slot = [](A...) -> R {
      if constexpr (std::is_pointer_v<R>) {
        return nullptr;
      } else {
        return COLLET_E_UNSUPPORTED;
      }
    };
  }
  template <class... Slots>
  static void fill(Slots&... slots) {
    (fill_one(slots), ...);
  }

  const collet_host* table_;
  collet_host slots_{};
};

// What is to run when a call is cancelled. Runs at most once, and not once ended() has returned.
class Cancellation {
 public:
  explicit Cancellation(std::function<void()> callback) : callback_(std::move(callback)) {}

  void run() {
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      over_ = true;
      runner_ = std::this_thread::get_id();
    }
    try {
      callback_();
    } catch (...) {
      // A callback that fails has nobody to tell; the call itself still ends.
    }
    const std::lock_guard lock(mutex_);
    runner_ = {};
    idle_.notify_all();
  }

  // Waits for a callback that runs on another thread; the callback itself may end the call.
  void ended() {
    std::unique_lock lock(mutex_);
    over_ = true;
    idle_.wait(lock, [this] { return runner_ == std::thread::id() || runner_ == std::this_thread::get_id(); });
  }

 private:
  std::function<void()> callback_;
  std::mutex mutex_;  // guards the two below
  bool over_ = false;
  std::thread::id runner_;
  std::condition_variable idle_;
};

// What the calls of one plugin instance share.
struct Runtime {
  explicit Runtime(const collet_host* table, std::string_view plugin_id) : host(table), logger(plugin_id) {}

  std::shared_ptr<Cancellation> watch(collet_call call, std::function<void()> callback) {
    auto cancellation = std::make_shared<Cancellation>(std::move(callback));
    const std::lock_guard lock(mutex);
    cancellations[call] = cancellation;
    return cancellation;
  }
  void unwatch(collet_call call, Cancellation& cancellation) {
    {
      const std::lock_guard lock(mutex);
      cancellations.erase(call);
    }
    cancellation.ended();
  }
  // [any]
  void cancel(collet_call call) {
    std::shared_ptr<Cancellation> found;
    {
      const std::lock_guard lock(mutex);
      if (const auto at = cancellations.find(call); at != cancellations.end()) found = at->second;
    }
    if (found) found->run();
  }

  Host host;
  std::string_view logger;
  std::mutex mutex;  // guards cancellations
  std::unordered_map<collet_call, std::shared_ptr<Cancellation>> cancellations;
};

}  // namespace detail

}  // namespace collet::inline v1

#endif
