// What must hold of an item's definition before clients see it.
#pragma once

#include <string_view>

#include "base/result.h"
#include "registry/item.h"

namespace collet::registry {

// The definition is a JSON object; a tool's inputSchema and outputSchema are objects, inputSchema of "type":
// "object".
Result<void> check_definition(Kind kind, std::string_view definition);

}  // namespace collet::registry
