// Which items somebody sees, and may call: rules over what is offered, by name, by kind and by what a tool says of
// itself.
//
// A rule is a pattern for final names (of a resource its URI), in which `*` stands for any text: "files__*". A kind
// before it keeps it to items of that kind: "tool:*", "resource:file:///docs/*", "template:…", "prompt:…", "route:/plugins/web/*". A word
// behind "@" stands for the tools whose annotations say so, with the defaults that MCP gives these: "@read-only",
// "@destructive", "@idempotent", "@open-world"; of what is no tool, "@read-only" is true, but for routes that take other methods than GET. What is denied by its URI, or a route's path,
// is so where a template, or a route with *, would have it as well.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/item.h"

namespace collet::registry {

struct Item;

enum class Sight : std::uint8_t {
  hidden,    // as if it were not there
  unlisted,  // may be called, and is in no list
  listed,
};

struct ViewRules {
  std::vector<std::string> allow;     // what may be seen; empty: everything
  std::vector<std::string> deny;      // but not this
  std::vector<std::string> unlisted;  // of the rest: what is in no list

  auto operator<=>(const ViewRules&) const = default;
};

// What is wrong with a rule, or nothing.
std::optional<std::string> find_mistake(std::string_view rule);

// Any thread. Principals with the same rules share one.
class View {
 public:
  // Rules without a mistake.
  explicit View(const ViewRules& rules);

  Sight sight_of(const Item& item) const;
  // Whether a resource of that URI, which may be one of a template, is denied by its name; or what is asked for below a route.
  bool denies(std::string_view uri, Kind kind = Kind::resource) const;

 private:
  struct Rule {
    unsigned kinds = 0;  // 1 << Kind
    unsigned hints = 0;  // one that the item has to have; 0: its name decides
    std::string pattern;
    bool matches(const Item& item) const;
  };
  using Rules = std::vector<Rule>;
  static Rules read(const std::vector<std::string>& rules);

  const Rules allow_;
  const Rules deny_;
  const Rules unlisted_;
};

using ViewPtr = std::shared_ptr<const View>;

}  // namespace collet::registry
