#include "cli/server_setup.h"

#include <algorithm>

#include "config/token.h"

namespace collet::cli {

protocol::ServerOptions server_options(const config::Config& config) {
  protocol::ServerOptions options;
  options.name = config.server.name;
  options.title = config.server.title;
  options.version = COLLET_VERSION;
  options.instructions = config.server.instructions;
  options.call_timeout_ms = config.plugins.timeout_ms;
  options.task_ttl_ms = config.server.limits.task_ttl_ms;
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
  return options;
}

protocol::AccessRules access_rules(const config::Server& server) {
  protocol::AccessRules rules;
  rules.allowed_hosts = server.allowed_hosts;
  rules.allowed_origins = server.allowed_origins;
  const bool local = std::all_of(server.listen.begin(), server.listen.end(),
                                 [](const transport::Address& address) { return address.is_loopback(); });
  rules.check_host = local || !server.allowed_hosts.empty();
  for (const transport::Address& address : server.listen) rules.allowed_hosts.push_back(address.host);
  if (!server.token.empty()) {
    rules.authenticate = [tokens = server.token](std::string_view given) -> std::optional<std::string> {
      for (const config::Token& token : tokens) {
        if (config::matches(given, token.hash)) return token.name;
      }
      return std::nullopt;
    };
  }
  return rules;
}

}  // namespace collet::cli
