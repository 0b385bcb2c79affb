// How a remote's authorizer comes to be: from its configuration, with the tokens of this machine's user.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/auth/auth.h"
#include "client/auth/token_store.h"
#include "client/auth/user_agent.h"
#include "client/net/authorizer.h"
#include "client/offer/config.h"
#include "client/offer/host.h"

namespace collet::client {

// $XDG_STATE_HOME/collet/tokens.json, or where that is by default.
std::string token_file();

// `auth` of a remote with ${…} expanded; "{}" if there is none.
Result<std::string> expanded_auth(const RemoteConfig& remote);

// Null for a remote that needs none: a child, or one that is given an Authorization header, or a user in its URL.
// All that is borrowed outlives it.
Result<std::unique_ptr<Authorizer>> make_authorizer(const RemoteConfig& remote, Fetcher& fetcher, const Host& host,
                                                    auth::UserAgent& agent, auth::TokenStore& store,
                                                    auth::Hooks hooks = {});

// auth::log_out() of that remote.
void log_out(const RemoteConfig& remote, Fetcher& fetcher, auth::TokenStore& store,
             std::function<void(Result<std::string>)> done);

}  // namespace collet::client
