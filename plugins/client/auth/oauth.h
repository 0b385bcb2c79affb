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
  std::optional<LastingHeaders> lasting_headers(std::string_view url) const override;
  void challenged(int status, const std::vector<HttpHeader>& headers,
                  std::function<void(Result<bool>)> done) override;
  std::vector<std::string> secrets() const override;

 private:
  using HeadersDone = std::function<void(Result<std::vector<HttpHeader>>)>;
  using RetryDone = std::function<void(Result<bool>)>;

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
    bool keeping = false;      // token_ is on its way into the store, which may still give the one before
    TokenStore::LockPtr lock;  // while nobody else may renew the token
  };

  // What the store has for us, held against the token that we have.
  enum class Stored { nothing, nothing_new, another };

  bool is_for_remote(std::string_view url) const;
  // What headers() and challenged() do once the token is loaded.
  void give_headers(std::string_view method, std::string_view url, HeadersDone done);
  void refused(int status, const Challenge& challenge, const RetryDone& done);
  void retry_without_run(const RetryDone& done);
  void wait_for_run(int status, const Challenge& challenge, RetryDone done);

  // The steps of a run, in their order. Each ends in the next one or in finish().
  void start(Run run);
  void got_resource(Result<Description> found);
  void got_server(Result<ServerMetadata> metadata);
  void got_lock(Result<TokenStore::LockPtr> lock);
  void obtain();
  void refresh(const ClientIdentity& client);
  void got_refreshed(TokenAnswer answer);
  void authorize();
  void got_redirect_uri(std::string preferred);
  void identify();
  void got_client(Result<ClientIdentity> client);
  void got_tokens(TokenAnswer answer);
  // With whether there is a token to try again with.
  void finish(Result<bool> result);

  Error too_often() const;
  Result<std::string> choose_issuer(const ResourceMetadata& metadata) const;
  Scopes choose_scopes() const;
  Result<void> choose_dpop();
  // Whether our refresh token is of use in this run, if its client is still known.
  bool may_refresh() const;
  // `found` is told the client that holds our refresh token, if it is of use in this run. Not once this is destroyed.
  void find_refreshing_client(std::function<void(const std::optional<ClientIdentity>&)> found);
  void take(const Tokens& tokens);
  void kept(Result<void> result);
  void got_left_behind(Result<std::optional<StoredToken>> stored);
  void give_up(Error failure);
  void register_anew(std::function<void(Result<void>)> then);

  bool loaded() const { return loaded_ || hooks_.logs_in; }
  // Asks the store, if not loaded(). `done` is not called once this is destroyed.
  void load(std::function<void(Result<void>)> done);
  void got_loaded(Result<std::optional<StoredToken>> token);
  bool adopt(StoredToken token);
  // Asks the store, and adopts a token that is another. `done` is not called once this is destroyed.
  void look_into_store(std::function<void(Stored)> done);
  Stored compare(Result<std::optional<StoredToken>> stored, const std::string& had);
  bool expired(const StoredToken& token) const;
  bool renewable() const;
  // Whether a request has to wait for a run, under way or to be started.
  bool must_wait() const;
  std::vector<HttpHeader> current_headers(std::string_view method, std::string_view url) const;
  GrantRequest grant_request() const;
  void say_changed() const;

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
  std::vector<std::function<void(Result<void>)>> loading_;  // who waits for the store's first answer
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
  std::vector<RetryDone> waiting_;  // for run_
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace collet::client::auth
