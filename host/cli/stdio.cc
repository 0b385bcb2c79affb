#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>

#include "base/freed_memory.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "protocol/stdio_endpoint.h"
#include "service/activity_log.h"
#include "service/admin.h"
#include "service/recall.h"
#include "service/reloader.h"
#include "service/server_setup.h"
#include "service/state_keys.h"
#include "service/while_loading.h"

namespace collet::cli {
namespace {

// From the first sign that it is over to the end.
class Ending {
 public:
  Ending(loop::Loop& loop, protocol::ServerLoop& server, std::uint64_t drain_timeout_ms)
      : loop_(loop), server_(server), drain_timeout_ms_(drain_timeout_ms), timer_(loop) {}

  // At the end of the input: what was asked is answered, and what is answered is taken, within the limit; unless
  // nobody is left to take it.
  void drain(transport::LineStream& client) {
    client.when_gone([this] { end(); });
    server_.calls().when_idle([this, &client] {
      // Later: what waits for the result of a task is told of it by a post.
      loop_.post([this, &client] { client.flush([this] { end(); }); });
    });
    wait(client, drain_timeout_ms_);
  }

  // The client has closed its end while it reads too little for the rest of its input to be read.
  void watch_unread(transport::LineStream& client) {
    timer_.start(drain_timeout_ms_, [this, &client, taken = client.taken_bytes()] {
      // Slow is no reason to cut, stuck is.
      const bool stuck = client.undelivered() > 0 && client.taken_bytes() == taken;
      stuck ? end() : watch_unread(client);
    });
  }

  // At a signal: calls are given up; what was answered may still be taken, for a moment.
  void stop(transport::LineStream& client) {
    note_beginning();
    if (client.undelivered() == 0) return end();
    client.flush([this] { end(); });
    timer_.start(limits::kStdioFlushMs, [this] { end(); });
  }

  // Calls that had no time to be answered.
  std::size_t cut_short() const { return cut_short_; }

  // Of kStdioExitMs.
  std::uint64_t left_ms() const {
    const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count();
    return limits::kStdioExitMs - std::min(static_cast<std::uint64_t>(gone), limits::kStdioExitMs);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void wait(transport::LineStream& client, std::uint64_t for_ms) {
    timer_.start(for_ms, [this, &client, taken = client.taken_bytes()] { time_is_up(client, taken); });
  }

  void time_is_up(transport::LineStream& client, std::uint64_t taken_before) {
    if (server_.calls().size() > 0 && cut_short_ == 0) {
      cut_short_ = server_.calls().size();
      server_.calls().cancel_all(registry::CancelReason::shutdown);  // which answers them
      client.flush([this] { end(); });
      return wait(client, std::max(drain_timeout_ms_, limits::kStdioFlushMs));
    }
    // Slow is no reason to cut, stuck is.
    if (client.taken_bytes() > taken_before) return wait(client, drain_timeout_ms_);
    end();
  }

  void end() {
    note_beginning();
    loop_.stop();
  }

  void note_beginning() {
    if (began_ == Clock::time_point()) began_ = Clock::now();
  }

  loop::Loop& loop_;
  protocol::ServerLoop& server_;
  const std::uint64_t drain_timeout_ms_;
  Clock::time_point began_;
  std::size_t cut_short_ = 0;
  loop::Timer timer_;
};

// What the client has asked for and not got; the exit code.
int account(std::size_t cut_short, std::size_t undelivered) {
  if (cut_short > 0) {
    complain(fmt::format(
        "the input has ended, and {} call(s) had no time to be answered; how long they have is "
        "server.limits.stdio_drain_timeout_ms",
        cut_short));
  }
  if (undelivered > 0) {
    complain(fmt::format("{} message(s) could not be delivered: the client did not take them whole", undelivered));
  }
  return cut_short + undelivered > 0 ? kUndelivered : kOk;
}

}  // namespace

int stdio(const CommonOptions& options) {
  auto trials = plugin::TrialParent::fork_here();
  const loop::StandardStreams streams = loop::take_standard_streams();
  const auto config = load_config(options);
  if (!config) return complain(config.message());
  const auto state_keys = service::read_state_keys(config->server.state_key_file);
  if (!state_keys) return complain(state_keys.message());
  auto store = service::open_store(*config);
  if (!store) return complain(store.message());
  service::ActivityLog activity;
  service::Host host(*config, 1, *state_keys, *std::move(store), std::move(trials));
  protocol::ServerOptions served = service::server_options(*config, host, activity, *state_keys);
  served.local = service::local_principal(*config);
  protocol::Server server(std::move(served), host.registry(), host.loops());
  host.on_resource_updated([&server](std::string_view uri) { server.resource_updated(uri); });
  std::optional<service::WhileLoading> loading(host);
  host.load();
  freed_memory::note(freed_memory::kLargeBytes);  // by loading
  service::await_recall(host);
  {
    loop::Loop& loop = host.main_loop();
    const config::Limits& limits = config->server.limits;
    Ending ending(loop, server.at(0), limits.stdio_drain_timeout_ms);
    protocol::StdioEndpoint* endpoint = nullptr;
    protocol::StdioEndpoint serving(server.at(0), streams.in, streams.out, limits.message_bytes_max,
                                    [&] { ending.drain(endpoint->stream()); });
    endpoint = &serving;
    serving.stream().when_closing([&] { ending.watch_unread(serving.stream()); });
    const service::EndOfPlugins end_of_plugins(host);
    const loop::Signal terminate(loop, SIGTERM, [&] { ending.stop(serving.stream()); });
    const loop::Signal interrupt(loop, SIGINT, [&] { ending.stop(serving.stream()); });
    loading.reset();  // others hear of signals now
    service::Reloader reloader(host, *config, options.config_file, [&options] { return read_config(options); });
    std::optional<loop::Signal> hangup;
    if (config->plugins.reload != config::Reload::off) {
      hangup.emplace(loop, SIGHUP, [&] { reloader.reload_all({}); });
    }
    // None by default: clients start as many of us as they like.
    const auto admin = service::AdminServer::open(config->admin.socket, host, reloader);
    loop.run();
    host.exit_code = account(ending.cut_short(), serving.stream().undelivered());
    host.unload_timeout_ms = ending.left_ms();
  }
  return host.exit_code;
}

}  // namespace collet::cli
