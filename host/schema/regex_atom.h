// The parts of a regular expression that stand for one character: characters, classes, escapes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/char_set.h"

namespace collet::schema {

// A pattern being read from left to right. The first failure stays.
struct PatternCursor {
  std::string_view text;
  std::size_t offset = 0;
  std::optional<Error> failure;

  bool ended() const { return offset == text.size(); }
  char peek() const { return ended() ? '\0' : text[offset]; }
  bool at(std::string_view token) const { return text.substr(offset, token.size()) == token; }
  bool take(std::string_view token) {
    if (!at(token)) return false;
    offset += token.size();
    return true;
  }
  void fail(std::string_view why) {
    if (!failure) failure = error("{} at offset {}", why, offset);
  }
};

// What matches one character.
struct Atom {
  CharSet set;
  std::string properties;               // \p{…} in the engines' syntax, which only they can list
  std::optional<std::uint32_t> single;  // it is this one code point
  bool whole = false;                   // `properties` is a class of its own, in its brackets
};

// A character, `.`, a class or an escape. Outside classes the caller has taken \b, \B and references before.
Atom read_atom(PatternCursor& in);

// Appends it in a syntax that RE2 and PCRE2 both take.
void append_atom(std::string& out, const Atom& atom);

bool is_ascii_digit(char c);
bool is_ascii_letter(char c);

}  // namespace collet::schema
