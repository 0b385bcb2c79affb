// What a plugin offers otherwise than the generation before it, and whether it may.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/run/items.h"

namespace collet::plugin {

// Names as the plugin has them, in order: a tool's alone, with the kind in front of others, "prompt greet".
struct ItemChanges {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;  // another definition, or other traits
  std::vector<std::string> lost;     // of the removed, those that were offered from the start

  bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
  // "+shout -echo ~math": those that are there; of each kind of change a few.
  std::string to_text() const;
};

std::string spoken_name(registry::Kind kind, std::string_view name);
ItemChanges changes_between(const std::vector<OfferedItem>& before, const std::vector<OfferedItem>& now);

// Whether a plugin of the version `now` says that it need not offer all that it did as `before`: by a higher first number, or the second
// one while the first is 0 (Semantic Versioning 2.0.0, items 4 and 8). Versions without such numbers say so by being different.
bool says_that_items_go(std::string_view before, std::string_view now);
// What a version has to be changed in to say so: "its first number".
std::string_view number_to_raise(std::string_view version);

}  // namespace collet::plugin
