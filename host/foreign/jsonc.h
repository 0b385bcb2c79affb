// JSON as people write it by hand: with comments, commas before closing brackets and a byte order mark.
#pragma once

#include <string_view>
#include <variant>

#include "config/document.h"

namespace collet::foreign {

// The document, which is an object, or its first mistake. A member that is null counts as not set and is left out;
// a member that is there twice is a mistake, since programs differ in which of the two they take.
std::variant<config::Value, config::Problem> parse_jsonc(std::string_view text);

}  // namespace collet::foreign
