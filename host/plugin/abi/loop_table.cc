#include "plugin/abi/loop_table.h"

#include "loop/descriptor_watch.h"
#include "plugin/abi/entered.h"
#include "plugin/run/loop_work.h"

namespace collet::plugin {
namespace {

static_assert(COLLET_LOOP_READABLE == loop::DescriptorWatch::kReadable &&
              COLLET_LOOP_WRITABLE == loop::DescriptorWatch::kWritable);

constexpr std::uint32_t kEvents = COLLET_LOOP_READABLE | COLLET_LOOP_WRITABLE;

template <class Body>
std::int32_t with_work(const collet_host* host, Body&& body) {
  return entered(host,
                 [&](HostSide& side) { return side.loop_work ? body(*side.loop_work) : COLLET_E_UNSUPPORTED; });
}

std::int32_t count(const collet_host* host) {
  return with_work(host, [](LoopWork& work) { return work.count(); });
}

std::int32_t current(const collet_host* host) {
  return with_work(host, [](LoopWork& work) { return work.current(); });
}

std::int32_t post(const collet_host* host, std::uint32_t loop, collet_loop_task task, void* context) {
  return with_work(host, [&](LoopWork& work) {
    return task ? work.post(loop, [task, context] { task(context); }) : COLLET_E_INVALID;
  });
}

std::int32_t watch(const collet_host* host, std::int64_t descriptor, std::uint32_t events, collet_loop_ready ready,
                   void* context, collet_loop_wait* out) {
  return with_work(host, [&](LoopWork& work) -> std::int32_t {
    const bool is_descriptor = descriptor >= 0 && descriptor <= std::numeric_limits<int>::max();
    if (!ready || !out || !is_descriptor || (events & ~kEvents)) return COLLET_E_INVALID;
    return work.watch(
        static_cast<int>(descriptor), events, [ready, context](unsigned what) { ready(context, what); }, *out);
  });
}

std::int32_t rewatch(const collet_host* host, collet_loop_wait watch, std::uint32_t events) {
  return with_work(
      host, [&](LoopWork& work) { return events & ~kEvents ? COLLET_E_INVALID : work.rewatch(watch, events); });
}

std::int32_t start_timer(const collet_host* host, std::uint64_t after_ms, collet_loop_task task, void* context,
                         collet_loop_wait* out) {
  return with_work(host, [&](LoopWork& work) -> std::int32_t {
    if (!task || !out) return COLLET_E_INVALID;
    return work.start_timer(
        after_ms, [task, context] { task(context); }, *out);
  });
}

std::int32_t unwait(const collet_host* host, collet_loop_wait wait) {
  return with_work(host, [&](LoopWork& work) { return work.unwait(wait); });
}

}  // namespace

const collet_loop kLoopTable = {.struct_size = sizeof(collet_loop),
                                .reserved = 0,
                                .count = count,
                                .current = current,
                                .post = post,
                                .watch = watch,
                                .rewatch = rewatch,
                                .start_timer = start_timer,
                                .unwait = unwait};

}  // namespace collet::plugin
