#include <memory>
#include <utility>

#include "client/auth/auth.h"
#include "client/auth/config.h"
#include "client/auth/discovery.h"
#include "client/auth/registration.h"

namespace collet::client::auth {
namespace {

class Logout : public std::enable_shared_from_this<Logout> {
 public:
  using Done = std::function<void(Result<std::string>)>;

  Logout(Config config, std::string name, Url remote, Fetcher& fetcher, TokenStore& store, Clock clock, Done done)
      : config_(std::move(config)),
        name_(std::move(name)),
        remote_(std::move(remote)),
        fetcher_(fetcher),
        store_(store),
        clock_(std::move(clock)),
        registration_(config_, fetcher_, store_, clock_),
        done_(std::move(done)) {}

  // Not while a process renews the token, which would keep the next one.
  void begin() {
    store_.lock(name_, [self = shared_from_this()](Result<TokenStore::LockPtr> lock) { self->got_lock(std::move(lock)); });
  }

 private:
  void got_lock(Result<TokenStore::LockPtr> lock) {
    if (!lock) return done_(lock.failure());
    lock_ = std::move(*lock);
    store_.token(name_, [self = shared_from_this()](Result<std::optional<StoredToken>> token) {
      self->got_token(std::move(token));
    });
  }

  void got_token(Result<std::optional<StoredToken>> token) {
    if (!token) return done_(token.failure());
    if (!*token) return done_("Not logged in to " + name_ + ".");
    token_ = std::move(**token);
    discover_server(fetcher_, remote_, token_.issuer,
                    [self = shared_from_this()](const Result<ServerMetadata>& server) { self->got_server(server); });
  }

  // The client is asked for before it is forgotten.
  void got_server(const Result<ServerMetadata>& server) {
    if (!server) return forget_untold(server.message());
    if (server->revocation_endpoint.empty()) return forget_untold("it has no place for that");
    const Result<Url> trusted = trusted_url(server->revocation_endpoint, remote_, "the revocation endpoint");
    if (!trusted) return forget_untold(trusted.message());
    registration_.known(*server, {},
                        [self = shared_from_this(),
                         server = *server](const Result<std::optional<ClientIdentity>>& client) {
                          self->prepare(server, client);
                          self->forget();
                        });
  }

  void prepare(const ServerMetadata& server, const Result<std::optional<ClientIdentity>>& client) {
    if (!client) return untold(client.message());
    if (!*client || (*client)->id != token_.client_id)
      return untold("the client that has the tokens is not known any more");
    const bool refreshable = !token_.refresh_token.empty();  // with it go the others (RFC 7009 §2.1)
    Form form = {{"token", refreshable ? token_.refresh_token : token_.access_token},
                 {"token_type_hint", refreshable ? "refresh_token" : "access_token"}};
    request_.method = "POST";
    request_.url = server.revocation_endpoint;
    request_.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    (*client)->authenticate(server.issuer, clock_(), form, request_.headers);
    request_.body = form_encode(form);
  }

  void forget_untold(const std::string& why) {
    untold(why);
    forget();
  }

  void forget() {
    store_.forget(name_, [self = shared_from_this()](const Result<void>& forgotten) {
      forgotten ? self->tell() : self->done_(forgotten.failure());
    });
  }

  void tell() {
    if (request_.url.empty()) return end();
    fetcher_.fetch(request_, [self = shared_from_this()](const Result<FetchResponse>& answer) {
      if (!answer) self->untold(answer.message());
      if (answer && answer->status != 200) self->untold("it answered " + std::to_string(answer->status));
      self->end();
    });
  }

  void untold(const std::string& why) { why_untold_ = redact_urls(why); }

  void end() {
    std::string text = "Logged out of " + name_;
    if (why_untold_.empty()) return done_(text + ", also at " + redact_url(token_.issuer) + ".");
    done_(text + ". Its authorization server was not told (" + why_untold_ +
          "): the tokens may be good until they expire.");
  }

  const Config config_;
  const std::string name_;
  const Url remote_;
  Fetcher& fetcher_;
  TokenStore& store_;
  const Clock clock_;
  const Registration registration_;
  const Done done_;
  TokenStore::LockPtr lock_;
  StoredToken token_;
  FetchRequest request_;
  std::string why_untold_;  // empty: it was
};

}  // namespace

void log_out(std::string_view config_json, std::string_view remote_name, std::string_view remote_url,
             Fetcher& fetcher, TokenStore& store, Clock clock, std::function<void(Result<std::string>)> done) {
  Result<Config> config = parse_config(config_json.empty() ? "{}" : config_json);
  if (!config) return done(config.failure());
  std::optional<Url> url = parse_url(remote_url);
  if (!url) return done(Error{"'" + redact_url(remote_url) + "' is not an absolute http or https URL"});
  std::make_shared<Logout>(std::move(*config), std::string(remote_name), std::move(*url), fetcher, store,
                           clock ? std::move(clock) : Clock(system_time), std::move(done))
      ->begin();
}

}  // namespace collet::client::auth
