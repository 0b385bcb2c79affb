// The two documents that discovery reads: what a resource says of itself, and what its authorization server does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/scopes.h"
#include "client/net/result.h"

namespace collet::client::auth {

// RFC 9728 §2, what we use of it.
struct ResourceMetadata {
  std::string resource;  // exactly as written: it is sent back so
  std::vector<std::string> authorization_servers;
  Scopes scopes_supported;
  bool dpop_bound_access_tokens_required = false;
};

// RFC 8414 §2, what we use of it.
struct ServerMetadata {
  std::string issuer;
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string registration_endpoint;
  std::string revocation_endpoint;  // not checked for trust: a login does without it
  Scopes scopes_supported;
  std::vector<std::string> token_endpoint_auth_methods = {"client_secret_basic"};  // the standard's default
  std::vector<std::string> code_challenge_methods;
  std::vector<std::string> dpop_algorithms;
  bool iss_parameter_supported = false;
  bool client_id_metadata_document_supported = false;
};

// `url` is where `text` came from, for messages. Members that we do not use may be anything, and null stands
// for any that is not there.
Result<ResourceMetadata> parse_resource_metadata(std::string_view text, const std::string& url);
Result<ServerMetadata> parse_server_metadata(std::string_view text, const std::string& url);

}  // namespace collet::client::auth
