// What must outlive the process: tokens, each of one remote, issuer and resource, and the clients that we
// registered, each with one issuer. Where they are kept is an implementation's business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

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

// On the client's one thread. Other processes may use the same store. Each `done` is called once, at once or later,
// and not if the store is destroyed before. A failed change leaves the store as it was.
class TokenStore {
 public:
  // Held until it is destroyed.
  class Lock {
   public:
    virtual ~Lock() = default;
  };
  using LockPtr = std::unique_ptr<Lock>;

  using Done = std::function<void(Result<void>)>;
  using TokenDone = std::function<void(Result<std::optional<StoredToken>>)>;
  using ClientDone = std::function<void(Result<std::optional<StoredClient>>)>;
  using LockDone = std::function<void(Result<LockPtr>)>;

  virtual ~TokenStore() = default;

  // Where it is, in words for the person who has logged in.
  virtual std::string place() const = 0;

  // The one kept last; nothing if there is none.
  virtual void token(std::string remote, TokenDone done) = 0;
  // Instead of the one of the same remote, issuer and resource.
  virtual void keep(StoredToken token, Done done) = 0;
  // Every token of the remote, and the clients that then are of no use to anybody.
  virtual void forget(std::string remote, Done done) = 0;

  // Nothing if there is none.
  virtual void client(std::string issuer, ClientDone done) = 0;
  // Instead of the one of the same issuer.
  virtual void keep(StoredClient client, Done done) = 0;
  // If it is still the one that is kept.
  virtual void forget_client(std::string issuer, std::string id, Done done) = 0;
  // The same, unless there are tokens of that client.
  virtual void forget_unused_client(std::string issuer, std::string id, Done done) = 0;

  // For whoever renews a token of the remote, from reading it until the next one is kept: refresh tokens are good for
  // once. Null if the store cannot lock anything: renewing is then possible all the same.
  virtual void lock(std::string remote, LockDone done) = 0;
};

}  // namespace collet::client::auth
