// Searching the lines of text files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "files/read.h"

namespace re2 {
class RE2;
}

namespace files {

struct LineMatch {
  std::uint64_t line = 0;  // counted from 1
  std::string text;        // the line, or what surrounds its first match if it is long
  std::vector<std::string> before;
  std::vector<std::string> after;
};

// What to look for. Matching takes time linear in the text, whatever the expression.
class LinePattern {
 public:
  enum class Syntax { literal, regex };

  // Throws Failure if `pattern` is no regular expression of RE2, or too large a one.
  LinePattern(const std::string& pattern, Syntax syntax, bool ignore_case);
  ~LinePattern();

  // Up to `matches_max` lines of `text` that match, each with up to `context` lines around it. Ends early, with
  // what it has, when `cancelled`.
  std::vector<LineMatch> find(std::string_view text, unsigned context, std::size_t matches_max,
                              const Cancelled& cancelled) const;

 private:
  std::unique_ptr<re2::RE2> expression_;
};

}  // namespace files
