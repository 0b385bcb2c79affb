// MCP, and all else that is served over HTTP, on the host's loops.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "loop/loop.h"
#include "protocol/http/access.h"
#include "protocol/server.h"
#include "service/host.h"
#include "service/reloader.h"
#include "transport/http.h"

namespace collet::service {

using Sockets = std::vector<std::unique_ptr<transport::ListenSocket>>;
using Tls = std::shared_ptr<transport::TlsContext>;  // see there: the sockets, and who renews it

// Null if there is no certificate.
Result<Tls> load_certificate(const config::Server& server);
// For that many loops each.
Result<Sockets> bind_all(const config::Server& server, unsigned loops, const Tls& tls);

// The loops, each on its thread, from the first connection to the last. The first one is this thread's; the last one
// accepts nobody, and has the connections whose requests are large.
class HttpService {
 public:
  // All are borrowed; the server is one of the host's loops. After the plugins have been loaded.
  HttpService(Host& host, protocol::Server& server, const protocol::Access& access, const config::Config& config, Sockets& sockets);
  ~HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  // Before run(), and before anybody is told that the server is there: a signal must not end the process.
  void heed_signals(Reloader& reloader);
  // Until a signal says that it is enough, and what was begun has been answered.
  void run();

 private:
  struct OnLoop;

  void drain();
  void drain(std::size_t index);
  void note_drained();
  std::size_t aside() const { return loops_.size() - 1; }
  void stop();
  void cancel_calls();

  Host& host_;
  const bool reloads_;  // at SIGHUP
  const std::vector<loop::Loop*> loops_;
  const std::uint64_t drain_timeout_ms_;
  std::vector<std::unique_ptr<OnLoop>> services_;
  std::atomic<bool> draining_ = false;
  std::size_t drained_ = 0;  // loops
  std::optional<loop::Signal> terminate_;
  std::optional<loop::Signal> interrupt_;
  std::optional<loop::Signal> hangup_;
  loop::Timer hurry_;
};

}  // namespace collet::service
