#include "service/server_setup.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "config/token.h"

namespace collet::service {
namespace {

// One for each set of rules.
class Views {
 public:
  explicit Views(const config::Config& config) : config_(config) {}

  // Null if `name` is empty: everything is seen.
  registry::ViewPtr named(const std::string& name) {
    if (name.empty()) return nullptr;
    const registry::ViewRules& rules = config_.view.at(name);
    registry::ViewPtr& view = made_[rules];
    if (!view) view = std::make_shared<registry::View>(rules);
    return view;
  }
  registry::ViewPtr of(const config::Token& token) {
    return named(token.view.empty() ? config_.server.view : token.view);
  }

 private:
  const config::Config& config_;
  std::map<registry::ViewRules, registry::ViewPtr> made_;
};

// Those of the configuration.
class ConfiguredTokens final : public protocol::Authenticator {
 public:
  ConfiguredTokens(const std::vector<config::Token>& tokens, Views& views) {
    for (const config::Token& token : tokens) {
      principals_.emplace(config::read_token_hash(token.hash),
                          std::make_shared<registry::Principal>(registry::Principal{
                              .id = token.name,
                              .kind = registry::Principal::Kind::token,
                              .tenant = token.tenant,
                              .scopes = token.scopes,
                              .source = "server.token",
                              .view = views.of(token)}));
    }
  }

  std::optional<protocol::Verdict> known(const protocol::Credentials& credentials) override {
    const auto found = principals_.find(config::digest_of(credentials.token));
    if (found == principals_.end()) return protocol::invalid_token();
    return found->second;
  }

 private:
  std::unordered_map<config::TokenDigest, registry::PrincipalPtr, config::TokenDigestHash> principals_;
};

}  // namespace

registry::PrincipalPtr local_principal(const config::Config& config) {
  registry::Principal local{.kind = registry::Principal::Kind::local, .source = "this process"};
  local.view = Views(config).named(config.server.view);
  return std::make_shared<registry::Principal>(std::move(local));
}

protocol::ServerOptions server_options(const config::Config& config, Host& host, ActivityLog& activity,
                                       const std::vector<registry::StateSealer::Key>& state_keys) {
  protocol::ServerOptions options;
  options.name = config.server.name;
  options.title = config.server.title;
  options.version = COLLET_VERSION;
  options.instructions = config.server.instructions;
  options.call_timeout_ms = config.plugins.timeout_ms;
  options.task_ttl_ms = config.server.limits.task_ttl_ms;
  options.has_views = !config.view.empty();
  options.page_items = config.server.limits.page_items;
  options.sessions_max = config.server.limits.sessions_max;
  options.session_idle_timeout_ms = config.server.limits.session_idle_timeout_ms;
  options.input_timeout_ms = config.server.limits.input_timeout_ms;
  for (const config::Remote& remote : config.remote) {
    for (const std::string& name : remote.caller_headers) {
      const auto end = options.kept_headers.end();
      if (std::find(options.kept_headers.begin(), end, name) == end) options.kept_headers.push_back(name);
    }
  }
  options.watches = std::make_unique<protocol::LocalWatches>(
      [&host](std::string_view uri, bool watched) { host.loader().watch(uri, watched); });
  options.more_instructions = [&host](const auto& is_shown) { return host.loader().instructions(is_shown); };
  options.state_keys = state_keys;
  options.records = host.lasting_records();
  activity.join(config.log, host.registry(), options);
  return options;
}

protocol::AccessRules access_rules(const config::Config& config) {
  const config::Server& server = config.server;
  Views views(config);
  protocol::AccessRules rules;
  if (auto view = views.named(server.view)) {
    rules.anybody = std::make_shared<registry::Principal>(registry::Principal{.view = std::move(view)});
  }
  rules.allowed_hosts = server.allowed_hosts;
  rules.allowed_origins = server.allowed_origins;
  const bool local = std::all_of(server.listen.begin(), server.listen.end(),
                                 [](const transport::Address& address) { return address.is_loopback(); });
  rules.check_host = local || !server.allowed_hosts.empty();
  for (const transport::Address& address : server.listen) rules.allowed_hosts.push_back(address.host);
  if (!server.token.empty()) rules.authenticator = std::make_shared<ConfiguredTokens>(server.token, views);
  return rules;
}

}  // namespace collet::service
