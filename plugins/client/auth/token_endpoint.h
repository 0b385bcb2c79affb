// One request to a token endpoint (RFC 6749 §3.2), with the DPoP proof if there is a key for it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "client/auth/client_identity.h"
#include "client/auth/dpop.h"
#include "client/net/fetch.h"
#include "client/net/url.h"

namespace collet::client::auth {

using Clock = std::function<std::int64_t()>;  // seconds since 1970

struct Tokens {
  std::string access_token;
  std::string token_type;  // in lower case
  std::string issued_token_type;
  std::string refresh_token;
  std::optional<std::int64_t> expires_in;  // seconds
};

struct TokenRefusal {
  std::string code;  // RFC 6749 §5.2, such as "invalid_grant"; empty if there was no answer to understand
  std::string message;
  bool temporary = false;  // the endpoint is in trouble: what was sent may be as good as ever

  // The server does not have the client, or not any more.
  bool unknown_client() const { return code == "invalid_client" || code == "unauthorized_client"; }
};

using TokenAnswer = std::variant<Tokens, TokenRefusal>;

struct TokenRequest {
  std::string url;
  std::string issuer;  // the audience of a client assertion
  Form form;
  ClientIdentity client;
  std::shared_ptr<Dpop> dpop;  // shared with the authorizer; null: none
};

// `done` is called once, later. The fetcher outlives the request. A demand for a nonce is met, once.
void request_token(Fetcher& fetcher, const Clock& clock, TokenRequest request,
                   std::function<void(TokenAnswer)> done);

// Of a 200 answer's body: JSON, or a form where a server insists. `url` is for messages.
TokenAnswer parse_tokens(std::string_view body, const std::string& url);

// What a server says about an error, short and in one line.
std::string shown(std::string_view text);

}  // namespace collet::client::auth
