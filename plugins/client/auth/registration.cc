#include "client/auth/registration.h"

#include <algorithm>

#include "client/auth/json.h"
#include "client/auth/limits.h"
#include "client/net/text.h"

namespace collet::client::auth {
namespace {

ClientIdentity identity_of(const StoredClient& client) {
  ClientIdentity identity;
  identity.id = client.id;
  identity.secret = client.secret;
  identity.method = parse_auth_method(client.auth_method).value_or(AuthMethod::none);
  identity.registered = true;
  return identity;
}

// We are an application on somebody's machine and cannot keep a secret from its owner: rather none than one.
AuthMethod method_to_register(const ServerMetadata& server) {
  const auto& offered = server.token_endpoint_auth_methods;
  const bool none = std::find(offered.begin(), offered.end(), name_of(AuthMethod::none)) != offered.end();
  return none ? AuthMethod::none : choose_auth_method(offered, true, false).value_or(AuthMethod::none);
}

Result<StoredClient> parse_registration(const FetchResponse& response, const std::string& url,
                                        AuthMethod asked_for) {
  const std::string what = "registering with " + url;
  if (response.body.size() > limits::kDocumentBytesMax) {
    return Error{what + ": the answer is larger than " + std::to_string(limits::kDocumentBytesMax) + " bytes"};
  }
  StoredClient client;
  client.auth_method = name_of(asked_for);
  std::string error, description;
  const Result<void> read = read_document(response.body, what, [&](std::string_view key, JsonReader& reader) {
    if (key == "client_id") {  // a number at servers that count theirs
      client.id = reader.peek() == std::string_view("string") ? read_text(reader) : std::string(reader.read_raw());
    } else if (key == "client_secret") {
      client.secret = read_text(reader);
    } else if (key == "client_secret_expires_at") {
      client.secret_expires_at = read_seconds(reader).value_or(0);
    } else if (key == "token_endpoint_auth_method") {
      client.auth_method = read_text(reader);
    } else if (key == "error") {
      error = read_text(reader);
    } else if (key == "error_description") {
      description = read_text(reader);
    } else {
      reader.read_raw();
    }
  });
  const bool refused = response.status != 200 && response.status != 201;
  if (refused || (read && client.id.empty() && !error.empty())) {
    const std::string why =
        read && !error.empty() ? shown(error + " " + description) : std::to_string(response.status);
    return Error{what + ": the server answered " + why +
                 "; register a client yourself and configure its auth.client_id"};
  }
  if (!read) return read.failure();
  if (client.id.empty()) return Error{what + ": the answer has no client_id"};
  const std::optional<AuthMethod> method = parse_auth_method(client.auth_method);
  if (!method || method == AuthMethod::private_key_jwt) {
    return Error{what + ": the server wants the authentication method " + in_quotes(client.auth_method) +
                 ", which was not asked for"};
  }
  // Some name their default method to whom they have given no secret.
  if (client.secret.empty()) client.auth_method = name_of(AuthMethod::none);
  return client;
}

}  // namespace

Result<ClientIdentity> Registration::configured(const ServerMetadata& server) const {
  ClientIdentity identity;
  identity.id = config_.client_id;
  identity.secret = config_.client_secret;
  identity.key = config_.key;
  identity.key_id = config_.key_id;
  if (config_.auth_method) {
    identity.method = *config_.auth_method;
    return identity;
  }
  const bool has_secret = !identity.secret.empty();
  const std::optional<AuthMethod> method =
      choose_auth_method(server.token_endpoint_auth_methods, has_secret, identity.key != nullptr);
  if (method) {
    identity.method = *method;
  } else if (!has_secret && !identity.key) {
    identity.method = AuthMethod::none;  // a public client; servers that take them do not always say so
  } else {
    return Error{"the authorization server " + server.issuer + " takes none of the proofs that client " +
                 in_quotes(identity.id) + " has; set auth.token_endpoint_auth_method if you know better"};
  }
  return identity;
}

void Registration::known(const ServerMetadata& server, const std::string& redirect_uri,
                         std::function<void(Result<std::optional<ClientIdentity>>)> done) const {
  if (!config_.client_id.empty()) {
    Result<ClientIdentity> identity = configured(server);
    if (!identity) return done(identity.failure());
    return done(std::optional(std::move(*identity)));
  }
  if (!config_.client_metadata_url.empty() && server.client_id_metadata_document_supported) {
    ClientIdentity identity;
    identity.id = config_.client_metadata_url;
    return done(std::optional(std::move(identity)));
  }
  store_.client(server.issuer, [redirect_uri, clock = clock_, done = std::move(done)](
                                   const Result<std::optional<StoredClient>>& stored) {
    if (!stored) return done(stored.failure());
    if (!*stored) return done(std::optional<ClientIdentity>());
    const StoredClient& client = **stored;
    const bool expired = client.secret_expires_at != 0 && client.secret_expires_at <= clock();
    const bool elsewhere = !redirect_uri.empty() && client.redirect_uri != redirect_uri;
    if (expired || elsewhere) return done(std::optional<ClientIdentity>());
    done(std::optional(identity_of(client)));
  });
}

void Registration::identify(const ServerMetadata& server, const std::string& redirect_uri,
                            std::function<void(Result<ClientIdentity>)> done) const {
  known(server, redirect_uri,
        [this, alive = std::weak_ptr<int>(alive_), server, redirect_uri,
         done = std::move(done)](Result<std::optional<ClientIdentity>> identity) {
          if (alive.expired()) return;
          if (!identity) return done(identity.failure());
          if (*identity) return done(std::move(**identity));
          register_client(server, redirect_uri, done);
        });
}

void Registration::register_client(const ServerMetadata& server, const std::string& redirect_uri,
                                   std::function<void(Result<ClientIdentity>)> done) const {
  const std::string& url = server.registration_endpoint;
  if (url.empty()) {
    return done(
        Error{"the authorization server " + server.issuer +
              " does not register clients by itself; register one with it and configure its auth.client_id" +
              (server.client_id_metadata_document_supported ? ", or set auth.client_metadata_url" : "")});
  }
  const AuthMethod method = method_to_register(server);
  fetcher_.fetch(request(server, redirect_uri, method),
                 [=, &store = store_, issuer = server.issuer](const Result<FetchResponse>& response) {
                   if (!response) return done(Error{"registering with " + url + ": " + response.message()});
                   Result<StoredClient> client = parse_registration(*response, url, method);
                   if (!client) return done(client.failure());
                   client->issuer = issuer;
                   client->redirect_uri = redirect_uri;
                   store.keep(*client, [done, identity = identity_of(*client)](const Result<void>& kept) {
                     kept ? done(identity) : done(kept.failure());
                   });
                 });
}

void Registration::redirect_uri(const std::string& issuer, std::function<void(std::string)> done) const {
  if (!config_.client_id.empty()) return done({});
  store_.client(issuer, [done = std::move(done)](const Result<std::optional<StoredClient>>& stored) {
    done(stored && *stored ? (*stored)->redirect_uri : std::string());
  });
}

FetchRequest Registration::request(const ServerMetadata& server, const std::string& redirect_uri,
                                   AuthMethod method) const {
  JsonMembers body{"{"};
  body.add("client_name", config_.client_name);
  body.add("application_type", "native");
  append_texts(body, "redirect_uris", {redirect_uri});
  append_texts(body, "grant_types", {"authorization_code", "refresh_token"});
  append_texts(body, "response_types", {"code"});
  body.add("token_endpoint_auth_method", name_of(method));
  FetchRequest post;
  post.method = "POST";
  post.url = server.registration_endpoint;
  post.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  post.body = body.text + "}";
  return post;
}

}  // namespace collet::client::auth
