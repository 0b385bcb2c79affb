#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "cli/admin.h"
#include "cli/reloader.h"
#include "cli/server_setup.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"
#include "protocol/stdio_endpoint.h"

namespace collet::cli {
namespace {

// From the first sign that it is over to the end: what is in flight may still be answered, for a moment.
class Ending {
 public:
  Ending(loop::Loop& loop, protocol::ServerLoop& server) : loop_(loop), server_(server), timer_(loop) {}

  // At the end of the input: answers what runs, within the limit.
  void drain(protocol::StdioEndpoint& endpoint) {
    note_beginning();
    timer_.start(limits::kStdioAnswerMs, [this] { loop_.stop(); });
    server_.calls().when_idle([this, &endpoint] { endpoint.flush([this] { loop_.stop(); }); });
  }

  // At a signal.
  void stop() {
    note_beginning();
    loop_.stop();
  }

  // Of kStdioExitMs.
  std::uint64_t left_ms() const {
    const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count();
    return limits::kStdioExitMs - std::min(static_cast<std::uint64_t>(gone), limits::kStdioExitMs);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void note_beginning() {
    if (began_ == Clock::time_point()) began_ = Clock::now();
  }

  Clock::time_point began_;
  loop::Loop& loop_;
  protocol::ServerLoop& server_;
  loop::Timer timer_;
};

}  // namespace

int stdio(const CommonOptions& options) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  const auto config = load_config(options);
  if (!config) return complain(config.message());
  Host host(*config, 1);
  protocol::ServerOptions served = server_options(*config);
  served.on_watch = [&host](std::string_view uri, bool watched) { host.loader().watch(uri, watched); };
  served.more_instructions = [&host] { return host.loader().instructions(); };
  protocol::Server server(std::move(served), host.registry(), host.loops());
  host.on_resource_updated([&server](std::string_view uri) { server.resource_updated(uri); });
  host.load();
  {
    loop::Loop& loop = host.main_loop();
    Ending ending(loop, server.at(0));
    protocol::StdioEndpoint* endpoint = nullptr;
    protocol::StdioEndpoint serving(server.at(0), streams.in, streams.out, config->server.limits.message_bytes_max,
                                    [&] { ending.drain(*endpoint); });
    endpoint = &serving;
    const loop::Signal terminate(loop, SIGTERM, [&] { ending.stop(); });
    const loop::Signal interrupt(loop, SIGINT, [&] { ending.stop(); });
    Reloader reloader(host, *config, options.config_file, [&options] { return read_config(options); });
    // None by default: clients start as many of us as they like.
    const auto admin = AdminServer::open(config->admin.socket, host, reloader);
    loop.run();
    host.unload_timeout_ms = ending.left_ms();
  }
  return kOk;
}

}  // namespace collet::cli
