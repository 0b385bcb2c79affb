#include "plugins/client/auth/world.h"

#include <collet/kit/base64.hpp>

#include "client/auth/pkce.h"
#include "client/auth/scopes.h"
#include "client/net/challenge.h"
#include "plugins/client/auth/json_value.h"
#include "plugins/client/auth/verified_jwt.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;

namespace {

FetchResponse json(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

FetchResponse not_found() { return {404, {}, "no such page"}; }

std::string texts(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ",\"" : "\"") + item + "\"";
  return out + "]";
}

Form form_of(std::string_view text) {
  auto form = form_decode(text);
  REQUIRE(form);
  return *form;
}

}  // namespace

std::string field(const Form& form, std::string_view name) {
  const std::string* const value = find(form, name);
  return value ? *value : "";
}

std::string header(const std::vector<HttpHeader>& headers, std::string_view name) {
  return std::string(find_header(headers, name));
}

void WorldLocks::take(std::string path, std::uint64_t, Done done) {
  waiting_.emplace_back(std::move(path), std::move(done));
  look_again();
}

bool WorldLocks::look_again() {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    Result<std::optional<FileLock>> lock = FileLock::try_take(waiting_[i].first);
    if (lock && !*lock) continue;
    const Done done = std::move(waiting_[i].second);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    done(lock ? Result<FileLock>(std::move(**lock)) : lock.failure());
    return true;
  }
  return false;
}

World::World() : World(GENERATE(Kept::in_file, Kept::in_memory)) {}

World::World(Kept kept) : servers(1), store(kept == Kept::in_file ? static_cast<TokenStore&>(file) : memory) {}

template <class T>
Result<T> World::told(const std::function<void(std::function<void(Result<T>)>)>& ask) {
  std::optional<Result<T>> result;
  ask([&](Result<T> answer) { result.emplace(std::move(answer)); });
  while (!result && memory.answer()) {
  }
  REQUIRE(result);
  return std::move(*result);
}

std::optional<StoredToken> World::kept_token() {
  const auto token = told<std::optional<StoredToken>>([&](auto done) { store.token("demo", done); });
  REQUIRE(token);
  return *token;
}

std::optional<StoredClient> World::kept_client(std::string issuer) {
  const auto client = told<std::optional<StoredClient>>([&](auto done) { store.client(issuer, done); });
  REQUIRE(client);
  return *client;
}

Result<void> World::outcome(const std::function<void(TokenStore::Done)>& change) { return told<void>(change); }

void World::fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) {
  requests.push_back(request);
  pending_.push_back({std::move(request), std::move(done)});
}

bool World::step() {
  if (pending_.empty()) return memory.answer() || locks.look_again();
  Pending next = std::move(pending_.front());
  pending_.pop_front();
  if (const auto why = broken.find(next.request.url); why != broken.end()) {
    next.done(Error{why->second});
  } else if (const auto other = special.find(next.request.url); other != special.end()) {
    next.done(other->second());
  } else {
    next.done(answer(next.request));
  }
  return true;
}

void World::run() {
  while (step()) {
  }
}

std::unique_ptr<collet::client::Authorizer> World::authorizer(std::string_view config, UserAgent* agent) {
  Hooks hooks{[this] { return now; }, [this](std::string_view text) { warnings.emplace_back(text); }};
  hooks.changed = [this] {
    if (changed) changed();
  };
  auto made = make(config, "demo", url, *this, agent ? *agent : agent_, store, std::move(hooks));
  INFO((made ? "" : made.message()));
  REQUIRE(made);
  return std::move(*made);
}

std::size_t World::count(std::string_view method, std::string_view where) const {
  std::size_t n = 0;
  for (const FetchRequest& request : requests) n += request.method == method && request.url == where;
  return n;
}

std::string World::call(collet::client::Authorizer& authorizer, std::string_view operation, unsigned attempts) {
  for (unsigned i = 0; i < attempts; ++i) {
    std::optional<Result<std::vector<HttpHeader>>> headers;
    authorizer.headers("POST", url, [&](auto result) { headers = std::move(result); });
    run();
    REQUIRE(headers);
    if (!*headers) return headers->message();
    const FetchResponse response = serve(operation, **headers);
    if (response.status == 200) return "200";
    std::optional<Result<bool>> again;
    authorizer.challenged(response.status, response.headers, [&](auto result) { again = std::move(result); });
    run();
    REQUIRE(again);
    if (!*again) return again->message();
    if (!**again) return std::to_string(response.status);
  }
  return "out of attempts";
}

