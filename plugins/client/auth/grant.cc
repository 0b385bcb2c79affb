#include "client/auth/grant.h"

#include <cstdlib>

#include "client/auth/authorization_code.h"

namespace collet::client::auth {
namespace {

constexpr const char* kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr const char* kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr const char* kIdToken = "urn:ietf:params:oauth:token-type:id_token";
constexpr const char* kIdJag = "urn:ietf:params:oauth:token-type:id-jag";

using Done = std::function<void(TokenAnswer)>;

Form with_scope(Form form, const Scopes& scopes) {
  if (!scopes.empty()) form.emplace_back("scope", join_scopes(scopes));
  return form;
}

// RFC 6749 §4.4.
class ClientCredentials final : public Grant {
 public:
  explicit ClientCredentials(const GrantContext& context) : context_(context) {}

  void obtain(GrantRequest request, Done done) override {
    Form form = with_scope({{"grant_type", "client_credentials"}}, request.scopes);
    request_token(context_.fetcher, context_.clock, token_request(request, std::move(form)), std::move(done));
  }

 private:
  const GrantContext context_;
};

// RFC 7523 §2.1 with a token that the platform gives the workload.
class WorkloadIdentity final : public Grant {
 public:
  explicit WorkloadIdentity(const GrantContext& context) : context_(context) {}

  void obtain(GrantRequest request, Done done) override {
    const Result<std::string> token = context_.config.token.read();
    if (!token) return done(TokenRefusal{{}, "reading the workload's token: " + token.message()});
    Form form = with_scope({{"grant_type", kJwtBearer}, {"assertion", *token}}, request.scopes);
    request_token(context_.fetcher, context_.clock, token_request(request, std::move(form)), std::move(done));
  }

 private:
  const GrantContext context_;
};

// The identity provider turns the user's ID token into a grant for this server and resource (RFC 8693), and that
// becomes the access token (RFC 7523).
class EnterpriseManaged final : public Grant {
 public:
  explicit EnterpriseManaged(const GrantContext& context) : context_(context) {}

  void obtain(GrantRequest request, Done done) override {
    const Config& config = context_.config;
    const Result<std::string> id_token = config.id_token.read();
    if (!id_token) return done(TokenRefusal{{}, "reading the ID token: " + id_token.message()});
    TokenRequest exchange;
    exchange.url = config.idp_token_endpoint;
    exchange.issuer = config.idp_token_endpoint;
    exchange.client.id = config.idp_client_id.empty() ? config.client_id : config.idp_client_id;
    exchange.client.secret = config.idp_client_secret;
    if (!config.idp_client_secret.empty()) exchange.client.method = AuthMethod::client_secret_basic;
    exchange.form = with_scope({{"grant_type", kTokenExchange},
                                {"requested_token_type", kIdJag},
                                {"audience", request.server.issuer},
                                {"subject_token", *id_token},
                                {"subject_token_type", kIdToken}},
                               request.scopes);
    if (!request.resource.empty()) exchange.form.emplace_back("resource", request.resource);
    request_token(context_.fetcher, context_.clock, std::move(exchange),
                  [context = context_, request = std::move(request), done = std::move(done)](TokenAnswer answer) {
                    redeem(context, request, std::move(answer), done);
                  });
  }

 private:
  static void redeem(const GrantContext& context, const GrantRequest& request, TokenAnswer answer,
                     const Done& done) {
    if (std::holds_alternative<TokenRefusal>(answer)) return done(std::move(answer));
    const Tokens& grant = std::get<Tokens>(answer);
    if (grant.issued_token_type != kIdJag) {
      return done(TokenRefusal{
          {},
          "the identity provider issued a token of type '" + grant.issued_token_type + "' instead of " + kIdJag});
    }
    Form form = with_scope({{"grant_type", kJwtBearer}, {"assertion", grant.access_token}}, request.scopes);
    request_token(context.fetcher, context.clock, token_request(request, std::move(form)), done);
  }

  const GrantContext context_;
};

}  // namespace

std::unique_ptr<Grant> make_grant(const GrantContext& context) {
  switch (context.config.type) {
    case AuthType::client_credentials:
      return std::make_unique<ClientCredentials>(context);
    case AuthType::workload_identity:
      return std::make_unique<WorkloadIdentity>(context);
    case AuthType::enterprise:
      return std::make_unique<EnterpriseManaged>(context);
    case AuthType::oauth:
      return std::make_unique<AuthorizationCode>(context);
    case AuthType::none:
      break;
  }
  std::abort();
}

TokenRequest token_request(const GrantRequest& request, Form form) {
  TokenRequest out;
  out.url = request.server.token_endpoint;
  out.issuer = request.server.issuer;
  out.form = std::move(form);
  if (!request.resource.empty()) out.form.emplace_back("resource", request.resource);
  out.client = request.client;
  out.dpop = request.dpop;
  return out;
}

}  // namespace collet::client::auth
