// JSON as people write it by hand: with comments and commas before closing brackets.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "config/document.h"
#include "foreign/source.h"

namespace collet::foreign {

// What of a document is wanted: a member of that name, or of any for "*", and below it all, or these alone.
struct Wanted {
  std::string_view key;
  std::vector<Wanted> below = {};
};

// The document, which is an object, or its first mistake; the members that are wanted, all if that is empty. Others
// are passed over as they are read: no memory is taken for them, and they are checked for their brackets and quotes
// only. What is kept has a limit. A member that is null counts as not set and is left out; in a
// list null is a table without members. Of one that is there
// twice the last counts, as it does for the programs whose files these are; where the others stand is put into
// `replaced`.
std::variant<config::Value, config::Problem> parse_jsonc(Source& source, const std::vector<Wanted>& wanted = {},
                                                         std::vector<config::Problem>* replaced = nullptr);

}  // namespace collet::foreign
