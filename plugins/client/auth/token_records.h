// The tokens and registered clients that a store keeps, and what each change does to them. Knows nothing of where they
// are kept.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "client/auth/token_store.h"

namespace collet::client::auth {

// Each list is in the order in which its records were kept. Beyond a limit the oldest make room.
struct TokenRecords {
  std::vector<StoredToken> tokens;
  std::vector<StoredClient> clients;

  // These do what the functions of the same names in TokenStore say.
  std::optional<StoredToken> token(std::string_view remote) const;
  std::optional<StoredClient> client(std::string_view issuer) const;
  void keep(StoredToken token);
  void keep(StoredClient client);
  void forget(std::string_view remote);
  void forget_client(std::string_view issuer, std::string_view id);
  void forget_unused_client(std::string_view issuer, std::string_view id);
};

}  // namespace collet::client::auth
