// Which client we are at an authorization server: configured, described by a document of ours, registered earlier,
// or registered now (RFC 7591), in this order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/auth/client_identity.h"
#include "client/auth/config.h"
#include "client/auth/metadata.h"
#include "client/auth/token_endpoint.h"
#include "client/auth/token_store.h"
#include "client/net/fetch.h"

namespace collet::client::auth {

// All that is borrowed outlives it.
class Registration {
 public:
  Registration(const Config& config, Fetcher& fetcher, TokenStore& store, Clock clock)
      : config_(config), fetcher_(fetcher), store_(store), clock_(std::move(clock)) {}

  // Each `done` is called once, maybe before these return, maybe after this is destroyed. What is passed by reference is
  // copied.

  // Without asking the server: nothing if it does not know us yet. A registration of ours counts if it was for
  // `redirect_uri`, or for any if that is empty.
  void known(const ServerMetadata& server, const std::string& redirect_uri,
             std::function<void(Result<std::optional<ClientIdentity>>)> done) const;

  // known(), or a new registration, which is kept. Once this is destroyed nothing is begun that was not yet: `done` is
  // then not called.
  void identify(const ServerMetadata& server, const std::string& redirect_uri,
                std::function<void(Result<ClientIdentity>)> done) const;

  // Where the registration with `issuer` wants people sent back to; empty if there is none.
  void redirect_uri(const std::string& issuer, std::function<void(std::string)> done) const;

 private:
  Result<ClientIdentity> configured(const ServerMetadata& server) const;
  void register_client(const ServerMetadata& server, const std::string& redirect_uri,
                       std::function<void(Result<ClientIdentity>)> done) const;
  FetchRequest request(const ServerMetadata& server, const std::string& redirect_uri, AuthMethod method) const;

  const Config& config_;
  Fetcher& fetcher_;
  TokenStore& store_;
  const Clock clock_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace collet::client::auth
