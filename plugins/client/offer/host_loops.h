// The host's loops as this plugin sees them: collet.loop/1, with C++ types.
#pragma once

#include <collet/ext/loop.h>
#include <collet/plugin.h>

#include <cstdint>
#include <optional>

namespace collet::client {

class HostLoops {
 public:
  // Both are borrowed.
  HostLoops(const collet_host* table, const collet_loop* functions) : table_(table), functions_(functions) {}

  // [any]
  unsigned count() const { return static_cast<unsigned>(functions_->count(table_)); }
  // [any] Nothing: this thread is no loop's.
  std::optional<unsigned> current() const {
    const std::int32_t index = functions_->current(table_);
    return index < 0 ? std::nullopt : std::optional(static_cast<unsigned>(index));
  }
  // [any] False: the task will not run.
  bool post(unsigned loop, collet_loop_task task, void* context) const {
    return functions_->post(table_, loop, task, context) == COLLET_OK;
  }

  // [loop] 0: it cannot be done.
  collet_loop_wait watch(int descriptor, std::uint32_t events, collet_loop_ready ready, void* context) const {
    collet_loop_wait wait = 0;
    return functions_->watch(table_, descriptor, events, ready, context, &wait) == COLLET_OK ? wait : 0;
  }
  bool rewatch(collet_loop_wait wait, std::uint32_t events) const {
    return functions_->rewatch(table_, wait, events) == COLLET_OK;
  }
  collet_loop_wait start_timer(std::uint64_t after_ms, collet_loop_task task, void* context) const {
    collet_loop_wait wait = 0;
    return functions_->start_timer(table_, after_ms, task, context, &wait) == COLLET_OK ? wait : 0;
  }
  // When the generation ends, everything has been taken away already.
  void unwait(collet_loop_wait wait) const { functions_->unwait(table_, wait); }

 private:
  const collet_host* table_;
  const collet_loop* functions_;
};

}  // namespace collet::client
