// A world in memory: one MCP server, its authorization servers, an identity provider. They check what they are
// sent, and every answer comes later, as a network's do.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/auth.h"
#include "client/auth/file_token_store.h"
#include "client/auth/following_agent.h"
#include "client/net/url.h"
#include "plugins/client/auth/memory_token_store.h"
#include "plugins/temporary_directory.h"

using collet::client::Error;
using collet::client::FetchRequest;
using collet::client::FetchResponse;
using collet::client::HttpHeader;
using collet::client::Result;

class World;

struct AuthorizationServer {
  std::string origin = "https://as.example";
  std::string prefix;  // of its endpoints, and of its issuer
  std::string metadata_path = "/.well-known/oauth-authorization-server";
  std::optional<std::string> metadata_issuer;  // instead of its own
  bool registers = true;
  bool client_id_documents = false;
  bool pkce = true;
  std::optional<bool> promises_iss = true;
  std::optional<std::string> iss = "";  // "": its own; nothing: none is sent
  std::vector<std::string> auth_methods = {"none"};
  std::vector<std::string> scopes_supported;
  std::string registered_method;  // told to those who register; "": what they asked for
  std::string registered_id = "registered-client";
  std::vector<std::string> dpop_algorithms;
  std::string dpop_nonce;  // demanded in proofs
  bool issues_refresh_tokens = false;
  bool rotates = true;  // a refresh token is good for once, and another is issued with the next token
  std::int64_t expires_in = 3'600;
  std::int64_t secret_expires_at = 0;
  std::string refuse;          // the error that its token endpoint answers with
  std::string extra_metadata;  // members, each with a comma before it
  // Checks one token request by its own rules.
  std::function<void(const collet::client::Form&, const FetchRequest&)> check_token_request;

  // What happened.
  std::vector<collet::client::Form> authorizations;
  std::vector<collet::client::Form> token_requests;
  std::vector<std::map<std::string, std::string>> registrations;

  std::string issuer() const { return origin + prefix; }
};

// Locks that are looked at again when the world has nothing else to do.
class WorldLocks final : public collet::client::auth::FileLocks {
 public:
  void take(std::string path, std::uint64_t timeout_ms, Done done) override;
  // False if none has become free.
  bool look_again();

 private:
  std::deque<std::pair<std::string, Done>> waiting_;
};

// Where a world keeps tokens: in a file, which answers at once, or in memory, which answers later.
enum class Kept { in_file, in_memory };

class World final : public collet::client::Fetcher {
 public:
  // A test that makes one runs twice, once with each store.
  World();
  explicit World(Kept kept);

  // The MCP server.
  std::string url = "https://mcp.example/mcp";
  std::string prm_path = "/.well-known/oauth-protected-resource/mcp";  // "": there is none
  bool names_prm = true;                                               // in its challenges
  std::string resource = "https://mcp.example/mcp";
  std::string resource_scopes;  // JSON array; "": not told
  std::string challenge_scope;  // of a 401
  std::string challenge_scheme = "Bearer";
  std::string server_nonce;                         // demanded in DPoP proofs
  std::map<std::string, std::string> needed_scope;  // by operation: 403 without it
  bool refuses_all = false;                         // every token, with 401
  std::string extra_prm;                            // members, each with a comma before it
  bool wants_resource = true;                       // named in requests for codes and tokens
  bool knows_clients = false;                       // nobody else gets a login page
  int page_status = 0;                              // of login pages, to whom is no browser; 0: those of the server
  void forget_clients() { clients_.clear(); }

  std::vector<AuthorizationServer> servers;  // the first is the one that the MCP server names
  std::size_t named_server = 0;
  std::string identity_provider = "https://idp.example";
  std::string identity_issues = "urn:ietf:params:oauth:token-type:id-jag";
  std::vector<collet::client::Form> exchanges;  // at the identity provider

  // The client's side.
  std::int64_t now = 1'700'000'000;
  std::vector<std::string> warnings;
  std::function<void()> changed;  // Hooks::changed of every authorizer; may be null
  std::vector<FetchRequest> requests;
  std::set<std::string> proofs_seen;
  std::map<std::string, std::string> broken;                      // by URL: why no answer comes
  std::map<std::string, std::function<FetchResponse()>> special;  // by URL: what is answered instead
  TemporaryDirectory directory;
  WorldLocks locks;
  collet::client::auth::FileTokenStore file{directory.path("tokens.json"), locks};
  MemoryTokenStore memory{MemoryTokenStore::Answers::when_told};
  collet::client::auth::TokenStore& store;  // one of these

  // What the store has, and what came of a change of it. Waits for the store alone; nobody else may hold it.
  std::optional<collet::client::auth::StoredToken> kept_token();
  std::optional<collet::client::auth::StoredClient> kept_client(std::string issuer);
  Result<void> outcome(const std::function<void(collet::client::auth::TokenStore::Done)>& change);

  void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override;
  // Until nothing is under way.
  void run();
  // One answer. False if there was none to give.
  bool step();

  std::unique_ptr<collet::client::Authorizer> authorizer(std::string_view config = "{}",
                                                         collet::client::auth::UserAgent* agent = nullptr);

  // What the MCP server says to `operation` with these headers.
  FetchResponse serve(std::string_view operation, const std::vector<HttpHeader>& headers);
  // As a transport does it: again for as long as the authorizer says so, but no more than `attempts` times. The
  // status, or the failure.
  std::string call(collet::client::Authorizer& authorizer, std::string_view operation = "tools/list",
                   unsigned attempts = 5);

  std::size_t count(std::string_view method, std::string_view url) const;
  void revoke_tokens() { tokens_.clear(); }
  bool has_token(const std::string& token) const { return tokens_.count(token) != 0; }

 private:
  struct Token {
    std::string scope;
    std::string key;  // thumbprint, if it is bound
  };
  struct Code {
    std::string challenge, redirect_uri, client_id, resource, scope;
  };
  template <class T>
  Result<T> told(const std::function<void(std::function<void(Result<T>)>)>& ask);

  struct Pending {
    FetchRequest request;
    std::function<void(Result<FetchResponse>)> done;
  };

  FetchResponse answer(const FetchRequest& request);
  FetchResponse answer(AuthorizationServer& server, const std::string& path, const FetchRequest& request);
  FetchResponse metadata(const AuthorizationServer& server) const;
  FetchResponse authorize(AuthorizationServer& server, const FetchRequest& request);
  FetchResponse register_client(AuthorizationServer& server, const FetchRequest& request);
  FetchResponse token(AuthorizationServer& server, const FetchRequest& request);
  FetchResponse issue(AuthorizationServer& server, const std::string& scope, const std::string& key,
                      bool refreshable = true);
  FetchResponse exchange(const FetchRequest& request);
  FetchResponse refuse(int status, const std::string& parameters) const;
  void check_code(const collet::client::Form& form);

  collet::client::auth::FollowingAgent agent_{*this};
  std::deque<Pending> pending_;
  std::map<std::string, Token> tokens_;
  std::map<std::string, Code> codes_;
  std::map<std::string, std::string> refresh_tokens_;  // to their scope
  std::set<std::string> clients_;
  unsigned last_ = 0;
};

inline const std::string kTokenUrl = "https://as.example/token";  // of the first authorization server
inline std::string refresh_token_of(World& world) { return world.kept_token()->refresh_token; }

// The value of a form's field; "" if there is none.
std::string field(const collet::client::Form& form, std::string_view name);
std::string header(const std::vector<HttpHeader>& headers, std::string_view name);
