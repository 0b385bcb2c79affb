// Letters and words, as header fields, URLs and patterns have them. ASCII: every other byte stays as it is.
//
// Threads: any. Errors: none. What is borrowed is borrowed from the argument.
#ifndef COLLET_KIT_TEXT_HPP
#define COLLET_KIT_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace collet::kit {

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// For names of header fields and the like.
inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = a.size(); i-- > 0;) {  // names that differ do so at their end: Mcp-Method, Mcp-Name
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// `text` without the blanks around it. It lies within `text` also where nothing is left.
inline std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") {
  const auto is_blank = [blanks](char c) {
    for (const char blank : blanks) {
      if (c == blank) return true;
    }
    return false;
  };
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

// Whether `text` is as `pattern`, in which * stands for any text. It takes no more steps than the product of their lengths: each *
// takes as little as it can, and is not gone back to once a later one has been reached.
inline bool is_like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resumed = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resumed = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resumed;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace collet::kit

#endif
