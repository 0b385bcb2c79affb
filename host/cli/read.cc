#include "cli/lone_call.h"
#include "cli/verbs.h"

namespace collet::cli {

int read_resource(const ReadOptions& options, Output& out) {
  return make_lone_call(options.common,
                        {.kind = registry::CallKind::resource,
                         .name = options.uri,
                         .form = {.json = false, .file = options.output}},
                        out);
}

}  // namespace collet::cli
