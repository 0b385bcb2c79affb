// What `collet login` and `collet logout` ask of the plugin: a remote that is used by a login is not connected to,
// but offers two tools, by which the person who calls them logs in and out.
#pragma once

#include <collet/plugin.h>

#include <memory>

#include "client/auth/loopback_agent.h"
#include "client/auth/token_store.h"
#include "client/net/authorizer.h"
#include "client/net/fetch.h"
#include "client/net/loop.h"
#include "client/offer/config.h"
#include "client/offer/host.h"

namespace collet::client {

// Registers the tools. In create().
void offer_login(const Host& host, const RemoteConfig& remote);

// Calls of those tools, one at a time.
class Login {
 public:
  // All is borrowed.
  Login(Loop& loop, Fetcher& fetcher, const Host& host, const RemoteConfig& remote, auth::TokenStore& tokens);
  ~Login();  // ends the call that is under way
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  // Ends the call, of the tool with that key. To log in: the URL to open is said in its log, the tokens are in the
  // store when it has succeeded.
  void begin(collet_call call, std::uint64_t key);
  // False if it is another call.
  bool cancel(collet_call call);

 private:
  void log_in();
  void log_out();
  void probe();
  void probed(const FetchResponse& answer);
  void show(const std::string& url) const;
  // With what to tell the person.
  void end(const Result<std::string>& result);
  // `step` as a callback that does nothing once the call has ended.
  template <class T>
  std::function<void(T)> during_call(std::function<void(T)> step);

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
