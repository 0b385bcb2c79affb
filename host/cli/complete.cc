#include "cli/lone_call.h"
#include "cli/verbs.h"

namespace collet::cli {

int complete(const CompleteOptions& options, Output& out) {
  return make_lone_call(options.common,
                        {.kind = registry::CallKind::complete,
                         .completed = options.of_resource ? registry::Kind::resource_template : registry::Kind::prompt,
                         .name = options.name,
                         .words = options.words},
                        out);
}

}  // namespace collet::cli
