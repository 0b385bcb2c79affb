// The functions of collet.loop/1.
#pragma once

#include "collet/ext/loop.h"

namespace collet::plugin {

extern const collet_loop kLoopTable;

}  // namespace collet::plugin
