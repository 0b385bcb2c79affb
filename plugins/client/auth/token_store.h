// What must outlive the process: tokens, each of one remote, issuer and resource, and the clients that we
// registered, each with one issuer. One JSON file that only its owner may read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/file_locks.h"
#include "client/net/result.h"

namespace collet::client::auth {

struct StoredToken {
  std::string remote;  // its name in the configuration
  std::string issuer;
  std::string resource;
  std::string client_id;
  std::string access_token;
  std::string token_type;  // "bearer" or "dpop"
  std::string refresh_token;
  std::string scope;            // as it was asked for
  std::string dpop_key;         // PEM; the token is bound to it
  std::int64_t expires_at = 0;  // seconds since 1970; 0: unknown
};

struct StoredClient {
  std::string issuer;
  std::string redirect_uri;
  std::string id;
  std::string secret;
  std::string auth_method;
  std::int64_t secret_expires_at = 0;  // 0: never
};

// Any number of processes may use one file: it is read anew for each question, and replaced whole, under a lock. A
// failure leaves it as it was. Each `done` is called once, at once unless another process is writing.
class TokenStore {
 public:
  using Done = std::function<void(Result<void>)>;

  // Nothing is opened yet. Missing directories are created with the first write, for their owner alone. The locks
  // are borrowed.
  TokenStore(std::string path, FileLocks& locks) : path_(std::move(path)), locks_(locks) {}

  const std::string& path() const { return path_; }

  // The one obtained last; nothing if there is none. A file that others may read, or that is not ours, is a
  // failure.
  Result<std::optional<StoredToken>> token(std::string_view remote) const;
  Result<std::optional<StoredToken>> token(std::string_view remote, std::string_view issuer,
                                           std::string_view resource) const;
  void keep(StoredToken token, Done done);
  // Every token of the remote, and the clients that then are of no use to anybody.
  void forget(std::string remote, Done done);

  Result<std::optional<StoredClient>> client(std::string_view issuer) const;
  void keep(StoredClient client, Done done);
  // If it is still the one that is kept.
  void forget_client(std::string issuer, std::string id, Done done);
  // The same, unless there are tokens of that client.
  void forget_unused_client(std::string issuer, std::string id, Done done);

  // For who renews a token of the remote, from reading it until the next one is kept: refresh tokens are good for
  // once.
  void lock(std::string_view remote, FileLocks::Done done);

 private:
  struct Content {
    std::vector<StoredToken> tokens;
    std::vector<StoredClient> clients;
  };

  static Result<Content> parse(std::string_view text, const std::string& path);
  static std::string print(const Content& content);
  Result<Content> read() const;
  void change(std::function<void(Content&)> edit, Done done);
  Result<void> change_now(const std::function<void(Content&)>& edit);

  const std::string path_;
  FileLocks& locks_;
};

}  // namespace collet::client::auth
