// The ways to a first token. Each is one class; which one a remote uses is configured.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/auth/client_identity.h"
#include "client/auth/config.h"
#include "client/auth/metadata.h"
#include "client/auth/scopes.h"
#include "client/auth/token_endpoint.h"
#include "client/auth/user_agent.h"
#include "client/net/fetch.h"

namespace collet::client::auth {

struct GrantRequest {
  ServerMetadata server;
  ClientIdentity client;
  std::string resource;        // as the resource calls itself; empty: it is not told
  Scopes scopes;               // none: the server decides
  std::string redirect_uri;    // of a grant that needs a person
  std::shared_ptr<Dpop> dpop;  // shared with the authorizer; null: none
};

class Grant {
 public:
  virtual ~Grant() = default;
  virtual bool needs_person() const { return false; }
  // `done` is called once, maybe before this returns, and perhaps not if the grant is destroyed before.
  virtual void obtain(GrantRequest request, std::function<void(TokenAnswer)> done) = 0;
};

// What every grant borrows; it outlives them.
struct GrantContext {
  const Config& config;
  Fetcher& fetcher;
  UserAgent& agent;
  Clock clock;
};

// Never null; the type is not `none`.
std::unique_ptr<Grant> make_grant(const GrantContext& context);

// A request to the server's token endpoint. `form` has what the grant type wants; the resource is added to it.
TokenRequest token_request(const GrantRequest& request, Form form);

}  // namespace collet::client::auth
