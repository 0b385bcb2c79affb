#include "foreign/jsonc.h"

#include "support/catch.h"

using namespace collet;

namespace {

std::string as_json(std::string_view text) {
  const auto parsed = foreign::parse_jsonc(text);
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
    CHECK(std::holds_alternative<config::Problem>(foreign::parse_jsonc(text)));
  }
}

TEST_CASE("every key and string is placed where it stood") {
  const auto parsed = foreign::parse_jsonc(
      "{ // ä\n  \"k\" : \"ä\", /* \n */ \"l\": [ 1, true , \"x,]\"\n,[], \"y\" ],\n\"m\":{\"n\\\"\":\"z\"}}");
  REQUIRE(std::holds_alternative<config::Value>(parsed));
  std::string places;
  note_places(std::get<config::Value>(parsed), places);
  CHECK(places == "k@2:3 ä@2:9 l@3:5 x,]@3:22 y@4:6 m@5:1 n\"@5:6 z@5:12 ");
}
