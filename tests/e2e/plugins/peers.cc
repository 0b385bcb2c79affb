// Lists and calls what others offer, as whoever calls it.
#include <collet/peers.hpp>

namespace {

struct Wanted {
  std::string tool;
  collet::Json arguments;
};

}  // namespace

COLLET_FIELDS(Wanted, tool, arguments);

COLLET_PLUGIN("org.example.peers", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT) {
  auto& peers = plugin.keep<collet::Peers>(plugin);
  plugin.tool<Wanted>("relay", "Calls a tool for you", [&peers](const Wanted& in, collet::Call& call) {
    return peers.relay(call, {.name = in.tool, .arguments = in.arguments, .progress = [&call](double done, double total, std::string_view message) {
                                call.progress(done, total, message);
                              }});
  });
  plugin.tool<Wanted>("relay_own", "Calls a tool of its own accord", [&peers](const Wanted& in, collet::Call&) -> collet::Whole {
    collet::Outcome outcome = peers.call(collet::as_plugin, {.name = in.tool, .arguments = in.arguments});
    if (outcome.suspended()) throw collet::ToolError("it asks what only a client could answer");
    if (!outcome.completed()) throw collet::ToolError(outcome.message);
    return {std::move(outcome.result)};
  });
  plugin.tool("names", "The tools that you may call", [&peers](collet::Call& call) { return peers.list(call); });
  plugin.tool<Wanted>("relay_later", "Calls a tool, and keeps no thread meanwhile", [&peers](const Wanted& in, collet::Call& call) {
    auto pending = std::make_unique<collet::PendingCall>(call.defer());
    const collet::Inside inside(*pending);
    peers.begin(inside, {.name = in.tool, .arguments = in.arguments}, [pending = std::move(pending)](collet::Outcome outcome) {
      // Who it was for may be gone, and is still there to be asked about.
      const std::string from(pending->info("transport").value_or("nowhere"));
      if (!outcome.completed()) return pending->fail(collet::ToolError(outcome.message + ", for one from " + from));
      pending->finish(collet::Whole{std::move(outcome.result)});
    });
  });
  plugin.tool<Wanted>("relay_gone", "Says why it cannot call a tool inside of a call that it has let go",
                      [&peers](const Wanted& in, collet::Call& call) {
                        auto pending = call.defer();
                        try {
                          peers.call(call, {.name = in.tool});
                          pending.finish(std::string("it can"));
                        } catch (const collet::Error& error) {
                          pending.finish(std::string(error.what()));
                        }
                      });
  plugin.tool("seen", "Of some names those that you see", [&peers](collet::Call& call) {
    return peers.list(call, COLLET_TOOL, {"nothing", "echo", "add"});
  });
}
