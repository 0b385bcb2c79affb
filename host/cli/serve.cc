#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

#include "base/freed_memory.h"
#include "base/log.h"
#include "cli/verbs.h"
#include "service/activity_log.h"
#include "service/admin.h"
#include "service/http_service.h"
#include "service/recall.h"
#include "service/reloader.h"
#include "service/server_setup.h"
#include "service/state_keys.h"
#include "service/while_loading.h"
#include "transport/request_memory.h"

namespace collet::cli {
namespace {

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

void announce(const service::Sockets& sockets, const config::Server& server, bool needs_token) {
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
  auto trials = plugin::TrialParent::fork_here();
  auto config = read_all(options);
  if (!config) return complain(config.message(), kUsage);
  log::configure(config->log.level, config->log.format);

  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned accepting = config->server.threads ? config->server.threads : cores;
  const auto tls = service::load_certificate(config->server);
  if (!tls) return complain(tls.message(), kUnreachable);
  auto sockets = service::bind_all(config->server, accepting, *tls);
  if (!sockets) return complain(sockets.message(), kUnreachable);

  const auto state_keys = service::read_state_keys(config->server.state_key_file);
  if (!state_keys) return complain(state_keys.message(), kUnreachable);
  auto store = service::open_store(*config);
  if (!store) return complain(store.message(), kUnreachable);

  std::signal(SIGPIPE, SIG_IGN);
  service::ActivityLog activity;
  service::Host host(*config, accepting + 1, *state_keys, *std::move(store), std::move(trials));
  const protocol::Access access(service::access_rules(*config));
  protocol::ServerOptions served = service::server_options(*config, host, activity, *state_keys);
  served.request_memory = std::make_shared<transport::RequestMemory>(config->server.limits.http.memory_bytes_max);
  protocol::Server server(std::move(served), host.registry(), host.loops());
  host.on_resource_updated([&server](std::string_view uri) { server.resource_updated(uri); });
  std::optional<service::WhileLoading> loading(host);
  host.load();
  freed_memory::note(freed_memory::kLargeBytes);  // by loading
  service::await_recall(host);
  service::HttpService http(host, server, access, *config, *sockets);
  const service::EndOfPlugins end_of_plugins(host);
  service::Reloader reloader(host, *config, options.common.config_file, [&options] { return read_all(options); });
  if (*tls) reloader.also([&tls = **tls] { return transport::renew_tls(tls); });
  const auto admin =
      service::AdminServer::open(service::admin_socket_path(config->admin, options.common.config_file), host, reloader);
  http.heed_signals(reloader);
  loading.reset();  // others hear of signals now
  announce(*sockets, config->server, access.needs_token());
  http.run();
  return kOk;
}

}  // namespace collet::cli
