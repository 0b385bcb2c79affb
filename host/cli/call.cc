#include "cli/input.h"
#include "cli/loaded.h"
#include "cli/terminal_call.h"
#include "cli/verbs.h"

namespace collet::cli {

int call(const CallOptions& options, int in, Output& out) {
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  const auto arguments = read_arguments(options.arguments, in, config->server.limits.message_bytes_max);
  if (!arguments) return complain(arguments.message());
  auto store = service::open_store(*config);
  if (!store) return complain(store.message());

  service::Host host(*config, 1, {}, *std::move(store));
  if (const auto reached = load_and_await_remotes(host, options.common); !reached)
    return complain(reached.message(), kUnreachable);
  return call_tool(host,
                   {.tool = options.tool,
                    .arguments = *arguments,
                    .words = options.words,
                    .timeout_ms = config->plugins.timeout_ms,
                    .deadline_ms = options.common.timeout_ms,
                    .json = options.common.json},
                   out);
}

}  // namespace collet::cli
