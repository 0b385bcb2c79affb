// A host reduced to what plugins need: two loops, a registry that publishes to them, a loader.
#pragma once

#include <atomic>

#include "plugin/replace/loader.h"
#include "recorder.h"
#include "store/memory_records.h"
#include "store/memory_streams.h"
#include "support/catch.h"

namespace collet::plugin {

inline bool all_plugins(std::string_view) { return true; }

// Where the build put a test plugin.
inline std::string module_path(const std::string& name) {
  return std::string(COLLET_TEST_MODULES "/") + name + ".so";
}

// Options for tests that do not wait for any of these times to be over.
inline LoaderOptions patient_options() {
  LoaderOptions options;
  for (std::uint64_t* each :
       {&options.preflight_timeout_ms, &options.create_timeout_ms, &options.save_timeout_ms}) {
    *each = std::chrono::milliseconds(kPatience).count();
  }
  return options;
}

// The same tests run with plugins in this process and with plugins in workers: each test program has one of these.
extern const Placement kTestPlacement;
LoaderOptions test_options();
inline bool in_worker() { return kTestPlacement == Placement::worker; }

// Calls have so long to end by themselves, and then when they are asked to; what then remains is ended, however slow the machine is.
inline constexpr Patience kUnhurried{std::chrono::milliseconds(100), std::chrono::seconds(3), kPatience};

// Shows both where it does not.
inline bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

class House {
 public:
  explicit House(LoaderOptions options = test_options())
      : loader({&loops_[0].get(), &loops_[1].get()}, registry, with_store(std::move(options))) {
    registry.publish_to([this](registry::SnapshotPtr, unsigned changed, Callback<void()> adopted) {
      if (on_publish) on_publish(changed);
      // As the real publisher: once every loop has passed by.
      auto kept = std::make_shared<Callback<void()>>(std::move(adopted));
      loops_[0].get().post([this, kept] {
        loops_[1].get().post([kept] {
          if (*kept) (*kept)();
        });
      });
    });
  }
  ~House() {
    registry.publish_to({});
    for (RunningLoop& loop : loops_) loop.stop();
  }

  LoadReport load(const std::string& path, std::string config = "{}") {
    PluginSpec spec;
    spec.id = "p" + std::to_string(++loaded_);
    spec.library = path;
    spec.config = std::move(config);
    spec.placement = kTestPlacement;
    std::vector<PluginSpec> specs;
    specs.push_back(std::move(spec));
    return loader.load(std::move(specs)).front();
  }

  // Starts a call of the item on a loop; 0 if it has ended by then.
  CallId start(registry::Kind kind, const std::string& name, registry::Call call, registry::Listener& listener,
               unsigned loop = 0) {
    CallId id = 0;
    loops_[loop].run([&] {
      const auto snapshot = registry.current();
      const registry::Item* item = snapshot->find(kind, name);
      if (!item) throw std::runtime_error("no item " + name);
      call.handle = item->def->handle;
      call.loop = loop;
      if (call.name.empty()) call.name = item->def->name;
      id = item->provider->start(call, listener);
    });
    return id;
  }
  CallId start_tool(const std::string& name, std::string_view arguments, registry::Listener& listener,
                    unsigned loop = 0) {
    registry::Call call;
    call.arguments = arguments;
    return start(registry::Kind::tool, name, call, listener, loop);
  }
  registry::Ending call_tool(const std::string& name, std::string_view arguments = "{}") {
    Recorder recorder;
    start_tool(name, arguments, recorder);
    return recorder.wait_end();
  }
  void cancel(const std::string& name, CallId id, registry::CancelReason reason) {
    loops_[0].run([&] { registry.current()->find(registry::Kind::tool, name)->provider->cancel(id, reason); });
  }
  RunningLoop& loop(unsigned index) { return loops_[index]; }

  // Ends all plugins; whether all have ended.
  bool ends(Loader::Loops loops = Loader::Loops::running) { return loader.shutdown(kUnhurried, loops).empty(); }

 private:
  LoaderOptions with_store(LoaderOptions options) {
    options.records = records.get();
    options.streams = streams.get();
    return options;
  }

  RunningLoop loops_[2];
  int loaded_ = 0;

 public:
  std::function<void(unsigned changed)> on_publish;
  // On the heap: on the stack ThreadSanitizer takes its mutexes for those that another test had at the same place.
  const std::unique_ptr<registry::Registry> registry_on_heap = std::make_unique<registry::Registry>();
  registry::Registry& registry = *registry_on_heap;
  const std::unique_ptr<store::MemoryRecords> records = std::make_unique<store::MemoryRecords>();
  const std::unique_ptr<store::MemoryStreams> streams = std::make_unique<store::MemoryStreams>();
  Loader loader;
};

}  // namespace collet::plugin
