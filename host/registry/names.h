// Names: what clients may see, and how a source's rules make them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/item.h"

namespace collet::registry {

// How a source's items are named, from its [plugin.<id>] section.
struct NameRules {
  std::string prefix;                         // put before every tool's and prompt's name
  std::vector<std::string> hide;              // names as the provider knows them
  std::map<std::string, std::string> rename;  // provider's name → final name, to which no prefix is added

  bool hides(std::string_view name) const;
  // The name that clients see. Resources and templates keep theirs: it is a URI, and the plugin must know it again.
  std::string final_name(Kind kind, const std::string& name) const;

  bool operator==(const NameRules&) const = default;
};

// Whether its name is a URI or a URI template.
constexpr bool has_uri_name(Kind kind) { return kind == Kind::resource || kind == Kind::resource_template; }

// Tools and prompts: [A-Za-z0-9_.-], 1 to `bytes_max` characters. URIs: no blanks or control characters.
Result<void> check_name(Kind kind, std::string_view name, std::size_t bytes_max);

}  // namespace collet::registry
