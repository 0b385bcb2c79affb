// What `collet login` asks of the plugin: a remote with `login = true` is not connected to, but offers one tool, by
// which the person who calls it logs in.
#pragma once

#include <collet/plugin.h>

#include <memory>

#include "client/auth/loopback_agent.h"
#include "client/auth/token_store.h"
#include "client/authorizer.h"
#include "client/config.h"
#include "client/fetch.h"
#include "client/host.h"
#include "client/loop.h"

namespace collet::client {

// Registers the tool. In create().
std::int32_t offer_login(const Host& host, const RemoteConfig& remote);

// Calls of that tool, one at a time.
class Login {
 public:
  // All is borrowed.
  Login(Loop& loop, Fetcher& fetcher, const Host& host, const RemoteConfig& remote, auth::TokenStore& tokens);
  ~Login();  // ends the call that is under way
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  // Ends the call: the URL to open is said in its log, the tokens are in the store when it has succeeded.
  void begin(collet_call call);
  // False if it is another call.
  bool cancel(collet_call call);

 private:
  void probe();
  void authorize(const std::vector<HttpHeader>& challenge);
  void show(const std::string& url) const;
  void end(const Result<void>& result);

  Fetcher& fetcher_;
  const Host& host_;
  const RemoteConfig& remote_;
  auth::TokenStore& tokens_;
  auth::LoopbackAgent agent_;
  std::unique_ptr<Authorizer> authorizer_;
  std::unique_ptr<Authorizer> over_;  // one that may be what is calling us
  collet_call call_ = 0;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace collet::client
