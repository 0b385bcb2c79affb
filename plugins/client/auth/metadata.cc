#include "client/auth/metadata.h"

#include "client/auth/json.h"

namespace collet::client::auth {
namespace {

Scopes read_scopes(JsonReader& reader) {
  if (reader.peek() == std::string_view("string")) return parse_scopes(read_text(reader));
  return read_texts(reader);
}

}  // namespace

Result<ResourceMetadata> parse_resource_metadata(std::string_view text, const std::string& url) {
  const std::string what = "the protected resource metadata at " + url;
  ResourceMetadata metadata;
  const Result<void> read = read_document(text, what, [&](std::string_view key, JsonReader& reader) {
    if (key == "resource") {
      metadata.resource = read_text(reader);
    } else if (key == "authorization_servers") {
      metadata.authorization_servers = read_one_or_more(reader);
    } else if (key == "scopes_supported") {
      add_scopes(metadata.scopes_supported, read_scopes(reader));
    } else if (key == "dpop_bound_access_tokens_required") {
      metadata.dpop_bound_access_tokens_required = reader.read_bool();
    } else {
      reader.read_raw();
    }
  });
  if (!read) return read.failure();
  if (metadata.resource.empty()) return Error{what + " has no 'resource'; RFC 9728 demands it"};
  if (metadata.authorization_servers.empty()) return Error{what + " names no authorization server"};
  return metadata;
}

Result<ServerMetadata> parse_server_metadata(std::string_view text, const std::string& url) {
  const std::string what = "the authorization server metadata at " + url;
  ServerMetadata metadata;
  const Result<void> read = read_document(text, what, [&](std::string_view key, JsonReader& reader) {
    if (key == "issuer") {
      metadata.issuer = read_text(reader);
    } else if (key == "authorization_endpoint") {
      metadata.authorization_endpoint = read_text(reader);
    } else if (key == "token_endpoint") {
      metadata.token_endpoint = read_text(reader);
    } else if (key == "registration_endpoint") {
      metadata.registration_endpoint = read_text(reader);
    } else if (key == "revocation_endpoint") {
      metadata.revocation_endpoint = read_text(reader);
    } else if (key == "scopes_supported") {
      add_scopes(metadata.scopes_supported, read_scopes(reader));
    } else if (key == "token_endpoint_auth_methods_supported") {
      metadata.token_endpoint_auth_methods = read_one_or_more(reader);
    } else if (key == "code_challenge_methods_supported") {
      metadata.code_challenge_methods = read_one_or_more(reader);
    } else if (key == "dpop_signing_alg_values_supported") {
      metadata.dpop_algorithms = read_one_or_more(reader);
    } else if (key == "authorization_response_iss_parameter_supported") {
      metadata.iss_parameter_supported = reader.read_bool();
    } else if (key == "client_id_metadata_document_supported") {
      metadata.client_id_metadata_document_supported = reader.read_bool();
    } else {
      reader.read_raw();
    }
  });
  if (!read) return read.failure();
  if (metadata.issuer.empty()) return Error{what + " has no 'issuer'"};
  return metadata;
}

}  // namespace collet::client::auth
