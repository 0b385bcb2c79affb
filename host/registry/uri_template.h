// URI templates (RFC 6570), read backwards: which values make this URI of that template.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace collet::registry {

// Literals are found in whatever way they are spelt (uri_spelling.h). {var} takes anything but / ? #, {+var}
// anything, {/var} a slash and then like {var}, {?a,b} the query's pairs in any order, each of them optional. Other
// operators and modifiers are not understood.
class UriTemplate {
 public:
  static Result<UriTemplate> parse(std::string_view text);

  // In the order of the text.
  std::vector<std::string> variables() const;

  // The variables' values with percent-encoding undone, or nothing if the URI is none of these. Time is bounded by
  // the number of expressions times the square of the URI's length.
  std::optional<std::map<std::string, std::string>> match(std::string_view uri) const;
  // The same in two steps, of which the first is done once for many templates.
  static std::string spelt(std::string_view uri);
  std::optional<std::map<std::string, std::string>> match_spelt(std::string_view uri) const;

 private:
  struct Part {
    enum class Kind : unsigned char { literal, segment, rest, query };
    Kind kind;
    std::string text;                // of a literal, or the name of the variable
    std::vector<std::string> names;  // of a query
  };
  class Matcher;

  std::vector<Part> parts_;
};

// {"name":"value",…} of what was matched.
std::string variables_text(const std::map<std::string, std::string>& variables);

}  // namespace collet::registry
