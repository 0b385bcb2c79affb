// The extension collet.relay/1: a whole result taken apart into the pieces that the protocol puts together again,
// each as it came.
#pragma once

#include <cstdint>

#include "collet/plugin.h"

namespace collet::plugin::relay {

std::int32_t complete_with(const collet_host* host, collet_call call, const char* result_json,
                           std::size_t result_size);

}  // namespace collet::plugin::relay
