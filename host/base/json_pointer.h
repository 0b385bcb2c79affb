// JSON Pointers (RFC 6901): the names of places in a JSON value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace collet::json {

// Appends one reference token with its slash.
void append_pointer_token(std::string& pointer, std::string_view token);
// A token as it stands in a pointer, unescaped.
std::string unescape_pointer_token(std::string_view token);
// All of a pointer's tokens, unescaped.
std::vector<std::string> pointer_tokens(std::string_view pointer);

// The member, or the item by its index, that a token names; null if there is none.
const Value* child_at(const Value& value, std::string_view token);
// What a pointer leads to; null if it leads nowhere.
const Value* value_at(const Value& root, std::string_view pointer);

}  // namespace collet::json