FetchResponse World::serve(std::string_view operation, const std::vector<HttpHeader>& headers) {
  const std::string authorization = header(headers, "Authorization");
  const auto space = authorization.find(' ');
  const std::string scheme = authorization.substr(0, space);
  const std::string value = space == authorization.npos ? "" : authorization.substr(space + 1);
  const auto known = tokens_.find(value);
  if (refuses_all || known == tokens_.end()) {
    const std::string scope = challenge_scope.empty() ? "" : "scope=\"" + challenge_scope + "\"";
    return refuse(
        401, scope + (value.empty() ? "" : (scope.empty() ? "" : ", ") + std::string("error=\"invalid_token\"")));
  }
  CHECK(scheme == (known->second.key.empty() ? "Bearer" : "DPoP"));
  if (!known->second.key.empty()) {
    Jwt proof = verified_jwt(header(headers, "DPoP"));
    CHECK(proof.header["typ"] == "dpop+jwt");
    CHECK(thumbprint(proof.header["jwk"]) == known->second.key);
    CHECK(proof.claims["htm"] == "POST");
    CHECK(proof.claims["htu"] == url);
    CHECK(proof.claims["ath"] == collet::kit::base64url(sha256(value)));
    CHECK(proofs_seen.insert(proof.claims["jti"]).second);
    if (!server_nonce.empty() && proof.claims["nonce"] != server_nonce) {
      FetchResponse response = refuse(401, "error=\"use_dpop_nonce\"");
      response.headers.push_back({"DPoP-Nonce", server_nonce});
      return response;
    }
  } else {
    CHECK(header(headers, "DPoP").empty());
  }
  const auto needed = needed_scope.find(std::string(operation));
  if (needed != needed_scope.end() && !contains(parse_scopes(known->second.scope), needed->second)) {
    return refuse(403, "error=\"insufficient_scope\", scope=\"" + needed->second + "\"");
  }
  return {200, {}, "{}"};
}

FetchResponse World::refuse(int status, const std::string& parameters) const {
  std::string value = challenge_scheme + " " + parameters;
  const std::string origin = parse_url(url)->origin();
  if (names_prm) value += (parameters.empty() ? "" : ", ") + ("resource_metadata=\"" + origin + prm_path + "\"");
  return {status, {{"WWW-Authenticate", value}}, ""};
}

FetchResponse World::answer(const FetchRequest& request) {
  const auto target = parse_url(request.url);
  REQUIRE(target);
  const std::string origin = target->origin();
  if (request.url == identity_provider + "/token") return exchange(request);
  if (origin == parse_url(url)->origin() && !prm_path.empty() && target->path == prm_path) {
    std::string body =
        "{\"resource\":\"" + resource + "\",\"authorization_servers\":[\"" + servers[named_server].issuer() + "\"]";
    if (!resource_scopes.empty()) body += ",\"scopes_supported\":" + resource_scopes;
    return json(200, body + extra_prm + "}");
  }
  for (AuthorizationServer& server : servers) {
    if (server.origin == origin) return answer(server, target->path, request);
  }
  return not_found();
}

FetchResponse World::answer(AuthorizationServer& server, const std::string& path, const FetchRequest& request) {
  if (path == server.metadata_path) return metadata(server);
  if (path == server.prefix + "/authorize" && request.method == "GET") return authorize(server, request);
  if (path == server.prefix + "/register" && request.method == "POST") return register_client(server, request);
  if (path == server.prefix + "/token" && request.method == "POST") return token(server, request);
  return not_found();
}

FetchResponse World::metadata(const AuthorizationServer& server) const {
  const std::string base = server.issuer();
  std::string body = "{\"issuer\":\"" + server.metadata_issuer.value_or(base) + "\",\"authorization_endpoint\":\"" +
                     base + "/authorize\",\"token_endpoint\":\"" + base + "/token\"";
  if (server.registers) body += ",\"registration_endpoint\":\"" + base + "/register\"";
  if (server.pkce) body += ",\"code_challenge_methods_supported\":[\"S256\"]";
  if (server.client_id_documents) body += ",\"client_id_metadata_document_supported\":true";
  if (server.promises_iss) {
    body += std::string(",\"authorization_response_iss_parameter_supported\":") +
            (*server.promises_iss ? "true" : "false");
  }
  body += ",\"token_endpoint_auth_methods_supported\":" + texts(server.auth_methods);
  if (!server.scopes_supported.empty()) body += ",\"scopes_supported\":" + texts(server.scopes_supported);
  if (!server.dpop_algorithms.empty()) {
    body += ",\"dpop_signing_alg_values_supported\":" + texts(server.dpop_algorithms);
  }
  return json(200, body + server.extra_metadata + "}");
}

