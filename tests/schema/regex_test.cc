#include "schema/regex.h"

#include "schema/char_runs.h"
#include "schema/regex_syntax.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::schema;

namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile(pattern);
  INFO(pattern);
  INFO((regex ? std::string() : regex.message()));
  REQUIRE(regex);
  Budget budget;
  const bool result = regex->search(text, budget);
  CHECK(budget.limit == Limit::none);
  return result;
}

// Whether one pass is enough for it.
bool is_runs(std::string_view pattern) {
  const auto translation = translate_regex(pattern);
  REQUIRE(translation);
  return translation->runs.has_value();
}

std::string groups(int depth) { return fmt::format("{:(<{}}{:)<{}}", "", depth, "", depth); }

std::string reason(std::string_view pattern) {
  const auto regex = Regex::compile(pattern);
  INFO(pattern);
  REQUIRE_FALSE(regex);
  return regex.message();
}

}  // namespace

TEST_CASE("patterns mean what ECMA-262 says, on whichever engine") {
  struct Case {
    const char* pattern;
    const char* yes;
    const char* no;
  };
  const Case cases[] = {
      {"b", "abc", "ac"},
      {"^b", "bc", "ab"},
      {"b$", "ab", "b\n"},
      {"^$", "", "a"},
      {"a|b", "xb", "xc"},
      {"^(?:ab)+$", "abab", "aba"},
      {"^a{2}$", "aa", "aaa"},
      {"^a{2,}$", "aaaa", "a"},
      {"^a{2,3}b?$", "aaab", "aaaab"},
      {"^a+?b$", "aab", "b"},
      {"^.$", "é", "\n"},
      {"^[^a]$", "\n", "a"},
      {"^[^]$", "\n", ""},
      {"^[a-c\\d-]+$", "ab-1", "d"},
      {"^[\\w.-]+$", "a_b-c.d", "a b"},
      {"^\\s$", "\u00a0", "x"},
      {"^[\\s]$", "\u2028", "x"},
      {"^[^\\s]$", "x", "\ufeff"},
      {"^[\\S]$", "x", "\u3000"},
      {"^\\x41\\u0042\\u{43}\\cJ\\0$", "ABC\n", "ABC"},
      {"^\\ud83d\\ude00$", "\U0001F600", "\ud7ff"},
      {"^[\\ud83d\\ude00]$", "\U0001F600", "x"},
      {"^\\p{Lu}\\p{Script=Greek}$", "A\u03b1", "aa"},
      {"^[\\p{L}-]+$", "é-", "1"},
      {"^[^\\p{L}]+$", "1-", "é"},
      {"^\\P{L}$", "1", "é"},
      {"\\bfoo\\b", "a foo b", "afoob"},
      {"^(a)(b)\\2$", "abb", "aba"},
      {"^(?<x>a|b)\\k<x>$", "bb", "ab"},
      {"^(?=.*\\d)(?=.*[a-z]).{4,}$", "abc1", "abcd"},
      {"^(?!admin$).+$", "user", "admin"},
      {"(?<=a)b", "ab", "cb"},
      {"^a{1500}$", "", ""},
      {"^[[:alpha:]]$", "a]", "a"},
      {"^\\/\\-\\@\\_?{}$", "/-@_{}", "x"},
      {"a{,2}", "a{,2}", "aa"},
      {"^[\\b]$", "\b", "b"},
      {"^[+--]$", ",", "."},
  };
  for (const Case& c : cases) {
    if (std::string_view(c.pattern) == "^\\x41\\u0042\\u{43}\\cJ\\0$") {
      CHECK(matches(c.pattern, std::string_view("ABC\n\0", 5)));
    } else if (std::string_view(c.pattern) == "^a{1500}$") {
      CHECK(matches(c.pattern, std::string(1500, 'a')));
      CHECK_FALSE(matches(c.pattern, std::string(1501, 'a')));
      continue;
    } else {
      INFO(c.pattern);
      CHECK(matches(c.pattern, c.yes));
    }
    INFO(c.pattern);
    CHECK_FALSE(matches(c.pattern, c.no));
  }
}

TEST_CASE("a row of classes is matched in one pass exactly where that is right") {
  for (const char* pattern : {"^a$", "^", "^$", "^[a-z]+$", "^[a-z][a-z0-9_-]{0,63}$", "^\\d{4}-\\d{2}-\\d{2}$",
                              "^https:", "^.{1,5}$", "^[^/]+/[^/]+$", "^a*b", "^[A-Z]+\\d*-?$", "^\\w+\\.\\W?$"}) {
    INFO(pattern);
    CHECK(is_runs(pattern));
  }
  // What may follow begins like what is repeated; or there is more than a row to it.
  for (const char* pattern : {"a", "^a*ab$", "^[a-z]+\\w$", "^a?b?a$", "^(a)$", "^a|b$", "^\\p{L}$", "^\\s$",
                              "^a$b", "a^b", "^\\bx", "^.*\\u{2028}$"}) {
    INFO(pattern);
    CHECK_FALSE(is_runs(pattern));
  }
}

