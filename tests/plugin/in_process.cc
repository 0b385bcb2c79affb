#include "house.h"

namespace collet::plugin {

const Placement kTestPlacement = Placement::in_process;

LoaderOptions test_options() {
  LoaderOptions options;
  options.preflight_executable = COLLET_TEST_PREFLIGHT;
  return options;
}

}  // namespace collet::plugin
