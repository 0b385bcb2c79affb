#include "base/json.h"
#include "cli/terminal_call.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"

namespace collet::cli {

int call(const CallOptions& options) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  json::Document arguments;
  if (json::parse(options.arguments, arguments) || !arguments.IsObject()) {
    return complain("--args must be a JSON object");
  }
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());

  Host host(*config, 1);
  host.load();
  if (const auto reached = host.await_remotes(options.common); !reached)
    return complain(reached.message(), kUnreachable);
  return call_tool(host, {.tool = options.tool,
                          .arguments = options.arguments,
                          .timeout_ms = config->plugins.timeout_ms,
                          .out = streams.out,
                          .json = options.common.json});
}

}  // namespace collet::cli
