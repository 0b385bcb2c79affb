// WWW-Authenticate: why a server refused, and what it wants (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/net/http_header.h"

namespace collet::client {

struct AuthScheme {
  std::string name;                                             // in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, values without quotes
};

// The challenges of one header. What follows a mistake is left out.
std::vector<AuthScheme> parse_www_authenticate(std::string_view value);

// What the Bearer and DPoP challenges of an answer say together; empty where they say nothing.
struct Challenge {
  std::vector<std::string> resource_metadata;  // as many as there are, each once
  std::string scope;
  std::string error;
  bool dpop = false;       // a DPoP challenge is among them
  std::string dpop_nonce;  // of the DPoP-Nonce header
};
Challenge read_challenge(const std::vector<HttpHeader>& headers);

}  // namespace collet::client
