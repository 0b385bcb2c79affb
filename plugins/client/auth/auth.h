// Authorization at remotes: the one thing that the rest of the plugin sees of OAuth.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "client/auth/token_endpoint.h"
#include "client/auth/token_store.h"
#include "client/auth/user_agent.h"
#include "client/authorizer.h"

namespace collet::client::auth {

struct Hooks {
  Clock clock;                                 // none: the system's
  std::function<void(std::string_view)> warn;  // what went wrong without a caller to tell; none: nobody hears it
  bool ignores_kept = false;                   // tokens of before: only what is obtained now counts
};

// The authorizer of one remote. `config_json` is its `auth` table as auth/config.h describes it, or empty. All that
// is borrowed outlives it.
Result<std::unique_ptr<Authorizer>> make(std::string_view config_json, std::string_view remote_name,
                                         std::string_view remote_url, Fetcher& fetcher, UserAgent& agent,
                                         TokenStore& store, Hooks hooks = {});

}  // namespace collet::client::auth
