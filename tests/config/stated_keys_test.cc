#include "config/stated_keys.h"

#include <variant>

#include "config/remote_keys.h"
#include "support/catch.h"

using namespace collet;
using config::StatedKeys;

namespace {

// What is wrong with a table "t" of that text, a line each.
std::string mistakes(const StatedKeys& keys, std::string_view text) {
  const auto document = config::parse_document(text);
  REQUIRE(std::holds_alternative<config::Value>(document));
  config::Problems problems;
  config::Section section(problems, "t", std::get<config::Value>(document));
  keys.check(section);
  return problems.text("f");
}

std::string mistakes(std::string_view properties, std::string_view text) {
  return mistakes(StatedKeys(R"({"type":"object","properties":{)" + std::string(properties) + "}}", ""), text);
}

}  // namespace

TEST_CASE("a stated key is of its type") {
  const std::string_view flag = R"("k":{"type":"boolean"})", text = R"("k":{"type":"string"})";
  CHECK(mistakes(flag, "k = true").empty());
  CHECK(mistakes(flag, "\nk = 1") == "f:2:5: t.k must be a boolean, not 1");
  CHECK(mistakes(text, "k = ''").empty());
  CHECK(mistakes(text, "k = 1") == "f:1:5: t.k must be a string, not 1");
  CHECK(mistakes(R"("k":{"type":"object"})", "k = { a = [1, 'b'] }").empty());
  CHECK(mistakes(R"("k":{"type":"object"})", "k = 'a'") == "f:1:5: t.k must be a table, not \"a\"");
}

TEST_CASE("a stated integer is within its bounds, at the limit and one past it") {
  const std::string_view bounded = R"("k":{"type":"integer","minimum":2,"maximum":5})";
  CHECK(mistakes(bounded, "k = 2").empty());
  CHECK(mistakes(bounded, "k = 5").empty());
  CHECK(mistakes(bounded, "k = 1") == "f:1:5: t.k must be an integer from 2 to 5, not 1");
  CHECK(mistakes(bounded, "k = 6") == "f:1:5: t.k must be an integer from 2 to 5, not 6");
  CHECK(mistakes(R"("k":{"type":"integer"})", "k = 9223372036854775807").empty());
}

TEST_CASE("a stated string is as its words, its length or its format want it") {
  const std::string_view word = R"("k":{"type":"string","enum":["a","b","c"]})";
  CHECK(mistakes(word, "k = 'c'").empty());
  CHECK(mistakes(word, "k = 'd'") == R"(f:1:5: t.k must be "a", "b" or "c", not "d")");
  CHECK(mistakes(word, "k = 1") == R"(f:1:5: t.k must be "a", "b" or "c", not 1)");
  CHECK(mistakes(R"("k":{"type":"string","minLength":1})", "k = ''") ==
        "f:1:5: t.k must be a string that is not empty, not \"\"");
  const auto of = [](std::string_view format, std::string_view value) {
    return mistakes(R"("k":{"type":"string","format":")" + std::string(format) + "\"}", "k = '" + std::string(value) + "'");
  };
  CHECK(of("path", "a/b").empty());
  CHECK_THAT(of("path", ""), Catch::Contains("t.k must be a path"));
  CHECK(of("file", "a/b").empty());
  CHECK_THAT(of("file", ""), Catch::Contains("t.k must be a path"));
  CHECK(of("http-url", "https://a").empty());
  CHECK_THAT(of("http-url", "ftp://a"), Catch::Contains("must be an http:// or https:// URL"));
  CHECK(of("header-name", "X-A").empty());
  CHECK_THAT(of("header-name", "Host"), Catch::Contains("that Collet does not set itself"));
  CHECK(of("item-name", "a.b").empty());
  CHECK_THAT(of("item-name", ""), Catch::Contains("must be a name of the characters"));
  CHECK(of("item-name-part", "").empty());
  CHECK_THAT(of("item-name-part", "a b"), Catch::Contains("must be of the characters"));
  CHECK(of("what nobody knows", "a b").empty());
}

TEST_CASE("the elements of stated lists and tables are checked, each with its place") {
  const std::string_view list = R"("k":{"type":"array","items":{"type":"string","minLength":1}})";
  CHECK(mistakes(list, "k = ['a']").empty());
  CHECK(mistakes(list, "k = ['a', '']") == "f:1:11: each of t.k must be a string that is not empty, not \"\"");
  const std::string_view table =
      R"("k":{"type":"object","additionalProperties":{"type":"string","format":"item-name"},"propertyNames":{"format":"header-name"}})";
  CHECK(mistakes(table, "k = { a = 'b' }").empty());
  CHECK(mistakes(table, "k.a = 'b c'\nk.'x y' = 'd'") ==
        "f:1:7: t.k.a must be a name of the characters A-Z a-z 0-9 _ . -, not \"b c\"\n"
        "f:2:3: t.k.\"x y\" must be the name of a header that Collet does not set itself");
  const std::string_view tables =
      R"("k":{"type":"object","additionalProperties":{"type":"object","properties":{"n":{"type":"integer","maximum":3}}}})";
  CHECK(mistakes(tables, "k.a.n = 3").empty());
  CHECK(mistakes(tables, "k.a.n = 4\nk.b.m = 1\nk.c = 1") ==
        "f:1:9: t.k.a.n must be an integer from 0 to 3, not 4\n"
        "f:2:5: t.k.b.m is not a key; did you mean n?\n"
        "f:3:7: t.k.c must be a table, not 1");
}

TEST_CASE("what the statement does not say can be anything") {
  CHECK(mistakes(R"("k":{})", "k = [1, 'a', {}]").empty());
  CHECK(mistakes(R"("k":true)", "k = 1").empty());
  CHECK(mistakes(R"("k":{"type":["string","null"]})", "k = 1").empty());
  CHECK(mistakes(R"("k":{"type":"array"})", "k = 1").empty());
}

TEST_CASE("a key that is not stated is named, with what may be meant") {
  const std::string_view two = R"("colour":{"type":"string"},"size":{})";
  CHECK(mistakes(two, "color = 'red'") == "f:1:1: t.color is not a key; did you mean colour?");
  CHECK(mistakes(two, "zzzzzzzz = 1") == "f:1:1: t.zzzzzzzz is not a key; known here: colour, size");
}

TEST_CASE("a table has what is required, and one of its alternatives") {
  const StatedKeys keys(R"({"properties":{"name":{},"a":{},"b":{},"c":{}},"required":["name","c"],)"
                        R"("oneOf":[{"required":["a"]},{"required":["b"]}]})",
                        "name");
  CHECK(mistakes(keys, "a = 1\nc = 1").empty());
  CHECK(mistakes(keys, "b = 1\nc = 1").empty());
  CHECK(mistakes(keys, "c = 1") == "f:1:1: t.a: set either a or b");
  CHECK(mistakes(keys, "a = 1\nb = 1\nc = 1") == "f:1:1: t.a: set either a or b");
  CHECK(mistakes(keys, "a = 1") == "f:1:1: t.c is missing");
  CHECK_THAT(mistakes(keys, "a = 1\nc = 1\nname = 'n'"), Catch::Contains("t.name is not a key"));
}

TEST_CASE("which keys of a remote are files is stated") {
  const StatedKeys keys(config::kRemoteKeys, "name");
  CHECK(keys.is_file("ca"));
  CHECK_FALSE(keys.is_file("cwd"));
  CHECK_FALSE(keys.is_file("not a key"));
}