FetchResponse World::authorize(AuthorizationServer& server, const FetchRequest& request) {
  const Form query = form_of(parse_url(request.url)->query);
  const bool looks_only = header(request.headers, "Accept") == "text/html";
  if (looks_only && page_status != 0) return {page_status, {}, "<html>are you a robot?"};
  if (knows_clients && !clients_.count(field(query, "client_id"))) return {400, {}, "unknown client"};
  if (looks_only) return {200, {}, "<html>log in here"};
  server.authorizations.push_back(query);
  CHECK(field(query, "response_type") == "code");
  CHECK(field(query, "code_challenge_method") == "S256");
  CHECK(field(query, "code_challenge").size() == 43);
  CHECK(field(query, "state").size() >= 22);
  const std::string code = "code-" + std::to_string(++last_);
  codes_[code] = {field(query, "code_challenge"), field(query, "redirect_uri"), field(query, "client_id"),
                  field(query, "resource"), field(query, "scope")};
  Form back = {{"code", code}, {"state", field(query, "state")}};
  if (server.iss) back.emplace_back("iss", server.iss->empty() ? server.issuer() : *server.iss);
  return {302, {{"Location", with_query(field(query, "redirect_uri"), back)}}, ""};
}

FetchResponse World::register_client(AuthorizationServer& server, const FetchRequest& request) {
  server.registrations.push_back(members(request.body));
  auto& asked = server.registrations.back();
  clients_.insert(server.registered_id);
  CHECK(header(request.headers, "Content-Type") == "application/json");
  const std::string method =
      server.registered_method.empty() ? asked["token_endpoint_auth_method"] : server.registered_method;
  std::string body =
      "{\"client_id\":\"" + server.registered_id + "\",\"token_endpoint_auth_method\":\"" + method + "\"";
  if (method != "none")
    body += ",\"client_secret\":\"registered secret\",\"client_secret_expires_at\":" +
            std::to_string(server.secret_expires_at);
  return json(201, body + "}");
}

void World::check_code(const Form& form) {
  const auto code = codes_.find(field(form, "code"));
  REQUIRE(code != codes_.end());
  CHECK(pkce_challenge(field(form, "code_verifier")) == code->second.challenge);
  CHECK(field(form, "redirect_uri") == code->second.redirect_uri);
  CHECK(field(form, "resource") == code->second.resource);
  CHECK((find(form, "resource") != nullptr) == wants_resource);
}

FetchResponse World::token(AuthorizationServer& server, const FetchRequest& request) {
  CHECK(header(request.headers, "Content-Type") == "application/x-www-form-urlencoded");
  const Form form = form_of(request.body);
  server.token_requests.push_back(form);
  if (server.check_token_request) server.check_token_request(form, request);
  if (!server.refuse.empty())
    return json(400, "{\"error\":\"" + server.refuse + "\",\"error_description\":\"so be it\"}");
  std::string key;
  if (const std::string proof = header(request.headers, "DPoP"); !proof.empty()) {
    Jwt jwt = verified_jwt(proof);
    CHECK(jwt.claims["htm"] == "POST");
    CHECK(jwt.claims["htu"] == server.issuer() + "/token");
    CHECK(jwt.claims.count("ath") == 0);
    CHECK(proofs_seen.insert(jwt.claims["jti"]).second);
    if (!server.dpop_nonce.empty() && jwt.claims["nonce"] != server.dpop_nonce) {
      FetchResponse response = json(400, R"({"error":"use_dpop_nonce"})");
      response.headers.push_back({"DPoP-Nonce", server.dpop_nonce});
      return response;
    }
    if (!server.dpop_algorithms.empty()) key = thumbprint(jwt.header["jwk"]);
  }
  const std::string grant = field(form, "grant_type");
  if (grant == "authorization_code") {
    check_code(form);
    const std::string scope = codes_[field(form, "code")].scope;
    codes_.erase(field(form, "code"));
    return issue(server, scope, key);
  }
  if (grant == "refresh_token") {
    const auto old = refresh_tokens_.find(field(form, "refresh_token"));
    if (old == refresh_tokens_.end()) return json(400, R"({"error":"invalid_grant"})");
    const std::string scope = old->second;
    if (server.rotates) refresh_tokens_.erase(old);
    return issue(server, scope, key, server.rotates);
  }
  return issue(server, field(form, "scope"), key);
}

FetchResponse World::issue(AuthorizationServer& server, const std::string& scope, const std::string& key,
                           bool refreshable) {
  const std::string token = "token-" + std::to_string(++last_) + "-of-" + server.origin.substr(8);
  tokens_[token] = {scope, key};
  std::string body = "{\"access_token\":\"" + token + "\",\"token_type\":\"" + (key.empty() ? "Bearer" : "DPoP") +
                     "\",\"expires_in\":" + std::to_string(server.expires_in);
  if (server.issues_refresh_tokens && refreshable) {
    const std::string refresh = "refresh-" + std::to_string(last_);
    refresh_tokens_[refresh] = scope;
    body += ",\"refresh_token\":\"" + refresh + "\"";
  }
  return json(200, body + "}");
}

FetchResponse World::exchange(const FetchRequest& request) {
  const Form form = form_of(request.body);
  exchanges.push_back(form);
  return json(200,
              R"({"access_token":"the-id-jag","token_type":"N_A","issued_token_type":")" + identity_issues + "\"}");
}
