#include "client/auth/authorization_code.h"

#include <algorithm>

#include "client/auth/pkce.h"

namespace collet::client::auth {
namespace {

constexpr std::size_t kStateBytes = 24;

std::string authorization_url(const GrantRequest& request, const std::string& state, const std::string& verifier) {
  Form query = {{"response_type", "code"},
                {"client_id", request.client.id},
                {"redirect_uri", request.redirect_uri},
                {"state", state},
                {"code_challenge", pkce_challenge(verifier)},
                {"code_challenge_method", "S256"},
                {"resource", request.resource}};
  if (!request.scopes.empty()) query.emplace_back("scope", join_scopes(request.scopes));
  // Without it OpenID providers ignore the scope (OpenID Connect Core 1.0 §11).
  if (contains(request.scopes, kOfflineAccess)) query.emplace_back("prompt", "consent");
  return with_query(request.server.authorization_endpoint, query);
}

Result<void> check_server(const ServerMetadata& server) {
  if (server.authorization_endpoint.empty()) {
    return Failure{"the authorization server " + server.issuer + " has no authorization endpoint"};
  }
  const auto& methods = server.code_challenge_methods;
  if (std::find(methods.begin(), methods.end(), "S256") == methods.end()) {
    return Failure{"the authorization server " + server.issuer +
                   " does not say that it supports PKCE with S256, without which a code could be stolen"};
  }
  return {};
}

}  // namespace

void AuthorizationCode::obtain(GrantRequest request, std::function<void(TokenAnswer)> done) {
  if (const Result<void> able = check_server(request.server); !able) return done(TokenRefusal{{}, able.message()});
  const std::string state = random_text(kStateBytes), verifier = pkce_verifier();
  const std::string url = authorization_url(request, state, verifier);
  const std::string redirect_uri = request.redirect_uri;
  context_.agent.authorize(url, redirect_uri, [=, context = context_](const Result<std::string>& query) {
    if (!query) return done(TokenRefusal{{}, query.message()});
    const Result<std::string> code = check_callback(*query, request.server, state);
    if (!code) return done(TokenRefusal{{}, code.message()});
    TokenRequest exchange = token_request(request, {{"grant_type", "authorization_code"},
                                                    {"code", *code},
                                                    {"redirect_uri", redirect_uri},
                                                    {"code_verifier", verifier}});
    request_token(context.fetcher, context.clock, std::move(exchange), done);
  });
}

Result<std::string> check_callback(std::string_view query, const ServerMetadata& server, std::string_view state) {
  const Result<Form> form = form_decode(query);
  if (!form) return form.failure();
  const std::string* const state_back = find(*form, "state");
  if (!state_back || *state_back != state) {
    return Failure{"the answer of the authorization server is not for this request: its state is another"};
  }
  const std::string* const issuer = find(*form, "iss");
  if (!issuer && server.iss_parameter_supported) {
    return Failure{"the answer of the authorization server " + server.issuer +
                   " lacks the issuer that it promises to name in each; it may come from another server"};
  }
  if (issuer && *issuer != server.issuer) {
    return Failure{"the answer is of issuer '" + *issuer + "', not of '" + server.issuer + "' that was asked"};
  }
  if (const std::string* const error = find(*form, "error")) {
    const std::string* const description = find(*form, "error_description");
    return Failure{"the authorization server " + server.issuer + " refused: " + *error +
                   (description ? ": " + *description : std::string())};
  }
  const std::string* const code = find(*form, "code");
  if (!code || code->empty())
    return Failure{"the answer of the authorization server has neither a code nor an error"};
  return *code;
}

}  // namespace collet::client::auth
