// waiter.c once more, in C++: a tool that ends on the loop that called it, when something comes through a descriptor.
#include <collet/loops.hpp>
#include <unistd.h>

#include <list>

namespace {

struct Descriptor {
  std::int64_t descriptor;
};

// Calls that wait; each belongs to the loop where it waits.
struct Waiting {
  collet::PendingCall call;
  collet::Loops::Wait wait = {};
};
struct All {
  std::mutex mutex;  // guards the list, whose elements stay where they are
  std::list<Waiting> waiting;
};

// Goes on for as long as the generation lives.
struct Ticking {
  explicit Ticking(collet::Loops& on) : loops(on) {}
  void again() {
    wait = loops.after(std::chrono::milliseconds(0), [this] { again(); });
  }

  collet::Loops& loops;
  collet::Loops::Wait wait = {};
};

}  // namespace

COLLET_FIELDS(Descriptor, descriptor);

COLLET_PLUGIN("org.example.waiter", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT) {
  auto& loops = plugin.keep<collet::Loops>(plugin);
  auto& all = plugin.keep<All>();
  if (!loops.offered() && !plugin.probing()) throw collet::Error("COLLET_E_UNSUPPORTED: it works on loops");
  plugin.tool<Descriptor>("wait", "Waits for a descriptor", [&](const Descriptor& in, collet::Call& call) {
    std::list<Waiting> one;
    one.push_back({call.defer()});
    const auto at = one.begin();
    at->wait = loops.watch(in.descriptor, COLLET_LOOP_READABLE,
                           [&, at, descriptor = in.descriptor, here = loops.current()](std::uint32_t events) {
                             char text[64];
                             const auto got = read(static_cast<int>(descriptor), text, sizeof text);
                             if (events == COLLET_LOOP_READABLE && got > 0) at->call.text({text, static_cast<std::size_t>(got)});
                             at->call.text(loops.current() == here ? "here" : "elsewhere");
                             at->call.finish();
                             std::list<Waiting> over;  // destroyed when the lock is free
                             const std::lock_guard lock(all.mutex);
                             over.splice(over.end(), all.waiting, at);
                           });
    const std::lock_guard lock(all.mutex);
    all.waiting.splice(all.waiting.end(), one);
  }, {.nonblocking = true});
  if (!loops.offered()) return;
  auto& ticking = plugin.keep<Ticking>(loops);
  loops.post(1, [&ticking] { ticking.again(); });
}
