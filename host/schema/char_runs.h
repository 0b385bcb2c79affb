// The commonest patterns of all, ^[a-z][a-z0-9_-]{0,63}$ and their like: a row of character classes, each repeated,
// such that every character can belong to one place only. They are matched in one pass without a regex engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "schema/char_set.h"

namespace collet::schema {

class CharRuns {
 public:
  static constexpr std::uint32_t kUnbounded = ~0u;

  struct Run {
    CharSet set;
    std::uint32_t min = 1;
    std::uint32_t max = 1;
  };

  // The matcher of ^runs, with `to_end` of ^runs$; nothing if one pass cannot decide it.
  static std::optional<CharRuns> of(const std::vector<Run>& runs, bool to_end);

  bool matches(std::string_view text) const;

 private:
  struct Class {
    std::uint64_t ascii[2] = {0, 0};
    bool beyond = false;           // the rest of Unicode is in it
    bool line_separators = false;  // so are U+2028 and U+2029
    std::uint32_t min;
    std::uint32_t max;

    bool has(unsigned char c) const { return ascii[c >> 6] >> (c & 63) & 1; }
  };

  static std::optional<Class> classify(const Run& run);
  static bool disjoint(const Class& a, const Class& b);

  std::vector<Class> classes_;
  bool to_end_ = false;
};

}  // namespace collet::schema
