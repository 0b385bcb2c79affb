#include "foreign/jsonc.h"

#include <algorithm>

#include "base/limits.h"
#include "support/catch.h"

using namespace collet;

namespace {

std::variant<config::Value, config::Problem> parse(std::string_view text) {
  foreign::Source source(text);
  return foreign::parse_jsonc(source);
}

std::string as_json(std::string_view text, const std::vector<foreign::Wanted>& wanted = {}) {
  foreign::Source source(text);
  const auto parsed = foreign::parse_jsonc(source, wanted);
  if (const auto* problem = std::get_if<config::Problem>(&parsed)) return problem->message;
  std::string out;
  config::append_json(out, std::get<config::Value>(parsed));
  return out;
}

// Each string of the document with where it stands.
void note_places(const config::Value& value, std::string& out) {
  if (value.type == config::Value::Type::string) {
    out += value.text + "@" + std::to_string(value.at.line) + ":" + std::to_string(value.at.column) + " ";
  }
  for (const config::Value& item : value.items) note_places(item, out);
  for (const config::Value::Member& member : value.members) {
    out += member.key + "@" + std::to_string(member.at.line) + ":" + std::to_string(member.at.column) + " ";
    note_places(member.value, out);
  }
}

}  // namespace

TEST_CASE("comments and commas before closing brackets are let in") {
  CHECK(as_json("// a\n{/**/\"a\"/*,*/:/***/1,// ,\n}//") == R"({"a":1})");
  CHECK(as_json("{\"a\":[1,2,\n],\"b\":{\"c\":[],},}") == R"({"a":[1,2],"b":{"c":[]}})");
  CHECK(as_json(R"({"a//b":"/* c */","d":"\\","e":"\",]"})") == R"({"a//b":"/* c */","d":"\\","e":"\",]"})");
  CHECK(as_json("\xef\xbb\xbf{\"a\": true}") == R"({"a":true})");
  CHECK(as_json(R"({"a":null,"b":-1,"c":1.5,"d":18446744073709551615})") ==
        R"({"b":-1,"c":1.5,"d":1.8446744073709552e+19})");
}

TEST_CASE("other commas and slashes are mistakes") {
  for (const char* text : {"{,}", R"({"a":[,]})", R"({"a":1,,})", R"({"a":[1,,]})", R"({"a":,})", R"({"a",:1})",
                           "{}/", "{/}", R"({"a":1}, )", "{}{}", "/", "{} /* /", R"({"a":"b)", R"({"a":"b\)"}) {
    INFO(text);
    CHECK(std::holds_alternative<config::Problem>(parse(text)));
  }
}

TEST_CASE("every key and string is placed where it stood") {
  const auto parsed = parse(
      "{ // ä\n  \"k\" : \"ä\", /* \n */ \"l\": [ 1, true , \"x,]\"\n,[], \"y\" ],\n\"m\":{\"n\\\"\":\"z\"}}");
  REQUIRE(std::holds_alternative<config::Value>(parsed));
  std::string places;
  note_places(std::get<config::Value>(parsed), places);
  CHECK(places == "k@2:3 ä@2:9 l@3:5 x,]@3:22 y@4:6 m@5:1 n\"@5:6 z@5:12 ");
}

TEST_CASE("what is not wanted is passed over, whatever it is") {
  const std::vector<foreign::Wanted> wanted = {{"a"}, {"p", {{"*", {{"a"}}}}}};
  CHECK(as_json(R"({"x":[{"}":"]\\"},null,[[1]]],"a":1,"y":{"a":2},"z":-1.5e3})", wanted) == R"({"a":1})");
  CHECK(as_json(R"({"p":{"k":{"a":[null_]},"l":{"b":"\q"}}})", wanted).find("not JSON") == 0);
  CHECK(as_json(R"({"p":{"k":{"a":["x"]},"l":{"b":"\q"},"m":{}},"x":1,"x":2,"b":[null]})", wanted) ==
        R"({"p":{"k":{"a":["x"]}}})");
  CHECK(as_json(R"({"x":{"a":[1})", wanted) == "not JSON: the file ends within a value");
  CHECK(as_json(R"({"x":"a\")", wanted) == "not JSON: a string does not end");
  CHECK(as_json(R"({"x":,"a":1})", wanted) == "not JSON: a value is expected");
}

TEST_CASE("a history takes no memory: what is kept is bounded, what is passed over is not") {
  constexpr std::size_t kBytes = 3 * limits::kForeignConfigBytesMax;
  std::size_t left = kBytes;
  bool is_begun = false;
  const auto history = [&](std::string begin) {
    left = kBytes;
    is_begun = false;
    return foreign::Source([&, begin](char* to, std::size_t room) -> Result<std::size_t> {
      if (!std::exchange(is_begun, true)) return begin.copy(to, room);
      const std::string_view end = R"("})";
      if (left == 0) return 0u;
      if (left <= end.size()) return left = 0, end.copy(to, room);
      const std::size_t count = std::min(room, left - end.size());
      left -= count;
      std::fill(to, to + count, 'x');
      return count;
    });
  };
  foreign::Source passed = history(R"({"a":1,"x":")");
  CHECK(std::holds_alternative<config::Value>(foreign::parse_jsonc(passed, {{"a"}})));
  foreign::Source kept = history(R"({"a":")");
  const auto refused = foreign::parse_jsonc(kept, {{"a"}});
  REQUIRE(std::holds_alternative<config::Problem>(refused));
  CHECK(std::get<config::Problem>(refused).message == "a string is too long");
}
