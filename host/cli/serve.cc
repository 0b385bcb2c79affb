#include <atomic>
#include <csignal>
#include <cstdio>
#include <optional>
#include <thread>

#include "base/log.h"
#include "cli/activity_log.h"
#include "cli/admin.h"
#include "cli/reloader.h"
#include "cli/server_setup.h"
#include "cli/state_keys.h"
#include "cli/verbs.h"
#include "cli/while_loading.h"
#include "loop/standard_streams.h"
#include "protocol/http/discovery.h"
#include "protocol/http/http_endpoint.h"
#include "protocol/http/http_site.h"
#include "protocol/http/plugin_routes.h"
#include "protocol/http/probes.h"
#include "protocol/legacy/sse_endpoint.h"
#include "transport/http.h"
#include "transport/request_memory.h"

namespace collet::cli {
namespace {

using Sockets = std::vector<std::unique_ptr<transport::ListenSocket>>;

Result<void> override_listen(const std::vector<std::string>& urls, config::Server& server) {
  if (urls.empty()) return {};
  server.listen.clear();
  for (const std::string& url : urls) {
    auto address = transport::Address::parse(url);
    if (!address) return address.failure();
    server.listen.push_back(std::move(*address));
  }
  return {};
}

using Tls = std::shared_ptr<transport::TlsContext>;  // see there: the sockets, and who renews it

// Null if there is no certificate.
Result<Tls> load_certificate(const config::Server& server) {
  if (server.tls.certificate.empty()) return Tls();
  return transport::load_tls(server.tls.certificate, server.tls.key);
}

Result<Sockets> bind_all(const config::Server& server, unsigned loops, const Tls& tls) {
  Sockets sockets;
  for (const transport::Address& address : server.listen) {
    auto socket = transport::ListenSocket::bind(address, loops, tls);
    if (!socket) return socket.failure();
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

transport::HttpLimits http_limits(const config::Limits& limits) {
  transport::HttpLimits http = limits.http;
  http.body_bytes_max = limits.message_bytes_max;
  return http;
}

using Documents = std::vector<protocol::Document>;

Documents make_documents(const config::Server& server, const Sockets& sockets) {
  if (server.card.name.empty()) return {};
  protocol::ServerCard card;
  card.name = server.card.name;
  if (server.title.size() <= 100) card.title = server.title;  // the most that a card may have
  card.description = server.card.description;
  card.version = COLLET_VERSION;
  card.url = server.card.url.empty() ? sockets.front()->address().url() : server.card.url;
  return protocol::discovery_documents(card, server.path);
}

// Why no new work should be sent here; empty: it may.
std::string why_not_ready(const Host& host, bool draining) {
  if (draining) return "it is ending";
  const std::size_t missing = host.count_missing_plugins();
  return missing ? fmt::format("{} of its plugins {} not there", missing, missing == 1 ? "is" : "are") : std::string();
}

// All that serves on one loop.
struct LoopService {
  protocol::ServerLoop& protocol;
  protocol::HttpEndpoint mcp;  // Streamable HTTP, 2025-03-26 and later
  protocol::SseEndpoint sse;   // HTTP with SSE, 2024-11-05
  protocol::HttpSite site;
  transport::HttpServer http;

  LoopService(protocol::ServerLoop& server_loop, const protocol::Access& access, const config::Server& server,
              std::shared_ptr<transport::RequestMemory> memory)
      : protocol(server_loop),
        mcp(server_loop),
        sse(server_loop),
        site(server_loop.loop(), access),
        http(server_loop.loop(), http_limits(server.limits), site, std::move(memory)) {
    site.add(protocol::route_to(server.path, mcp));
    if (!server.sse_path.empty()) site.add(protocol::route_to(server.sse_path, sse));
  }
};

// The loops, each on its thread, from the first connection to the last. The first one is this thread's; the last one
// accepts nobody, and has the connections whose requests are large.
class Service {
 public:
  Service(Host& host, protocol::Server& server, const protocol::Access& access,
          const Documents& documents, const config::Server& config, Sockets& sockets, bool reloads)
      : host_(host),
        reloads_(reloads),
        loops_(host.loops()),
        drain_timeout_ms_(config.limits.drain_timeout_ms),
        hurry_(*loops_.front()) {
    const auto memory = server.options().request_memory;
    for (unsigned index = 0; index < loops_.size(); ++index) {
      services_.push_back(std::make_unique<LoopService>(server.at(index), access, config, memory));
      protocol::HttpSite& site = services_.back()->site;
      site.add(protocol::health_probe());
      site.add(protocol::readiness_probe([this] { return why_not_ready(host_, draining_); }));
      for (const protocol::Document& document : documents) site.add(protocol::route_to(document));
      site.add(protocol::plugin_routes(server.at(index)));  // whose folder has what the others leave
    }
    for (unsigned index = 0; index < aside(); ++index) {
      services_[index]->http.send_large_to(services_[aside()]->http);
      for (const auto& socket : sockets) services_[index]->http.listen(*socket, index);
    }
  }

  // Before run(), and before anybody is told that the server is there: a signal must not end the process.
  void heed_signals(Reloader& reloader) {
    terminate_.emplace(*loops_.front(), SIGTERM, [this] { drain(); });
    interrupt_.emplace(*loops_.front(), SIGINT, [this] { drain(); });
    if (reloads_) hangup_.emplace(*loops_.front(), SIGHUP, [&reloader] { reloader.reload_all({}); });
  }

  // Until a signal says that it is enough, and what was begun has been answered.
  void run() {
    std::vector<std::thread> threads;
    for (std::size_t index = 1; index < loops_.size(); ++index) {
      threads.emplace_back([loop = loops_[index]] { loop->run(); });
    }
    loops_.front()->run();
    for (std::thread& thread : threads) thread.join();
    for (auto* signal : {&terminate_, &interrupt_, &hangup_}) signal->reset();  // which end the process again
  }

 private:
  // First loop. A second signal does not wait any longer.
  void drain() {
    if (draining_.exchange(true)) return cancel_calls();
    log::info("ending: waiting for what was begun");
    for (std::size_t index = 0; index < aside(); ++index) drain(index);
    loops_[aside()]->post([service = services_[aside()].get()] {  // and again when all others are through
      service->protocol.end_streams();
      service->http.drain([] {});
    });
    hurry_.start(drain_timeout_ms_, [this] { cancel_calls(); });
  }

  void drain(std::size_t index) {
    loops_[index]->post([this, service = services_[index].get()] {
      service->protocol.end_streams();
      service->http.drain([this] { loops_.front()->post([this] { note_drained(); }); });
    });
  }

  // First loop. It stays until all are drained: it has the signals and the time limit.
  void note_drained() {
    ++drained_;
    if (drained_ == aside()) drain(aside());  // now that nobody comes there any more
    if (drained_ == loops_.size()) stop();
  }

  std::size_t aside() const { return loops_.size() - 1; }

  void stop() {
    for (loop::Loop* loop : loops_) loop->stop();
  }

  void cancel_calls() {
    host_.unload_timeout_ms = limits::kHurriedUnloadMs;
    for (std::size_t index = 0; index < loops_.size(); ++index) {
      loops_[index]->post([service = services_[index].get()] {
        service->site.give_up_authentications();
        service->protocol.cancel_calls(registry::CancelReason::shutdown);
      });
    }
    constexpr std::uint64_t kFlushMs = 500;  // for the answers to leave
    hurry_.start(kFlushMs, [this] { stop(); });
  }

  Host& host_;
  const bool reloads_;  // at SIGHUP
  const std::vector<loop::Loop*> loops_;
  const std::uint64_t drain_timeout_ms_;
  std::vector<std::unique_ptr<LoopService>> services_;
  std::atomic<bool> draining_ = false;
  std::size_t drained_ = 0;  // loops
  std::optional<loop::Signal> terminate_;
  std::optional<loop::Signal> interrupt_;
  std::optional<loop::Signal> hangup_;
  loop::Timer hurry_;
};

void announce(const Sockets& sockets, const config::Server& server, bool needs_token) {
  for (const auto& socket : sockets) {
    const std::string url =
        socket->address().url() +
        (socket->address().scheme == transport::Address::Scheme::unix_socket ? "" : server.path);
    log::print(fmt::format("listening on {}\n", url));
    if (socket->address().scheme == transport::Address::Scheme::unix_socket) continue;
    const char* header = needs_token ? " --header \"Authorization: Bearer <token>\"" : "";
    log::print(
        fmt::format("  connect Claude Code:  claude mcp add --transport http {} {}{}\n", server.name, url, header));
  }
}

// What is there at the start, and again when plugins are reloaded.
Result<config::Config> read_all(const ServeOptions& options) {
  auto config = read_config(options.common);
  if (!config) return config;
  if (auto good = override_listen(options.listen, config->server); !good) return good.failure();
  if (auto good = config::check_listen(config->server); !good) return good.failure();
  return config;
}

}  // namespace

int serve(const ServeOptions& options) {
  auto config = read_all(options);
  if (!config) return complain(config.message(), kUsage);
  log::configure(config->log.level, config->log.format);

  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned accepting = config->server.threads ? config->server.threads : cores;
  const auto tls = load_certificate(config->server);
  if (!tls) return complain(tls.message(), kUnreachable);
  auto sockets = bind_all(config->server, accepting, *tls);
  if (!sockets) return complain(sockets.message(), kUnreachable);

  const auto state_keys = read_state_keys(config->server.state_key_file);
  if (!state_keys) return complain(state_keys.message(), kUnreachable);

  std::signal(SIGPIPE, SIG_IGN);
  ActivityLog activity;
  Host host(*config, accepting + 1, *state_keys);
  const protocol::Access access(access_rules(*config));
  protocol::ServerOptions served = server_options(*config);
  served.on_watch = [&host](std::string_view uri, bool watched) { host.loader().watch(uri, watched); };
  served.more_instructions = [&host](const auto& is_shown) { return host.loader().instructions(is_shown); };
  served.request_memory = std::make_shared<transport::RequestMemory>(config->server.limits.http.memory_bytes_max);
  served.state_keys = *state_keys;
  activity.join(config->log, host.registry(), served);
  protocol::Server server(std::move(served), host.registry(), host.loops());
  host.on_resource_updated([&server](std::string_view uri) { server.resource_updated(uri); });
  std::optional<WhileLoading> loading(host);
  host.load();
  const Documents documents = make_documents(config->server, *sockets);
  Service service(host, server, access, documents, config->server, *sockets,
                  config->plugins.reload != config::Reload::off);
  const EndOfPlugins end_of_plugins(host);
  Reloader reloader(host, *config, options.common.config_file, [&options] { return read_all(options); });
  if (*tls) reloader.also([&tls = **tls] { return transport::renew_tls(tls); });
  const auto admin =
      AdminServer::open(admin_socket_path(config->admin, options.common.config_file), host, reloader);
  service.heed_signals(reloader);
  loading.reset();  // others hear of signals now
  announce(*sockets, config->server, access.needs_token());
  service.run();
  return kOk;
}

}  // namespace collet::cli
