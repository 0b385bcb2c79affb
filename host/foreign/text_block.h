// The lines of TOML and YAML that one server takes, as its client may have written them anew.
#pragma once

#include <optional>
#include <string_view>

#include "foreign/json_edit.h"

namespace collet::foreign {

// Takes out the table [a.b] with its own tables, for the path {a} and the key b. Nothing if it is not there, or
// what is left would be no TOML.
std::optional<Edit> remove_toml_table(std::string_view text, const MemberPlace& place);

// Takes out the member b of the mapping that stands below `a:` at the beginning of a line, likewise.
std::optional<Edit> remove_yaml_member(std::string_view text, const MemberPlace& place);

}  // namespace collet::foreign
