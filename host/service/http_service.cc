#include "service/http_service.h"

#include <csignal>
#include <thread>

#include "base/log.h"
#include "plugin/crash/alternate_stack.h"
#include "protocol/http/discovery.h"
#include "protocol/http/http_endpoint.h"
#include "protocol/http/http_site.h"
#include "protocol/http/plugin_routes.h"
#include "protocol/http/probes.h"
#include "protocol/legacy/sse_endpoint.h"
#include "protocol/server_loop.h"
#include "transport/request_memory.h"

namespace collet::service {
namespace {

transport::HttpLimits http_limits(const config::Limits& limits) {
  transport::HttpLimits http = limits.http;
  http.body_bytes_max = limits.message_bytes_max;
  http.streamed_bytes_max = limits.route_body_bytes_max;
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

}  // namespace

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

// All that serves on one loop.
struct HttpService::OnLoop {
  protocol::ServerLoop& protocol;
  protocol::HttpEndpoint mcp;  // Streamable HTTP, 2025-03-26 and later
  protocol::SseEndpoint sse;   // HTTP with SSE, 2024-11-05
  protocol::HttpSite site;
  transport::HttpServer http;

  OnLoop(protocol::ServerLoop& server_loop, const protocol::Access& access, const config::Server& server,
         std::shared_ptr<transport::RequestMemory> memory)
      : protocol(server_loop),
        mcp(server_loop),
        sse(server_loop),
        site(server_loop.loop(), access, server_loop.server().options().observers),
        http(server_loop.loop(), http_limits(server.limits), site, std::move(memory)) {
    site.add(protocol::route_to(server.path, mcp));
    if (!server.sse_path.empty()) site.add(protocol::route_to(server.sse_path, sse));
  }
};

HttpService::HttpService(Host& host, protocol::Server& server, const protocol::Access& access, const config::Config& config,
                         Sockets& sockets)
    : host_(host),
      reloads_(config.plugins.reload != config::Reload::off),
      loops_(host.loops()),
      drain_timeout_ms_(config.server.limits.drain_timeout_ms),
      hurry_(*loops_.front()) {
  const Documents documents = make_documents(config.server, sockets);
  const auto memory = server.options().request_memory;
  for (unsigned index = 0; index < loops_.size(); ++index) {
    services_.push_back(std::make_unique<OnLoop>(server.at(index), access, config.server, memory));
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

HttpService::~HttpService() = default;

void HttpService::heed_signals(Reloader& reloader) {
  terminate_.emplace(*loops_.front(), SIGTERM, [this] { drain(); });
  interrupt_.emplace(*loops_.front(), SIGINT, [this] { drain(); });
  if (reloads_) hangup_.emplace(*loops_.front(), SIGHUP, [&reloader] { reloader.reload_all({}); });
}

void HttpService::run() {
  std::vector<std::thread> threads;
  for (std::size_t index = 1; index < loops_.size(); ++index) {
    threads.emplace_back([loop = loops_[index]] {
      const plugin::crash::AlternateStack stack;  // plugins run on loops, too
      loop->run();
    });
  }
  loops_.front()->run();
  for (std::thread& thread : threads) thread.join();
  for (auto* signal : {&terminate_, &interrupt_, &hangup_}) signal->reset();  // which end the process again
}

// First loop. A second signal does not wait any longer.
void HttpService::drain() {
  if (draining_.exchange(true)) return cancel_calls();
  log::info("ending: waiting for what was begun");
  for (std::size_t index = 0; index < aside(); ++index) drain(index);
  loops_[aside()]->post([service = services_[aside()].get()] {  // and again when all others are through
    service->protocol.end_streams();
    service->http.drain([] {});
  });
  hurry_.start(drain_timeout_ms_, [this] { cancel_calls(); });
}

void HttpService::drain(std::size_t index) {
  loops_[index]->post([this, service = services_[index].get()] {
    service->protocol.end_streams();
    service->http.drain([this] { loops_.front()->post([this] { note_drained(); }); });
  });
}

// First loop. It stays until all are drained: it has the signals and the time limit.
void HttpService::note_drained() {
  ++drained_;
  if (drained_ == aside()) drain(aside());  // now that nobody comes there any more
  if (drained_ == loops_.size()) stop();
}

void HttpService::stop() {
  for (loop::Loop* loop : loops_) loop->stop();
}

void HttpService::cancel_calls() {
  host_.unload_timeout_ms = limits::kHurriedUnloadMs;
  for (std::size_t index = 0; index < loops_.size(); ++index) {
    loops_[index]->post([service = services_[index].get()] {
      service->site.give_up_held();
      service->protocol.cancel_calls(registry::CancelReason::shutdown);
    });
  }
  constexpr std::uint64_t kFlushMs = 500;  // for the answers to leave
  hurry_.start(kFlushMs, [this] { stop(); });
}

}  // namespace collet::service
