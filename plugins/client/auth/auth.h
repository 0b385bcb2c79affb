// Authorization at remotes: the one thing that the rest of the plugin sees of OAuth.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "client/auth/token_endpoint.h"
#include "client/auth/token_store.h"
#include "client/auth/user_agent.h"
#include "client/net/authorizer.h"

namespace collet::client::auth {

struct Hooks {
  Clock clock;                                 // none: the system's
  std::function<void(std::string_view)> warn;  // what went wrong without a caller to tell; none: nobody hears it
  // Somebody has asked to log in: tokens of before do not count, and a remote that has not refused is asked for a
  // way to be authorized all the same.
  bool logs_in = false;
  // What lasting_headers() gives may have changed; none: nobody hears it. The authorizer must not be destroyed in it.
  std::function<void()> changed = {};
};

// The authorizer of one remote. `config_json` is its `auth` table as auth/config.h describes it, or empty. All that
// is borrowed outlives it.
Result<std::unique_ptr<Authorizer>> make(std::string_view config_json, std::string_view remote_name,
                                         std::string_view remote_url, Fetcher& fetcher, UserAgent& agent,
                                         TokenStore& store, Hooks hooks = {});

// Ends the login to a remote: what is kept of it is forgotten, and its authorization server is told, if it has a
// place for that (RFC 7009). `done` is called once, maybe before this returns, with what to tell the person. No
// clock: the system's.
void log_out(std::string_view config_json, std::string_view remote_name, std::string_view remote_url,
             Fetcher& fetcher, TokenStore& store, Clock clock, std::function<void(Result<std::string>)> done);

std::int64_t system_time();  // a Clock

}  // namespace collet::client::auth
