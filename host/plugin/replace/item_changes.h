// What a plugin offers otherwise than the generation before it, and whether it may.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registry/item.h"

namespace collet::plugin {

// Names as the plugin has them, in order: a tool's alone, with the kind in front of others, "prompt greet".
struct ItemChanges {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;  // another definition, or other traits

  bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
  // "+shout -echo ~math": those that are there; of each kind of change a few.
  std::string to_text() const;
};

std::string spoken_name(registry::Kind kind, std::string_view name);
ItemChanges changes_between(const std::vector<registry::ItemDef>& before, const std::vector<registry::ItemDef>& now);

// Whether a plugin of the version `now` says that it need not offer all that it did as `before`: by a higher first number, or the second
// one while the first is 0 (Semantic Versioning 2.0.0, items 4 and 8). Versions without such numbers say so by being different.
bool says_that_items_go(std::string_view before, std::string_view now);

}  // namespace collet::plugin
