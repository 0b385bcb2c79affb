// extended.c once more, in C++: a plugin that uses or offers every extension there is.
#include <collet/plugin.hpp>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

namespace {

struct Said {
  void note(std::string_view what, std::string_view text) {
    const std::lock_guard lock(mutex);
    note_locked(what, text);
  }
  void note_locked(std::string_view what, std::string_view text) { all += std::string(what) + ' ' + std::string(text) + ';'; }
  std::string get() {
    const std::lock_guard lock(mutex);
    return all;
  }
  void hold(bool now) {
    const std::lock_guard lock(mutex);
    held = now;
    changed.notify_all();
  }

  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  bool held = false;  // status() does not return
  std::string all;    // to it, one behind the other
};

struct Messages {
  collet::Json messages;
  std::string description;
};

}  // namespace

COLLET_FIELDS(Messages, messages, description);

COLLET_PLUGIN("org.example.extended", "1.0.0", plugin) {
  auto& said = plugin.keep<Said>();
  if (plugin.prior_state() && plugin.prior_state_version() == 5) said.note("prior", *plugin.prior_state());
  const auto relay = [](collet::Call& call) {  // the arguments are the result
    call.text("earlier");
    return collet::Whole{{std::string(call.arguments())}};
  };
  plugin.raw_tool("relay", {"{}"}, relay);
  plugin.resource("extended://relay", "relay", "", relay);
  plugin.prompt<Messages>("relay", "", [relay](const Messages&, collet::Call& call) { return relay(call); });
  plugin.tool("stream", "", [&said](collet::Call& call) {
    call.close_stream(std::chrono::milliseconds(250));
    return said.get();
  });
  plugin.tool("said", "", [&said] { return said.get(); });
  plugin.tool("crash", "", []() -> int { std::abort(); });
  plugin.raw_tool("instruct", {"{}"}, [&said, items = plugin.items()](collet::Call& call) mutable {
    items.instructions(call.arguments());
    return said.get();
  });
  plugin.tool("hold", "", [&said] { return said.hold(true), said.get(); });
  plugin.tool("let_go", "", [&said] { return said.hold(false), said.get(); });
  plugin.tool("changed", "", [&said, items = plugin.items()]() mutable {
    items.status_changed();
    return said.get();
  });
  plugin.instructions("as created");

  plugin.on_save(5, [&said] { return said.get(); });
  plugin.on_reconfigure([&said](std::string_view config) { said.note("config", config); });
  plugin.on_status([&said] {
    std::unique_lock lock(said.mutex);
    if (said.held) said.note_locked("status", "");
    said.changed.wait(lock, [&] { return !said.held; });
    return collet::Json{R"({"mood":"good"})"};
  });
  plugin.on_watch([&said](std::string_view uri, bool watched) { said.note(watched ? "watch" : "unwatch", uri); });
}
