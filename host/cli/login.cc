#include <algorithm>

#include "cli/terminal_call.h"
#include "cli/verbs.h"

namespace collet::cli {
namespace {

// The configuration with that remote alone, to be logged in to.
Result<config::Config> only(config::Config config, const std::string& name) {
  const auto found = std::find_if(config.remote.begin(), config.remote.end(),
                                  [&](const config::Remote& remote) { return remote.name == name; });
  if (found == config.remote.end()) {
    std::vector<std::string> known;
    for (const config::Remote& remote : config.remote) known.push_back(remote.name);
    return error("there is no [remote.{}] in the configuration{}", name, suggestion(name, known));
  }
  config.remote = {config::Remote(*found)};
  config.remotes_used_by = "login";
  return config;
}

// A configuration with the one remote that is to be logged in to.
Result<config::Config> config_for(const LoginOptions& options) {
  CommonOptions common = options.common;
  if (options.remote.find("://") != std::string::npos) common.url = options.remote;
  auto config = load_config(common);
  if (!config) return config;
  const std::string name = common.name_server() ? config->remote.front().name : options.remote;
  return only(std::move(*config), name);
}

// A tool of the plugin that imports from remotes, as it is used by a login.
int call_for(const LoginOptions& options, const char* tool, Output& out) {
  const auto config = config_for(options);
  if (!config) return complain(config.message());
  service::Host host(*config, 1);
  host.load();
  const plugin::LoadReport& report = host.reports().front();
  if (!report.ok()) return host.exit_code = complain(report.error);
  return make_call(host, {.name = tool, .timeout_ms = config->plugins.timeout_ms}, out);
}

}  // namespace

int login(const LoginOptions& options, Output& out) { return call_for(options, "login", out); }

int logout(const LoginOptions& options, Output& out) { return call_for(options, "logout", out); }

}  // namespace collet::cli
