#include "client/auth/authorization_code.h"

#include <algorithm>

#include "client/auth/pkce.h"
#include "client/net/challenge.h"

namespace collet::client::auth {
namespace {

constexpr std::size_t kStateBytes = 24;

std::string authorization_url(const GrantRequest& request, const std::string& state, const std::string& verifier) {
  Form query = {{"response_type", "code"},
                {"client_id", request.client.id},
                {"redirect_uri", request.redirect_uri},
                {"state", state},
                {"code_challenge", pkce_challenge(verifier)},
                {"code_challenge_method", "S256"}};
  if (!request.resource.empty()) query.emplace_back("resource", request.resource);
  if (!request.scopes.empty()) query.emplace_back("scope", join_scopes(request.scopes));
  // Without it OpenID providers ignore the scope (OpenID Connect Core 1.0 §11).
  if (contains(request.scopes, kOfflineAccess)) query.emplace_back("prompt", "consent");
  return with_query(request.server.authorization_endpoint, query);
}

Result<void> check_server(const ServerMetadata& server, bool assume_pkce) {
  if (server.authorization_endpoint.empty()) {
    return Error{"the authorization server " + server.issuer + " has no authorization endpoint"};
  }
  const auto& methods = server.code_challenge_methods;
  if (!assume_pkce && std::find(methods.begin(), methods.end(), "S256") == methods.end()) {
    return Error{
        "the authorization server " + server.issuer +
        " does not say that it supports PKCE with S256, without which a code could be stolen; if it does, set "
        "auth.assume_pkce"};
  }
  return {};
}

// Of a page that a person would see and we would not hear of: servers send nobody back to a client that they do not
// know (RFC 6749 §4.1.2.1). A browser gets past other refusals, such as those of guards against programs.
bool is_error_page(const FetchResponse& page) {
  const bool asks_for_password = find_header(page.headers, "www-authenticate").data() != nullptr;
  switch (page.status) {
    case 400:
    case 404:
    case 410:
    case 422:
    case 500:
      return true;
    case 401:
      return !asks_for_password;
    default:
      return false;
  }
}

TokenRefusal unknown_client(const FetchResponse& page, const GrantRequest& request) {
  std::string message = "the authorization server " + request.server.issuer + " answers the browser with " +
                        std::to_string(page.status);
  if (const std::string text = shown(page.body); !text.empty() && text.find('<') == text.npos)
    message += ": " + text;
  if (!request.client.registered) {
    message += "; is auth.client_id '" + request.client.id + "' registered with the redirect URI " +
               request.redirect_uri + "?";
  }
  return {"invalid_client", std::move(message)};
}

}  // namespace

void AuthorizationCode::obtain(GrantRequest request, std::function<void(TokenAnswer)> done) {
  const Result<void> able = check_server(request.server, context_.config.assume_pkce);
  if (!able) return done(TokenRefusal{{}, able.message()});
  Asked asked{random_text(kStateBytes), pkce_verifier(), {}, std::move(request)};
  asked.url = authorization_url(asked.request, asked.state, asked.verifier);
  if (!context_.agent.is_browser()) return ask(context_, asked, done);
  FetchRequest look;
  look.url = asked.url;
  look.headers = {{"Accept", "text/html"}};
  context_.fetcher.fetch(std::move(look), [context = context_, alive = std::weak_ptr<int>(alive_), asked,
                                           done](const Result<FetchResponse>& page) {
    if (alive.expired()) return;
    if (page && is_error_page(*page)) return done(unknown_client(*page, asked.request));
    ask(context, asked, done);
  });
}

void AuthorizationCode::ask(const GrantContext& context, const Asked& asked,
                            const std::function<void(TokenAnswer)>& done) {
  context.agent.authorize(asked.url, asked.request.redirect_uri, [=](const Result<std::string>& query) {
    if (!query) return done(TokenRefusal{{}, query.message()});
    const Result<std::string> code = check_callback(*query, asked.request.server, asked.state);
    if (!code) return done(TokenRefusal{{}, code.message()});
    TokenRequest exchange = token_request(asked.request, {{"grant_type", "authorization_code"},
                                                          {"code", *code},
                                                          {"redirect_uri", asked.request.redirect_uri},
                                                          {"code_verifier", asked.verifier}});
    request_token(context.fetcher, context.clock, std::move(exchange), done);
  });
}

Result<std::string> check_callback(std::string_view query, const ServerMetadata& server, std::string_view state) {
  const Result<Form> form = form_decode(query);
  if (!form) return form.failure();
  const std::string* const state_back = find(*form, "state");
  if (!state_back || *state_back != state) {
    return Error{"the answer of the authorization server is not for this request: its state is another"};
  }
  const std::string* const issuer = find(*form, "iss");
  if (!issuer && server.iss_parameter_supported) {
    return Error{"the answer of the authorization server " + server.issuer +
                 " lacks the issuer that it promises to name in each; it may come from another server"};
  }
  if (issuer && *issuer != server.issuer) {
    return Error{"the answer is of issuer '" + *issuer + "', not of '" + server.issuer + "' that was asked"};
  }
  if (const std::string* const error = find(*form, "error")) {
    const std::string* const description = find(*form, "error_description");
    return Error{"the authorization server " + server.issuer + " refused: " + shown(*error) +
                 (description ? ": " + shown(*description) : std::string())};
  }
  const std::string* const code = find(*form, "code");
  if (!code || code->empty())
    return Error{"the answer of the authorization server has neither a code nor an error"};
  return *code;
}

}  // namespace collet::client::auth
