#include "client/auth/oauth.h"

#include <algorithm>

namespace collet::client::auth {
namespace {

std::string without_last_slash(std::string text) {
  if (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

OAuth::OAuth(Config config, std::string name, Url remote, Fetcher& fetcher, UserAgent& agent, TokenStore& store,
             Hooks hooks)
    : config_(std::move(config)),
      name_(std::move(name)),
      remote_(std::move(remote)),
      fetcher_(fetcher),
      following_(fetcher),
      agent_(config_.automatic_consent ? following_ : agent),
      store_(store),
      hooks_(std::move(hooks)),
      registration_(config_, fetcher_, store_, hooks_.clock),
      grant_(make_grant({config_, fetcher_, agent_, hooks_.clock})) {}

void OAuth::headers(std::string_view method, std::string_view url,
                    std::function<void(Result<std::vector<HttpHeader>>)> done) {
  if (!is_for_remote(url)) return done(Error{"no token of " + remote_.origin() + " is sent to " + redact_url(url)});
  if (loaded()) return give_headers(method, url, std::move(done));
  load([this, method = std::string(method), url = std::string(url), done](const Result<void>& result) {
    result ? give_headers(method, url, done) : done(result.failure());
  });
}

std::optional<LastingHeaders> OAuth::lasting_headers(std::string_view url) const {
  if (!is_for_remote(url) || !loaded() || must_wait()) return std::nullopt;
  if (!token_) return LastingHeaders();
  if (token_->token_type == "dpop") return std::nullopt;
  return LastingHeaders{current_headers("POST", url), renewable() ? renew_at_ : token_->expires_at};
}

bool OAuth::is_for_remote(std::string_view url) const {
  const std::optional<Url> target = parse_url(url);
  return target && target->origin() == remote_.origin();
}

bool OAuth::must_wait() const {
  const bool old = token_ && renew_at_ != 0 && hooks_.clock() >= renew_at_;
  return run_ ? !token_ || old : old && renewable();
}

void OAuth::give_headers(std::string_view method, std::string_view url, HeadersDone done) {
  if (!must_wait()) return done(current_headers(method, url));
  waiting_.push_back(
      [this, method = std::string(method), url = std::string(url), done](const Result<bool>& result) {
        if (!result) return done(result.failure());
        done(current_headers(method, url));
      });
  if (run_) return;
  Run run;
  run.refreshable = true;
  start(std::move(run));
}

void OAuth::challenged(int status, const std::vector<HttpHeader>& headers, std::function<void(Result<bool>)> done) {
  Challenge challenge = read_challenge(headers);
  const bool wants_scope = status == 403 && challenge.error == "insufficient_scope";
  if (status != 401 && !wants_scope && !hooks_.logs_in) return done(false);
  if (loaded()) return refused(status, challenge, done);
  load([this, status, challenge = std::move(challenge), done = std::move(done)](const Result<void>& result) {
    result ? refused(status, challenge, done) : done(result.failure());
  });
}

void OAuth::refused(int status, const Challenge& challenge, const RetryDone& done) {
  if (dpop_) dpop_->learn_nonce(remote_.origin(), challenge.dpop_nonce);
  const bool wants_nonce = dpop_ && challenge.error == "use_dpop_nonce" && !challenge.dpop_nonce.empty();
  if (wants_nonce) return retry_without_run(done);
  if (status != 401 || hooks_.logs_in) return wait_for_run(status, challenge, done);
  look_into_store([this, status, challenge, done](Stored stored) {
    if (stored != Stored::another) return wait_for_run(status, challenge, done);
    say_changed();
    retry_without_run(done);
  });
}

void OAuth::retry_without_run(const RetryDone& done) {
  if (free_retries_.take(hooks_.clock())) return done(true);
  done(Error{"the server " + remote_.origin() + " refuses every token and proof"});
}

void OAuth::wait_for_run(int status, const Challenge& challenge, RetryDone done) {
  Run run;
  run.status = status;
  run.challenge = challenge;
  const Scopes scopes = parse_scopes(challenge.scope);
  run.refreshable = status == 401 && token_ && covers(parse_scopes(token_->scope), scopes);
  add_scopes(demanded_, scopes);
  waiting_.push_back(std::move(done));
  if (!run_) start(std::move(run));
}

std::vector<std::string> OAuth::secrets() const {
  std::vector<std::string> all{config_.client_secret, config_.idp_client_secret};
  if (token_) all.insert(all.end(), {token_->access_token, token_->refresh_token});
  if (behind_) all.push_back(*behind_);
  return all;
}

void OAuth::start(Run run) {
  run_.emplace(std::move(run));
  if (run_->status == 0) {
    run_->resource.resource = token_->resource;
    run_->resource.authorization_servers = {token_->issuer};
    if (server_) return got_server(*server_);
    return discover_server(fetcher_, remote_, token_->issuer, then(&OAuth::got_server));
  }
  if (!authorizations_.take(hooks_.clock())) {
    return finish(too_often());
  }
  discover_resource(fetcher_, remote_, config_.resource, run_->challenge.resource_metadata,
                    then(&OAuth::got_resource));
}

Error OAuth::too_often() const {
  if (!last_failure_.empty()) return {last_failure_};
  return {"it refused what was obtained in " + std::to_string(limits::kAuthorizationsMax) +
          " authorizations within " + std::to_string(limits::kAuthorizationWindowS) + " s" +
          (demanded_.empty() ? "" : ", which asked for scope '" + join_scopes(demanded_) + "'")};
}

void OAuth::got_resource(Result<Description> found) {
  if (!found) return finish(found.failure());
  if (found->metadata) {
    run_->resource = std::move(*found->metadata);
  } else if (!found->trouble.empty() && token_) {  // what it said before holds until it can say something else
    run_->resource.resource = token_->resource;
    run_->resource.authorization_servers = {token_->issuer};
  } else {  // as servers before 2025-06-18 are: their own authorization server
    run_->undescribed = true;
    run_->trouble = std::move(found->trouble);
    run_->resource.resource =
        config_.resource.empty() ? without_last_slash(remote_.without_query()) : config_.resource;
    run_->resource.authorization_servers = {config_.issuer.empty() ? remote_.origin() : config_.issuer};
  }
  const Result<std::string> issuer = choose_issuer(run_->resource);
  if (!issuer) return finish(issuer.failure());
  discover_server(fetcher_, remote_, *issuer, then(&OAuth::got_server));
}

Result<std::string> OAuth::choose_issuer(const ResourceMetadata& metadata) const {
  const std::vector<std::string>& offered = metadata.authorization_servers;
  if (!config_.issuer.empty()) {
    const std::string wanted = without_last_slash(config_.issuer);
    const auto is_wanted = [&](const std::string& issuer) { return without_last_slash(issuer) == wanted; };
    if (std::any_of(offered.begin(), offered.end(), is_wanted)) return config_.issuer;
    return Error{"it does not accept tokens of the configured auth.issuer " + config_.issuer + ", but of " +
                 offered.front()};
  }
  if (token_ && has(offered, token_->issuer)) return token_->issuer;
  if (token_ && !config_.client_id.empty() && token_->client_id == config_.client_id) {
    return Error{"its authorization server has changed from " + token_->issuer + " to " + offered.front() +
                 ", where client '" + config_.client_id + "' was not registered; if it is now, set auth.issuer"};
  }
  return offered.front();
}

void OAuth::got_server(Result<ServerMetadata> metadata) {
  const bool refused = run_->status == 401 || run_->status == 403;
  if (!metadata && run_->undescribed && run_->trouble.empty() && !refused) return finish(false);
  if (!metadata && run_->undescribed) {
    const std::string why = run_->trouble.empty() ? "it does not say how to be authorized" : run_->trouble;
    return finish(Error{why + ", and " + metadata.message() +
                        "; if it wants a token of another kind, set it in `headers`"});
  }
  if (!metadata) return finish(metadata.failure());
  run_->server = std::move(*metadata);
  server_ = run_->server;
  run_->scopes = choose_scopes();
  if (!grant_->needs_person()) return store_.lock(name_, then(&OAuth::got_lock));
  find_refreshing_client([this](const std::optional<ClientIdentity>& client) {
    client ? store_.lock(name_, then(&OAuth::got_lock)) : obtain();
  });
}

// What other processes have done until now counts: a refresh token that one of them has used is good for nothing,
// and may cost all of them their login.
void OAuth::got_lock(Result<TokenStore::LockPtr> lock) {
  if (!lock) return finish(lock.failure());
  run_->lock = std::move(*lock);
  look_into_store([this](Stored stored) {
    if (stored == Stored::another) return finish(true);
    const bool logged_out = stored == Stored::nothing && !behind_;  // by `collet logout`
    if (logged_out) token_.reset();
    obtain();
  });
}

void OAuth::obtain() {
  if (const Result<void> chosen = choose_dpop(); !chosen) return finish(chosen.failure());
  find_refreshing_client(
      [this](const std::optional<ClientIdentity>& client) { client ? refresh(*client) : authorize(); });
}

Scopes OAuth::choose_scopes() const {
  if (!config_.scopes.empty()) {  // as they stand
    Scopes scopes = config_.scopes;
    add_scopes(scopes, demanded_);
    return scopes;
  }
  const bool same_server = token_ && token_->issuer == run_->server.issuer;
  Scopes scopes = same_server ? parse_scopes(token_->scope) : Scopes();
  add_scopes(scopes, demanded_);
  if (scopes.empty()) scopes = run_->resource.scopes_supported;
  settle_offline_access(scopes, run_->server.scopes_supported, grant_->needs_person());
  return scopes;
}

Result<void> OAuth::choose_dpop() {
  const std::vector<std::string>& algorithms = run_->server.dpop_algorithms;
  const bool offered = has(algorithms, "ES256");
  const bool demanded = config_.dpop.value_or(run_->resource.dpop_bound_access_tokens_required);
  const bool asked_for = run_->challenge.dpop || (run_->status == 0 && dpop_);
  if (demanded && !algorithms.empty() && !offered) {
    return Error{"the authorization server " + run_->server.issuer + " takes no DPoP proofs signed with ES256"};
  }
  const bool use = config_.dpop.value_or(demanded || (asked_for && offered));
  if (!use) dpop_.reset();
  if (use && !dpop_) dpop_ = std::make_shared<Dpop>(SigningKey::generate());
  return {};
}

bool OAuth::may_refresh() const {
  const bool same = token_ && token_->issuer == run_->server.issuer && token_->resource == run_->resource.resource;
  return same && run_->refreshable && !token_->refresh_token.empty();
}

void OAuth::find_refreshing_client(std::function<void(const std::optional<ClientIdentity>&)> found) {
  if (!may_refresh()) return found(std::nullopt);
  registration_.known(run_->server, {},
                      [this, alive = std::weak_ptr<int>(alive_),
                       found = std::move(found)](const Result<std::optional<ClientIdentity>>& client) {
                        if (alive.expired()) return;
                        // The token may have become another one meanwhile.
                        const bool holds = client && *client && may_refresh() && (*client)->id == token_->client_id;
                        found(holds ? *client : std::nullopt);
                      });
}

void OAuth::refresh(const ClientIdentity& client) {
  run_->client = client;
  TokenRequest request =
      token_request(grant_request(), {{"grant_type", "refresh_token"}, {"refresh_token", token_->refresh_token}});
  request_token(fetcher_, hooks_.clock, std::move(request), then(&OAuth::got_refreshed));
}

void OAuth::got_refreshed(TokenAnswer answer) {
  if (auto* const tokens = std::get_if<Tokens>(&answer)) {
    if (tokens->refresh_token.empty()) tokens->refresh_token = token_->refresh_token;
    return take(*tokens);
  }
  const TokenRefusal& refusal = std::get<TokenRefusal>(answer);
  if (refusal.temporary || refusal.code.empty()) {
    if (run_->status != 0 || expired(*token_)) return finish(Error{refusal.message});
    renew_at_ = std::min(hooks_.clock() + limits::kRenewalPauseS, token_->expires_at);
    return finish(true);
  }
  token_->refresh_token.clear();
  const auto go_on = [this](const Result<void>& forgotten) {
    if (!forgotten) return finish(forgotten.failure());
    // Without a person the old token is tried: if it is refused, that starts over with a challenge.
    if (run_->status == 0 && grant_->needs_person()) return finish(true);
    authorize();
  };
  refusal.unknown_client() && run_->client.registered ? register_anew(go_on) : go_on({});
}

// The server does not know the client any more: the next time it is asked for, it is registered anew.
void OAuth::register_anew(std::function<void(Result<void>)> then) {
  run_->registered_anew = true;
  store_.forget_client(run_->server.issuer, run_->client.id,
                       [alive = std::weak_ptr<int>(alive_), then = std::move(then)](Result<void> forgotten) {
                         if (!alive.expired()) then(std::move(forgotten));
                       });
}

void OAuth::authorize() {
  if (!grant_->needs_person()) return identify();
  registration_.redirect_uri(run_->server.issuer, then(&OAuth::got_redirect_uri));
}

void OAuth::got_redirect_uri(std::string preferred) {
  Result<std::string> uri = agent_.redirect_uri(preferred, config_.redirect_port);
  if (!uri) return finish(uri.failure());
  run_->redirect_uri = std::move(*uri);
  identify();
}

void OAuth::identify() {
  registration_.identify(run_->server, run_->redirect_uri, then(&OAuth::got_client));
}

void OAuth::got_client(Result<ClientIdentity> client) {
  if (!client) return finish(client.failure());
  run_->client = std::move(*client);
  grant_->obtain(grant_request(), then(&OAuth::got_tokens));
}

void OAuth::got_tokens(TokenAnswer answer) {
  if (const auto* const tokens = std::get_if<Tokens>(&answer)) return take(*tokens);
  const TokenRefusal& refusal = std::get<TokenRefusal>(answer);
  const bool forgotten = refusal.unknown_client() && run_->client.registered && !run_->registered_anew;
  if (!forgotten && hooks_.logs_in && run_->client.registered) return give_up(Error{refusal.message});
  if (!forgotten) return finish(Error{refusal.message});
  agent_.conclude(Error{refusal.message + "; there is another page to open"});
  register_anew([this](const Result<void>& result) { result ? authorize() : finish(result.failure()); });
}

// Some servers tell only the person that they do not know the client, and only after the person has logged in. A
// client by which nobody got in is not kept for the next attempt.
void OAuth::give_up(Error failure) {
  const auto done = [this, alive = std::weak_ptr<int>(alive_), failure = std::move(failure)](const Result<void>&) {
    if (!alive.expired()) finish(failure);
  };
  store_.forget_unused_client(run_->server.issuer, run_->client.id, done);
}

void OAuth::take(const Tokens& tokens) {
  const std::string type = tokens.token_type.empty() ? "bearer" : tokens.token_type;
  const bool bound = type == "dpop";
  const bool must_be_bound = config_.dpop.value_or(run_->resource.dpop_bound_access_tokens_required);
  if ((!bound && type != "bearer") || (bound && !dpop_) || (!bound && must_be_bound)) {
    return finish(
        Error{"the authorization server " + run_->server.issuer + " issued a token of type '" + type +
              (must_be_bound ? "', although one bound by DPoP was asked for" : "', which was not asked for")});
  }
  if (!bound) dpop_.reset();
  StoredToken token;
  token.remote = name_;
  token.issuer = run_->server.issuer;
  token.resource = run_->resource.resource;
  token.client_id = run_->client.id;
  token.access_token = tokens.access_token;
  token.token_type = type;
  token.refresh_token = tokens.refresh_token;
  token.scope = join_scopes(run_->scopes);
  if (bound) token.dpop_key = dpop_->key().pem();
  const std::int64_t life = tokens.expires_in.value_or(0), now = hooks_.clock();
  if (life > 0) token.expires_at = now + life;
  renew_at_ = life > 0 ? token.expires_at - std::min(limits::kExpirySkewS, life / 4) : 0;
  token_ = token;
  run_->keeping = true;
  store_.keep(std::move(token), then(&OAuth::kept));
}

void OAuth::kept(Result<void> result) {
  behind_.reset();
  if (result) return finish(true);
  if (hooks_.warn) {
    hooks_.warn("the token of remote " + name_ + " is lost with this process: " + result.message());
  }
  store_.token(name_, then(&OAuth::got_left_behind));
}

void OAuth::got_left_behind(Result<std::optional<StoredToken>> stored) {
  behind_ = stored && *stored ? (*stored)->access_token : std::string();
  finish(true);
}

void OAuth::finish(Result<bool> result) {
  if (!result) result = Error{redact_urls(result.message())};
  last_failure_ = result ? std::string() : result.message();
  agent_.conclude(result ? Result<void>() : Result<void>(result.failure()));
  if (!result) {
    const std::string refused = run_->status >= 400 ? "HTTP status " + std::to_string(run_->status) + ", and " : "";
    result = Error{refused + "authorization at " + remote_.without_query() + " failed: " + result.message()};
  }
  run_.reset();
  say_changed();
  const auto waiting = std::exchange(waiting_, {});
  const std::weak_ptr<int> alive = alive_;  // any of them may destroy this
  for (const auto& done : waiting) {
    if (!alive.expired()) done(result);
  }
}

// The store is asked once for all who wait.
void OAuth::load(std::function<void(Result<void>)> done) {
  loading_.push_back(std::move(done));
  if (loading_.size() == 1) store_.token(name_, then(&OAuth::got_loaded));
}

void OAuth::got_loaded(Result<std::optional<StoredToken>> token) {
  loaded_ = token.ok();
  if (token && *token) adopt(std::move(**token));
  const Result<void> result = token ? Result<void>() : Result<void>(token.failure());
  const auto loading = std::exchange(loading_, {});
  const std::weak_ptr<int> alive = alive_;  // any of them may destroy this
  for (const auto& done : loading) {
    if (!alive.expired()) done(result);
  }
}

// False if it is of no use for the remote as it is now configured.
bool OAuth::adopt(StoredToken token) {
  const std::optional<Url> resource = parse_url(token.resource);
  const bool is_ours = resource && resource_covers(*resource, remote_);
  if (!is_ours && token.resource != config_.resource) return false;
  if (!config_.issuer.empty() && token.issuer != config_.issuer) return false;
  if (!config_.client_id.empty() && token.client_id != config_.client_id) return false;
  dpop_.reset();
  if (token.token_type == "dpop") {
    Result<SigningKey> key = SigningKey::from_pem(token.dpop_key);
    if (!key) return false;
    dpop_ = std::make_shared<Dpop>(std::move(*key));
  }
  if (server_ && server_->issuer != token.issuer) server_.reset();
  renew_at_ = token.expires_at == 0 ? 0 : token.expires_at - limits::kExpirySkewS;
  token_ = std::move(token);
  return true;
}

void OAuth::look_into_store(std::function<void(Stored)> done) {
  if (run_ && run_->keeping) return done(Stored::nothing_new);
  store_.token(name_, [this, alive = std::weak_ptr<int>(alive_), had = token_ ? token_->access_token : std::string(),
                       done = std::move(done)](Result<std::optional<StoredToken>> stored) {
    if (!alive.expired()) done(compare(std::move(stored), had));
  });
}

// Whether another process, such as `collet login`, has left a token that we have not tried. An old one is taken as
// well, since its refresh token is the one that is still good. `had` is the access token that we had when the store was
// asked: if it is not ours any more, what the store had then says nothing.
OAuth::Stored OAuth::compare(Result<std::optional<StoredToken>> stored, const std::string& had) {
  if (token_ && token_->access_token != had) return expired(*token_) ? Stored::nothing_new : Stored::another;
  if (!stored) return Stored::nothing_new;
  if (!*stored) return Stored::nothing;
  StoredToken& token = **stored;
  if (hooks_.logs_in || token.access_token == had || token.access_token == behind_) return Stored::nothing_new;
  const bool old = expired(token);
  return adopt(std::move(token)) && !old ? Stored::another : Stored::nothing_new;
}

bool OAuth::expired(const StoredToken& token) const {
  return token.expires_at != 0 && token.expires_at <= hooks_.clock();
}

bool OAuth::renewable() const { return !token_->refresh_token.empty() || !grant_->needs_person(); }

std::vector<HttpHeader> OAuth::current_headers(std::string_view method, std::string_view url) const {
  if (!token_) return {};
  if (token_->token_type != "dpop") return {{"Authorization", "Bearer " + token_->access_token}};
  return {{"Authorization", "DPoP " + token_->access_token},
          {"DPoP", dpop_->proof(method, url, token_->access_token, hooks_.clock())}};
}

GrantRequest OAuth::grant_request() const {
  const std::string resource = config_.send_resource ? run_->resource.resource : std::string();
  return {run_->server, run_->client, resource, run_->scopes, run_->redirect_uri, dpop_};
}

void OAuth::say_changed() const {
  if (hooks_.changed) hooks_.changed();
}

}  // namespace collet::client::auth
