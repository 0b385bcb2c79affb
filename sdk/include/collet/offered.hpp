// What a plugin offers its host beyond items: state for its next generation, new configurations, its health, what clients
// watch. Set in the plugin's body: plugin.on_save() and so on. Not for authors.
#ifndef COLLET_OFFERED_HPP
#define COLLET_OFFERED_HPP

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include <collet/ext/reconfigure.h>
#include <collet/ext/save_state.h>
#include <collet/ext/status.h>
#include <collet/ext/watch.h>
#include <collet/runtime.hpp>

namespace collet::inline v1::detail {

// Of one instance; constant once it is created. Empty: not offered.
struct Offered {
  std::function<std::string()> save;
  std::uint32_t save_version = 0;
  std::function<void(std::string_view)> reconfigure;
  std::function<Json()> status;
  std::function<void(std::string_view, bool)> watch;
};

// The tables that the host asks the library for, of the instance that lives: a generation has a library of its own. Instance has
// `host`, `logger` and `offered`. Owner is a function of the plugin's that no other library has: nor has one these tables then.
template <class Instance, auto Owner>
class OfferedTables {
 public:
  static void created(Instance* instance) {
    saving().version = instance->offered.save_version;
    current() = instance;
  }
  static void destroyed(Instance* instance) {
    current().compare_exchange_strong(instance, nullptr);  // unless there is another one by now
  }

  // Null: it is none of these, or is not offered.
  static const void* find(std::string_view id) {
    const Instance* instance = current();
    if (!instance) return nullptr;
    const Offered& offered = instance->offered;
    static const collet_reconfigure reconfiguring{sizeof reconfiguring, 0, reconfigure};
    static const collet_status reporting{sizeof reporting, 0, status};
    static const collet_watch watching{sizeof watching, 0, watch};
    if (id == COLLET_EXT_SAVE_STATE) return offered.save ? &saving() : nullptr;
    if (id == COLLET_EXT_RECONFIGURE) return offered.reconfigure ? &reconfiguring : nullptr;
    if (id == COLLET_EXT_STATUS) return offered.status ? &reporting : nullptr;
    if (id == COLLET_EXT_WATCH) return offered.watch ? &watching : nullptr;
    return nullptr;
  }

 private:
  static collet_save_state& saving() {
    static collet_save_state table{sizeof table, 0, save};
    return table;
  }
  static std::atomic<Instance*>& current() {
    static std::atomic<Instance*> instance{nullptr};
    return instance;
  }

  // What is thrown is logged, and refuses what was asked.
  template <class Body>
  static std::int32_t guard(void* self, Body&& body) noexcept {
    const Instance& instance = *static_cast<Instance*>(self);
    return instance.host.guard(instance.logger, [&] { return body(instance.offered); });
  }

  static std::int32_t save(void* self, collet_state_write write, void* to) noexcept {
    return guard(self, [&](const Offered& offered) {
      const std::string state = offered.save();
      return write(to, state.data(), state.size());
    });
  }
  static std::int32_t reconfigure(void* self, const char* config, std::size_t size) noexcept {
    return guard(self, [&](const Offered& offered) {
      offered.reconfigure(std::string_view(config, size));
      return COLLET_OK;
    });
  }
  static std::int32_t status(void* self, void (*take)(void*, const char*, std::size_t), void* context) noexcept {
    return guard(self, [&](const Offered& offered) {
      const Json health = offered.status();
      take(context, health.text.data(), health.text.size());
      return COLLET_OK;
    });
  }
  static void watch(void* self, const char* uri, std::size_t size, std::uint32_t watched) noexcept {
    guard(self, [&](const Offered& offered) {
      offered.watch(std::string_view(uri, size), watched != 0);
      return COLLET_OK;
    });
  }
};

}  // namespace collet::inline v1::detail

#endif
