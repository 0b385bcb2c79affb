#include "client/auth/auth.h"

#include <chrono>

#include "client/auth/oauth.h"

namespace collet::client::auth {
namespace {

// For remotes that must not be given any credentials.
class NoAuthorizer final : public Authorizer {
 public:
  void headers(std::string_view, std::string_view,
               std::function<void(Result<std::vector<HttpHeader>>)> done) override {
    done(std::vector<HttpHeader>());
  }
  std::optional<LastingHeaders> lasting_headers(std::string_view) const override { return LastingHeaders(); }
  void challenged(int status, const std::vector<HttpHeader>&, std::function<void(Result<bool>)> done) override {
    if (status != 401) return done(false);
    done(Error{"the server demands authorization, which auth.type = \"none\" rules out"});
  }
  std::vector<std::string> secrets() const override { return {}; }
};

}  // namespace

std::int64_t system_time() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

Result<std::unique_ptr<Authorizer>> make(std::string_view config_json, std::string_view remote_name,
                                         std::string_view remote_url, Fetcher& fetcher, UserAgent& agent,
                                         TokenStore& store, Hooks hooks) {
  Result<Config> config = parse_config(config_json.empty() ? "{}" : config_json);
  if (!config) return config.failure();
  if (config->type == AuthType::none) return std::unique_ptr<Authorizer>(std::make_unique<NoAuthorizer>());
  std::optional<Url> url = parse_url(remote_url);
  if (!url) return Error{"'" + redact_url(remote_url) + "' is not an absolute http or https URL"};
  if (!hooks.clock) hooks.clock = system_time;
  return std::unique_ptr<Authorizer>(std::make_unique<OAuth>(
      std::move(*config), std::string(remote_name), std::move(*url), fetcher, agent, store, std::move(hooks)));
}

}  // namespace collet::client::auth
