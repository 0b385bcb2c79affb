#include "client/auth/token_records.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "client/auth/limits.h"

namespace collet::client::auth {
namespace {

bool same_place(const StoredToken& a, const StoredToken& b) {
  return a.remote == b.remote && a.issuer == b.issuer && a.resource == b.resource;
}

template <class Record>
void keep_newest(std::vector<Record>& records, std::size_t count) {
  if (records.size() > count) records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(count));
}

template <class Record, class Which>
std::optional<Record> last_of(const std::vector<Record>& records, Which&& which) {
  const auto at = std::find_if(records.rbegin(), records.rend(), which);
  if (at == records.rend()) return std::nullopt;
  return *at;
}

bool has_tokens(const std::vector<StoredToken>& tokens, std::string_view issuer, std::string_view client) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const StoredToken& token) { return token.issuer == issuer && token.client_id == client; });
}

}  // namespace

std::optional<StoredToken> TokenRecords::token(std::string_view remote) const {
  return last_of(tokens, [&](const StoredToken& token) { return token.remote == remote; });
}

std::optional<StoredClient> TokenRecords::client(std::string_view issuer) const {
  return last_of(clients, [&](const StoredClient& client) { return client.issuer == issuer; });
}

void TokenRecords::keep(StoredToken token) {
  std::erase_if(tokens, [&](const StoredToken& other) { return same_place(other, token); });
  tokens.push_back(std::move(token));
  keep_newest(tokens, limits::kStoreTokensMax);
}

void TokenRecords::keep(StoredClient client) {
  std::erase_if(clients, [&](const StoredClient& other) { return other.issuer == client.issuer; });
  clients.push_back(std::move(client));
  keep_newest(clients, limits::kStoreClientsMax);
}

void TokenRecords::forget(std::string_view remote) {
  std::vector<StoredToken> gone;
  for (const StoredToken& token : tokens) {
    if (token.remote == remote) gone.push_back(token);
  }
  std::erase_if(tokens, [&](const StoredToken& token) { return token.remote == remote; });
  for (const StoredToken& token : gone) forget_unused_client(token.issuer, token.client_id);
}

void TokenRecords::forget_client(std::string_view issuer, std::string_view id) {
  std::erase_if(clients, [&](const StoredClient& client) { return client.issuer == issuer && client.id == id; });
}

void TokenRecords::forget_unused_client(std::string_view issuer, std::string_view id) {
  if (!has_tokens(tokens, issuer, id)) forget_client(issuer, id);
}

}  // namespace collet::client::auth
