// HTTP/1.1 as a client: libcurl's multi interface on a loop. The one engine of the host, one on each loop that fetches.
//
// TLS is always verified. Proxies are those of the usual variables (http_proxy, https_proxy, all_proxy, no_proxy), but for this
// machine, which no proxy can reach. Through a proxy it is the target's name that must be granted, as the proxy looks it up; the
// proxy is the operator's. A request that a server may have received is not sent again by itself, unless its method is idempotent.
#pragma once

#include <memory>
#include <string>

#include "fetch/request.h"
#include "loop/loop.h"

namespace collet::fetch {

// Receives one answer. Never called from inside a function of the engine, and only from its loop; may call the engine.
class Sink {
 public:
  // Once at most, before all that follows.
  virtual void on_head(Head head) = 0;
  // What has come of the body, unpacked if it was gzip or deflate and Accept-Encoding was left to the engine; the fields say
  // nothing of that then. No more is read while limits::kFetchAheadBytesMax bytes have not been taken().
  virtual void on_body(std::string bytes) = 0;
  // Last, exactly once, unless it was cancelled.
  virtual void on_end(const End& end) = 0;

 protected:
  ~Sink() = default;
};

struct EngineOptions {
  std::string user_agent;  // of requests that do not say it themselves
  std::string ca_file;     // PEM: the authorities that are believed; empty: the system's
};

// Its loop's.
class Engine {
 public:
  using Id = std::uint64_t;  // never 0

  // The loop is borrowed.
  Engine(loop::Loop& loop, EngineOptions options);
  ~Engine();  // tells each sink that waits its end; none of them may begin anything then
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // `sink` is borrowed until on_end() has begun, or cancel(). What check() does not let pass ends so.
  Id start(Request request, Sink& sink);
  // Nothing is told of it any more. What has ended, or never was, is passed over. Whether a name is still being looked up for it, as
  // End::looking_up.
  bool cancel(Id id);
  // So many of the bytes that were told have found their place; of what has ended nothing is kept.
  void taken(Id id, std::size_t bytes);

  std::size_t running() const;

 private:
  class Multi;
  const std::unique_ptr<Multi> multi_;
};

}  // namespace collet::fetch
