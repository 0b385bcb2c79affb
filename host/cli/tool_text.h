// All that is known of one tool, for people.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"

namespace collet::cli {

// `item` is the tool as it stands in a listing; the lines keep to so many columns, if they can.
std::string tool_text(const json::Value& item, std::size_t width);

// The same as clients are told it: {"name":…, <its definition>}.
std::string tool_json(const json::Value& item);

}  // namespace collet::cli