TEST_CASE("one pass and RE2 agree on every short text over a small alphabet") {
  const std::string_view alphabet[] = {"a", "b", "-", "1", "é", "\u2028", "\n"};
  std::vector<std::string> texts{""};
  for (std::size_t begin = 0, round = 0; round < 4; ++round) {
    const std::size_t end = texts.size();
    for (; begin < end; ++begin) {
      for (std::string_view letter : alphabet) texts.push_back(texts[begin] + std::string(letter));
    }
  }
  for (std::string body : {"[a-z][a-z0-9]{0,2}", "a*b?", "a{2}-?\\d*", ".{2,3}", "[^a]+a", "\\w+\\W", ".",
                           "[^\\d]{1,2}1", "a?-{1,2}b*", "\\D{2}"}) {
    for (const char* end : {"$", ""}) {
      const auto translation = translate_regex("^" + body + end);
      REQUIRE(translation);
      INFO(body);
      REQUIRE(translation->runs);
      const std::string same = "^(?:" + body + ")" + end;  // the group keeps it from the one-pass matcher
      const auto engine = Regex::compile(same);
      REQUIRE(engine);
      for (const std::string& text : texts) {
        Budget budget;
        if (translation->runs->matches(text) != engine->search(text, budget))
          FAIL_CHECK(body << end << " on " << text);
      }
    }
  }
}

TEST_CASE("what is no regular expression of ECMA-262 is refused with its reason") {
  CHECK(reason("a(").find("a group is not closed") != std::string::npos);
  CHECK(reason("a)").find("unmatched )") != std::string::npos);
  CHECK(reason("[a").find("a class is not closed") != std::string::npos);
  CHECK(reason("*a").find("nothing to repeat at offset 0") != std::string::npos);
  CHECK(reason("[b-a]").find("out of order") != std::string::npos);
  for (const char* pattern :
       {"a**",         "a++",    "a{2}{3}", "^*",    "(?=a)*",   "a{3,2}", "\\a",   "\\Z",    "\\",
        "\\1",         "(a)\\2", "\\k<x>",  "(?i)a", "(?P<x>a)", "(?#x)",  "(?>a)", "\\x4",   "\\u12",
        "\\u{110000}", "\\c1",   "\\p{}x",  "\\pL",  "\\p{a b}", "[\\1]",  "(?<a",  "(?<>a)", "\\p{NoSuchScript}",
        "(?<=a+)b"}) {
    CHECK_FALSE(reason(pattern).empty());
  }
  CHECK(reason(groups(201)).find("too deeply") != std::string::npos);
  CHECK(Regex::compile(groups(200)));
}

TEST_CASE("a pattern's length is bounded, at the limit and one past it") {
  CHECK(Regex::compile(std::string(limits::kSchemaPatternBytesMax, 'a')));
  CHECK_FALSE(Regex::compile(std::string(limits::kSchemaPatternBytesMax + 1, 'a')));
}

TEST_CASE("a pattern too large for RE2 is matched all the same") {
  const auto regex = Regex::compile("^\\p{L}{1,900}$");
  REQUIRE(regex);
  Budget budget;
  CHECK(regex->search(std::string(900, 'a'), budget));
  CHECK_FALSE(regex->search(std::string(901, 'a'), budget));
  CHECK(budget.limit == Limit::none);
}

TEST_CASE("backtracking without end is a limit, not an answer") {
  const auto regex = Regex::compile("^(?=a)(a+)+$");
  REQUIRE(regex);
  Budget budget;
  CHECK_FALSE(regex->search(fmt::format("{:a<40}b", ""), budget));
  CHECK(budget.limit == Limit::regex);
  Budget fresh;
  CHECK(regex->search(std::string(40, 'a'), fresh));
  CHECK(fresh.limit == Limit::none);
}

TEST_CASE("bytes that are no UTF-8 match nothing that needs backtracking, and do no harm") {
  const auto regex = Regex::compile("^(?!a).*$");
  REQUIRE(regex);
  Budget budget;
  CHECK_FALSE(regex->search("\xed\xb0\x80", budget));
  CHECK(budget.limit == Limit::none);
  for (const char* pattern : {"^.+$", "^.{2}$", "(.)x", "^[^a]*$"}) {
    const auto other = Regex::compile(pattern);
    REQUIRE(other);
    for (std::string_view text : {"\xed\xb0\x80", "\xff", "\xc3", "a\xf0\x9f"}) other->search(text, budget);
  }
  CHECK(budget.limit == Limit::none);
}
