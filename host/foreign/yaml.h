// YAML as a tree that remembers where each thing stood. The one door to libyaml.
#pragma once

#include <string_view>
#include <variant>

#include "config/document.h"

namespace collet::foreign {

// The first document of a text in UTF-8, which is a mapping, or its first mistake. Plain scalars are what
// YAML 1.2's core schema takes them for; null members are left out, as those of JSON are. Aliases and `<<` are
// copies. What is read has a limit, which copies count for.
std::variant<config::Value, config::Problem> parse_yaml(std::string_view text);

}  // namespace collet::foreign
