#include "cli/lone_call.h"
#include "cli/verbs.h"

namespace collet::cli {

int prompt(const PromptOptions& options, Output& out) {
  return make_lone_call(options.common,
                        {.kind = registry::CallKind::prompt, .name = options.prompt, .words = options.words}, out);
}

}  // namespace collet::cli
