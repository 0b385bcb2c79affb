// The plugin without its C table: a thread with all remotes on it. Calls come from the host's threads and are
// posted.
#pragma once

#include <collet/plugin.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/config.h"
#include "client/host.h"
#include "client/http.h"
#include "client/login.h"
#include "client/loop.h"
#include "client/publisher.h"
#include "client/remote.h"

namespace collet::client {

class Client {
 public:
  // Begins to connect. The table is borrowed.
  Client(const collet_host* table, ClientConfig config);
  // Ends what is under way, and the remotes' children.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // [any thread] Will be ended, sooner or later.
  void call(IncomingCall call);
  // [any thread]
  void cancel(collet_call call, std::uint32_t reason);
  // [any thread] Somebody watches what is read at the URI, or nobody any more.
  void watch(std::string uri, bool on);
  // [any thread] How long the destructor may take, roughly.
  void set_patience(std::uint64_t ms) { patience_ms_ = ms; }
  // [any thread] The health of all remotes: {"remotes":[…]}. Waits for the client's thread.
  std::string status();

 private:
  void run();
  void begin();
  void end();
  void dispatch(IncomingCall call);

  const ClientConfig config_;
  const Host host_;
  auth::TokenStore tokens_;
  Loop loop_;
  std::atomic<std::uint64_t> patience_ms_{limits::kExitMs};

  // The client's thread alone.
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Children> children_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Surroundings> surroundings_;
  std::vector<std::unique_ptr<Remote>> remotes_;
  std::unique_ptr<Login> login_;  // null: nobody is to log in
  std::unique_ptr<Timer> farewell_;
  bool ending_ = false;

  std::thread thread_;
};

}  // namespace collet::client
