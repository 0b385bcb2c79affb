// Objects as text, changed member by member: what is kept stays byte for byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/callback.h"

namespace collet::json {

// What takes the place of a member's value; nothing for the member to go. The key is without its quotes and escapes.
using RewriteMember = Callback<std::optional<std::string>(std::string_view key, std::string_view value)>;

// `object` with each value as `rewrite` has it; itself if it is no object.
std::string rewrite_members(std::string_view object, RewriteMember rewrite);

// Without the member of that name.
std::string without_member(std::string_view object, std::string_view key);

}  // namespace collet::json
