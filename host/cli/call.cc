#include "cli/input.h"
#include "cli/lone_call.h"
#include "cli/verbs.h"

namespace collet::cli {

int call(const CallOptions& options, int in, Output& out) {
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  const auto arguments = read_arguments(options.arguments, in, config->server.limits.message_bytes_max);
  if (!arguments) return complain(arguments.message());
  return make_lone_call(*config, options.common,
                        {.name = options.tool,
                         .arguments = *arguments,
                         .words = options.words,
                         .form = {.json = false, .file = options.output}},
                        out);
}

}  // namespace collet::cli
