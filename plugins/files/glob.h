// Glob: a wildcard pattern for paths, matched in time linear in the path, whatever the pattern.
//
//   ?        one character except '/'          [a-z]  [!a-z]  one of these, or none of these, never '/'
//   *        any number of them                {a,b*}         either alternative; may be nested
//   **/      any number of directories, also none             **  at the end: everything below
//   \x       x itself
//
// A pattern without '/' is matched against the last component alone.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace files {

class Glob {
 public:
  // Throws Failure if `pattern` is malformed or too long.
  explicit Glob(std::string_view pattern);

  // `path` has components joined by '/'. Bytes that are not UTF-8 count as characters.
  bool matches(std::string_view path) const;

 private:
  friend class GlobCompiler;

  enum class Op : std::uint8_t { character, set, component, path, split, jump, match };
  // One state of the automaton. `component` and `path` take one character, without and with '/'.
  struct Step {
    Op op;
    bool negated = false;   // set
    char32_t value = 0;     // character: itself; set: index of its first range; split, jump: the next state
    std::uint32_t end = 0;  // set: past its last range; split: the other next state
  };
  struct Range {
    char32_t first;
    char32_t last;
  };

  bool accepts(const Step& step, char32_t character) const;

  std::vector<Step> steps_;
  std::vector<Range> ranges_;
  bool leaf_only_ = false;
};

}  // namespace files
