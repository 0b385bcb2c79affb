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
  // The name that clients see. Resources and templates keep theirs: it is a URI, and the plugin must know it again. A route's
  // has its source before it.
  std::string final_name(Kind kind, std::string_view source, const std::string& name) const;

  bool operator==(const NameRules&) const = default;
};

// "/a/b.html", a path (RFC 3986 §3.3) as normalised_encoding() writes it, in which every segment names something: there is no
// "//", and no "..", in whatever way they are written.
bool is_route_path(std::string_view path);

// Tools and prompts: [A-Za-z0-9_.-], 1 to `bytes_max` characters. URIs: no blanks or control characters. Of a route the
// length alone is checked here: read_definition() looks at the path, before the plugin's is put before it.
Result<void> check_name(Kind kind, std::string_view name, std::size_t bytes_max);

}  // namespace collet::registry
