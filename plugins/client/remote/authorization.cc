#include "client/remote/authorization.h"

#include <cstdlib>

#include "client/net/text.h"
#include "client/net/url.h"

namespace collet::client {
namespace {

void append_expanded(std::string& out, JsonReader& reader, const RemoteConfig& remote) {
  const std::string_view type = reader.peek();
  if (type == "object") {
    JsonMembers members{"{"};
    reader.read_object([&](std::string_view key) {
      members.key(key);
      append_expanded(members.text, reader, remote);
    });
    out += members.text + "}";
  } else if (type == "array") {
    out += '[';
    reader.read_array([&] {
      if (out.back() != '[') out += ',';
      append_expanded(out, reader, remote);
    });
    out += ']';
  } else if (type == "string") {
    std::string scratch;
    const auto text = expand(reader.read_string(scratch), remote);
    if (!text) reader.fail(text.message());
    append_json(out, *text);
  } else {
    out += reader.read_raw();
  }
}

bool gives_authorization(const RemoteConfig& remote) {
  if (remote.forward_token) return true;
  for (const auto& [name, value] : remote.headers) {
    if (equals_ignoring_case(name, "authorization")) return true;
  }
  return false;
}

bool has_user(std::string_view url) {
  const auto begin = url.find("://");
  return begin != url.npos && url.substr(0, url.find_first_of("/?#", begin + 3)).find('@') != url.npos;
}

// Fetches by what the remote trusts. Its certificate is for the remote alone.
class RemoteFetcher final : public Fetcher, public std::enable_shared_from_this<RemoteFetcher> {
 public:
  RemoteFetcher(Fetcher& inner, TlsPtr tls, std::string origin)
      : inner_(inner), tls_(std::move(tls)), origin_(std::move(origin)) {
    Tls others;
    others.authorities = tls_->authorities;
    of_others_ = std::make_shared<const Tls>(std::move(others));
  }

  // Stays until what it was last asked for has come: more may be asked for then.
  void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override {
    request.tls = origin_of(request.url) == origin_ ? tls_ : of_others_;
    inner_.fetch(std::move(request), [self = shared_from_this(), done = std::move(done)](
                                         Result<FetchResponse> given) { done(std::move(given)); });
  }

 private:
  Fetcher& inner_;
  const TlsPtr tls_;
  const std::string origin_;
  TlsPtr of_others_;
};

// An authorizer together with what it fetches by.
class WithFetcher final : public Authorizer {
 public:
  WithFetcher(std::shared_ptr<RemoteFetcher> fetcher, std::unique_ptr<Authorizer> inner)
      : fetcher_(std::move(fetcher)), inner_(std::move(inner)) {}

  void headers(std::string_view method, std::string_view url,
               std::function<void(Result<std::vector<HttpHeader>>)> done) override {
    inner_->headers(method, url, std::move(done));
  }
  std::optional<LastingHeaders> lasting_headers(std::string_view url) const override {
    return inner_->lasting_headers(url);
  }
  void challenged(int status, const std::vector<HttpHeader>& headers,
                  std::function<void(Result<bool>)> done) override {
    inner_->challenged(status, headers, std::move(done));
  }
  std::vector<std::string> secrets() const override { return inner_->secrets(); }

 private:
  const std::shared_ptr<RemoteFetcher> fetcher_;  // shared with what is under way
  const std::unique_ptr<Authorizer> inner_;
};

}  // namespace

std::string token_file() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state && *state == '/') return std::string(state) + "/collet/tokens.json";
  const char* const home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.local/state/collet/tokens.json";
}

Result<std::string> expanded_auth(const RemoteConfig& remote) {
  std::string out;
  try {
    JsonReader reader(remote.auth ? std::string_view(remote.auth->text) : "{}", "auth");
    append_expanded(out, reader, remote);
    return out;
  } catch (const collet::Error& error) {
    return Error{error.what()};
  }
}

namespace {

// What an authorizer is made of: configuration and URL with ${…} expanded, and how to fetch.
struct Access {
  std::string config;
  std::string url;
  std::shared_ptr<RemoteFetcher> own;  // null: as for every remote
};

// Nothing for a remote that needs no authorizer.
Result<std::optional<Access>> access_to(const RemoteConfig& remote, Fetcher& fetcher) {
  if (remote.url.empty() || (!remote.auth && gives_authorization(remote))) return std::optional<Access>();
  auto url = expand(remote.url, remote);
  if (!url) return url.failure();
  if (!remote.auth && has_user(*url)) return std::optional<Access>();
  auto config = expanded_auth(remote);
  if (!config) return config.failure();
  auto tls = tls_of(remote);
  if (!tls) return tls.failure();
  std::shared_ptr<RemoteFetcher> own;
  if (*tls) own = std::make_shared<RemoteFetcher>(fetcher, std::move(*tls), origin_of(*url));
  return std::optional(Access{std::move(*config), std::move(*url), std::move(own)});
}

}  // namespace

Result<std::unique_ptr<Authorizer>> make_authorizer(const RemoteConfig& remote, Fetcher& fetcher, const Host& host,
                                                    auth::UserAgent& agent, auth::TokenStore& store,
                                                    auth::Hooks hooks) {
  auto access = access_to(remote, fetcher);
  if (!access) return access.failure();
  if (!*access) return std::unique_ptr<Authorizer>();
  auto& [config, url, own] = **access;
  hooks.warn = [&host](std::string_view text) { host.log(COLLET_LOG_WARNING, text); };
  if (!own) return auth::make(config, remote.name, url, fetcher, agent, store, std::move(hooks));
  auto made = auth::make(config, remote.name, url, *own, agent, store, std::move(hooks));
  if (!made) return made;
  return std::unique_ptr<Authorizer>(std::make_unique<WithFetcher>(std::move(own), std::move(*made)));
}

void log_out(const RemoteConfig& remote, Fetcher& fetcher, auth::TokenStore& store,
             std::function<void(Result<std::string>)> done) {
  auto access = access_to(remote, fetcher);
  if (!access) return done(access.failure());
  if (!*access) return done("Not logged in to " + remote.name + ": there is nothing to log in to.");
  const auto& [config, url, own] = **access;
  Fetcher& by = own ? static_cast<Fetcher&>(*own) : fetcher;
  auth::log_out(config, remote.name, url, by, store, {},
                [held = own, done = std::move(done)](Result<std::string> said) { done(std::move(said)); });
}

}  // namespace collet::client
