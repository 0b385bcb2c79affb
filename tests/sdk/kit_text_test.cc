#include <collet/kit/text.hpp>

#include <utility>

#include "support/catch.h"

using namespace collet::kit;

TEST_CASE("letters are those of ASCII, and other bytes stay as they are") {
  CHECK(lower('A') == 'a');
  CHECK(lower('Z') == 'z');
  CHECK(lower("@AZ[`az{\xc4") == "@az[`az{\xc4");
  CHECK(equals_ignoring_case("", ""));
  CHECK(equals_ignoring_case("Mcp-Name", "mCP-nAME"));
  CHECK_FALSE(equals_ignoring_case("Mcp-Name", "Mcp-Names"));
  CHECK_FALSE(equals_ignoring_case("@", "`"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("\xc4", "\xe4"));
}

TEST_CASE("blanks are taken off at both ends, and nowhere else") {
  CHECK(trimmed("") == "");
  CHECK(trimmed("a") == "a");
  CHECK(trimmed(" \ta b\t ") == "a b");
  CHECK(trimmed("\na\r") == "\na\r");
  CHECK(trimmed("\r\n a\n", " \r\n") == "a");
}

TEST_CASE("what is trimmed lies within the text, also where nothing is left") {
  const std::string_view text = " \t ";
  const std::string_view left = trimmed(text);
  CHECK(left.empty());
  CHECK((left.data() >= text.data() && left.data() <= text.data() + text.size()));
}

TEST_CASE("in a pattern * stands for any text, and everything else for itself") {
  for (const auto& [pattern, name] : {std::pair("", ""),
                                      {"*", ""},
                                      {"*", "a"},
                                      {"a", "a"},
                                      {"a*", "a"},
                                      {"a*", "abc"},
                                      {"*c", "abc"},
                                      {"a*c", "ac"},
                                      {"a*c", "abcbc"},
                                      {"a*b*c", "aXbYbZc"},
                                      {"**", "a"},
                                      {"*aab", "aaaab"},
                                      {"file:///{path*}", "file:///{path*}"},
                                      {"a.?[", "a.?["}}) {
    INFO(pattern << " " << name);
    CHECK(is_like(name, pattern));
  }
  for (const auto& [pattern, name] : {std::pair("", "a"),
                                      {"a", ""},
                                      {"a", "A"},
                                      {"a", "ab"},
                                      {"*c", "abcd"},
                                      {"a*", "ba"},
                                      {"a*c", "abcb"},
                                      {"a*a", "a"},
                                      {"a?c", "abc"},
                                      {"a.c", "abc"}}) {
    INFO(pattern << " " << name);
    CHECK_FALSE(is_like(name, pattern));
  }
  const std::string many(200, 'a');
  CHECK_FALSE(is_like(many, "*a*a*a*a*a*a*a*a*a*a*b"));  // in a moment
}
