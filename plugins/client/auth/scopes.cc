#include "client/auth/scopes.h"

#include <algorithm>

#include "client/auth/limits.h"

namespace collet::client::auth {

Scopes parse_scopes(std::string_view text) {
  Scopes scopes;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) add_scopes(scopes, {std::string(text.substr(0, end))});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scopes;
}

std::string join_scopes(const Scopes& scopes) {
  std::string out;
  for (const std::string& scope : scopes) {
    if (!out.empty()) out += ' ';
    out += scope;
  }
  return out;
}

bool contains(const Scopes& scopes, std::string_view scope) {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

void add_scopes(Scopes& scopes, const Scopes& more) {
  for (const std::string& scope : more) {
    if (scopes.size() < limits::kScopesMax && !contains(scopes, scope)) scopes.push_back(scope);
  }
}

bool covers(const Scopes& scopes, const Scopes& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& scope) { return contains(scopes, scope); });
}

void settle_offline_access(Scopes& scopes, const Scopes& offered_by_server, bool of_use) {
  scopes.erase(std::remove(scopes.begin(), scopes.end(), kOfflineAccess), scopes.end());
  const bool offered = contains(offered_by_server, kOfflineAccess);
  if (offered && of_use && !scopes.empty()) scopes.emplace_back(kOfflineAccess);
}

}  // namespace collet::client::auth
