// Which scopes to ask for. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace collet::client::auth {

using Scopes = std::vector<std::string>;

inline constexpr std::string_view kOfflineAccess = "offline_access";

// Separated by spaces (RFC 6749 §3.3); each once, in the order they come, no more than limits::kScopesMax.
Scopes parse_scopes(std::string_view text);
std::string join_scopes(const Scopes& scopes);

bool contains(const Scopes& scopes, std::string_view scope);
// Appends what is not there yet.
void add_scopes(Scopes& scopes, const Scopes& more);
bool covers(const Scopes& scopes, const Scopes& wanted);

// offline_access is asked for exactly if there is a scope to ask for, the authorization server offers it and a
// refresh token would be of use; it says nothing about the resource.
void settle_offline_access(Scopes& scopes, const Scopes& offered_by_server, bool of_use);

}  // namespace collet::client::auth
