#include <algorithm>

#include "cli/terminal_call.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"

namespace collet::cli {
namespace {

constexpr const char* kTool = "login";  // of the plugin "client", for a remote with `login`

// The configuration with that remote alone, to be logged in to.
Result<config::Config> only(config::Config config, const std::string& name) {
  const auto found = std::find_if(config.remote.begin(), config.remote.end(),
                                  [&](const config::Remote& remote) { return remote.name == name; });
  if (found == config.remote.end()) return error("there is no [remote.{}] in the configuration", name);
  config::Remote remote = *found;
  remote.json.insert(1, R"("login":true,)");
  config.remote = {std::move(remote)};
  config.plugin.clear();
  config.plugins.paths.clear();
  return config;
}

}  // namespace

int login(const LoginOptions& options) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  auto config = load_config(options.common);
  if (config) config = only(std::move(*config), options.remote);
  if (!config) return complain(config.message());
  Host host(*config, 1);
  host.load();
  const plugin::LoadReport& report = host.reports().front();
  if (!report.ok()) return complain(report.error);
  return call_tool(host, {.tool = kTool, .timeout_ms = config->plugins.timeout_ms, .out = streams.out});
}

}  // namespace collet::cli
