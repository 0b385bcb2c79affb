// OAuth 2.1 as MCP has it: from a refusal to a token, and from token to token. One remote's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/auth.h"
#include "client/auth/budget.h"
#include "client/auth/config.h"
#include "client/auth/discovery.h"
#include "client/auth/following_agent.h"
#include "client/auth/grant.h"
#include "client/auth/limits.h"
#include "client/auth/registration.h"
#include "client/net/challenge.h"

namespace collet::client::auth {

class OAuth final : public Authorizer {
 public:
  OAuth(Config config, std::string name, Url remote, Fetcher& fetcher, UserAgent& agent, TokenStore& store,
        Hooks hooks);

  void headers(std::string_view method, std::string_view url,
               std::function<void(Result<std::vector<HttpHeader>>)> done) override;
  void challenged(int status, const std::vector<HttpHeader>& headers,
                  std::function<void(Result<bool>)> done) override;
  std::vector<std::string> secrets() const override;

 private:
  // The way to a new token, walked by one for all who wait.
  struct Run {
    int status = 0;            // with which the remote refused; 0: it did not, the token is only old
    bool refreshable = false;  // a fresh token of the same scopes may be all that is wanted
    bool undescribed = false;  // the remote says nothing of how to be authorized
    std::string trouble;       // then: why it may not have been able to
    Challenge challenge;
    ResourceMetadata resource;
    ServerMetadata server;
    ClientIdentity client;
    Scopes scopes;
    std::string redirect_uri;
    bool registered_anew = false;
    std::optional<FileLock> lock;  // while nobody else may renew the token
  };

  // The steps of a run, in their order. Each ends in the next one or in finish().
  void start(Run run);
  void got_resource(Result<Description> found);
  void got_server(Result<ServerMetadata> metadata);
  void got_lock(Result<FileLock> lock);
  void obtain();
  void refresh(const ClientIdentity& client);
  void got_refreshed(TokenAnswer answer);
  void authorize();
  void got_client(Result<ClientIdentity> client);
  void got_tokens(TokenAnswer answer);
  // With whether there is a token to try again with.
  void finish(Result<bool> result);

  Error too_often() const;
  Result<std::string> choose_issuer(const ResourceMetadata& metadata) const;
  Scopes choose_scopes() const;
  Result<void> choose_dpop();
  // The client that holds our refresh token, if it is of use in this run.
  std::optional<ClientIdentity> refreshing_client() const;
  void take(const Tokens& tokens);
  void kept(Result<void> result);
  void give_up(Error failure);
  void register_anew(std::function<void(Result<void>)> then);

  Result<void> load();
  bool adopt(StoredToken token);
  bool adopt_newer();
  bool is_logged_out() const;
  bool expired(const StoredToken& token) const;
  bool renewable() const;
  std::vector<HttpHeader> current_headers(std::string_view method, std::string_view url) const;
  GrantRequest grant_request() const;

  // `step` as a callback that does nothing once this is destroyed.
  template <class T>
  std::function<void(T)> then(void (OAuth::*step)(T)) {
    return [this, alive = std::weak_ptr<int>(alive_), step](T value) {
      if (!alive.expired()) (this->*step)(std::move(value));
    };
  }

  const Config config_;
  const std::string name_;
  const Url remote_;
  Fetcher& fetcher_;
  FollowingAgent following_;
  UserAgent& agent_;
  TokenStore& store_;
  const Hooks hooks_;
  const Registration registration_;
  const std::unique_ptr<Grant> grant_;

  bool loaded_ = false;
  std::optional<StoredToken> token_;
  std::optional<std::string> behind_;     // the access token that the store still has, if token_ could not be kept
  std::int64_t renew_at_ = 0;             // 0: never
  std::shared_ptr<Dpop> dpop_;            // shared with token requests on their way
  std::optional<ServerMetadata> server_;  // of token_
  Scopes demanded_;                       // by all challenges so far
  std::string last_failure_;              // of a run, if the last one failed
  Budget authorizations_{limits::kAuthorizationsMax, limits::kAuthorizationWindowS};
  Budget free_retries_{limits::kFreeRetriesMax, limits::kAuthorizationWindowS};

  std::optional<Run> run_;
  std::vector<std::function<void(Result<bool>)>> waiting_;  // for run_
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace collet::client::auth
