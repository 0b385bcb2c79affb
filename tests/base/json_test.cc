#include "base/json.h"

#include <cmath>

#include "support/catch.h"

using namespace collet;

namespace {

std::string raw_arguments(std::string_view text) {
  json::Document document;
  json::ParseBuffer buffer;
  json::RawMember member{"params", "arguments", {}};
  REQUIRE_FALSE(json::parse(text, buffer, document, member));
  return std::string(member.raw);
}

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("the exact text of a member is found, whatever its spacing and wherever it stands") {
  CHECK(raw_arguments(R"({"params":{"arguments":{"a": [1, 2]}, "name":"x"}})") == R"({"a": [1, 2]})");
  CHECK(raw_arguments(R"({"params" : { "name":"\u0078\n", "arguments" : {"b":"}\"{","c":{}} } })") ==
        R"({"b":"}\"{","c":{}})");
  CHECK(raw_arguments(R"({"params":{"\u0061rguments":{"\u0061":1}}})") == R"({"\u0061":1})");
  CHECK(raw_arguments(R"({"params":{"arguments":[]}})") == "[]");
  CHECK(raw_arguments("{\"params\":{\"arguments\"\n:\t{} }}") == "{}");
  for (const char* scalar : {"1.50", R"("{}")", "null"}) {
    CHECK(raw_arguments(std::string(R"({"params":{"arguments":)") + scalar + R"(,"x":{}}})").empty());
  }
}

TEST_CASE("only the member on the given way counts") {
  CHECK(raw_arguments(R"({"arguments":{},"params":{"x":{"arguments":{}}},"other":{"arguments":{}}})").empty());
  CHECK(raw_arguments(R"({"params":[{"arguments":{}}]})").empty());
  CHECK(raw_arguments(R"({"params":{"arguments":{"arguments":{}}}})") == R"({"arguments":{}})");
}

TEST_CASE("a member that is looked for must not be there twice: its text and its value could differ") {
  for (const char* text :
       {R"({"params":{"arguments":{},"arguments":{}}})", R"({"params":{"arguments":1,"arguments":{}}})",
        R"({"params":{"arguments":{}},"params":{}})", R"({"params":{},"params":{"arguments":{}}})"}) {
    json::Document document;
    json::ParseBuffer buffer;
    json::RawMember member{"params", "arguments", {}};
    const auto bad = json::parse(text, buffer, document, member);
    REQUIRE(bad);
    CHECK(bad->message == "params or params.arguments is there twice");
  }
}

TEST_CASE("a buffer keeps its room for the next text, at the limit, and none one past it") {
  json::ParseBuffer buffer;
  buffer.copy("");
  const std::size_t beside = buffer.bytes();
  for (const std::size_t past : {0u, 1u}) {
    buffer.copy(std::string(limits::kParseBufferKeptBytes - beside + past, 'x'));
    buffer.trim();
    CHECK(buffer.bytes() == (past ? 0 : limits::kParseBufferKeptBytes));
  }
}

TEST_CASE("nesting is bounded, at the limit and one past it") {
  json::Document document;
  CHECK_FALSE(json::parse(nested(limits::kJsonDepthMax), document));
  CHECK(json::parse(nested(limits::kJsonDepthMax + 1), document));
  CHECK(json::parse(nested(1'000'000), document));
  CHECK(json::is_valid(nested(limits::kJsonDepthMax)));
  CHECK_FALSE(json::is_valid(nested(limits::kJsonDepthMax + 1)));
}

TEST_CASE("what is not one JSON value is refused") {
  json::Document document;
  for (std::string_view text : {"", " ", "{", "{}x", "{} {}", "nul", "01", "1.", "+1", "\"a", "[1,]", "{\"a\":}",
                                "{'a':1}", "\"\x01\"", "\"\xff\"", "1e400", "NaN", "// c\n1"}) {
    INFO(text);
    CHECK(json::parse(text, document));
    CHECK_FALSE(json::is_valid(text));
  }
  CHECK(json::parse(std::string_view("{}\0", 3), document));
  CHECK(json::parse(std::string_view("[1\0]", 4), document));
}

TEST_CASE("a zero is zero, whatever its exponent") {
  for (const char* zero : {"0e-53", "-0e-53", "0E+300", "0.0e5", "-0", "-0.0", "1e-400", "-1e-400"}) {
    INFO(zero);
    json::Document document;
    REQUIRE_FALSE(json::parse(zero, document));
    CHECK(document.GetDouble() == 0);
  }
  json::Document document;
  REQUIRE_FALSE(json::parse("-0", document));
  CHECK(std::signbit(document.GetDouble()));
}

TEST_CASE("a surrogate without its other half is refused, as an escape as well") {
  json::Document document;
  for (const char* bad : {R"("\udddd")", R"("\uDC00\ud800")", R"("\ud83d")", R"("\ud83dx\ude00")",
                          R"("\ud83d\ude00\ude00")", R"({"\udfff":1})", R"("\\\udc00")"}) {
    INFO(bad);
    CHECK(json::parse(bad, document));
    CHECK_FALSE(json::is_valid(bad));
  }
  for (const char* good : {R"("\ud83d\ude00")", R"("\\udc00")", R"("\\\\udc00\u0041")", R"("\n\ud83d\uDE00\\")"}) {
    INFO(good);
    REQUIRE_FALSE(json::parse(good, document));
    CHECK(json::is_valid(json::to_text(document)));
  }
}

TEST_CASE("a number beyond any double is refused") {
  json::Document document;
  for (const char* text : {"1e309", "-1e309", "999e307", "1e99999999999"}) {
    CHECK(json::parse(text, document));
    CHECK_FALSE(json::is_valid(text));
  }
  CHECK_FALSE(json::parse("1.7976931348623157e308", document));
}

TEST_CASE("numbers keep their exact value") {
  json::Document document;
  REQUIRE_FALSE(json::parse("[18446744073709551615,-9223372036854775808,0.1,5e-324]", document));
  CHECK(json::to_text(document) == "[18446744073709551615,-9223372036854775808,0.1,5e-324]");
}

TEST_CASE("an array is split into the exact texts of its elements") {
  using Texts = std::vector<std::string_view>;
  CHECK(json::split_array(" [ 1 , \"a,]\\\"\" ,{\"b\":[2,3]},[ ] ]\n") ==
        Texts{"1", "\"a,]\\\"\"", "{\"b\":[2,3]}", "[ ]"});
  CHECK(json::split_array("[]") == Texts{});
  CHECK(json::split_array("[ ]") == Texts{});
  for (const char* bad : {"", "{}", "1", "[1", "[1,]", "[,]", "[1]]", "[1}", "[\"]"}) {
    CAPTURE(bad);
    CHECK_FALSE(json::split_array(bad));
  }
}

TEST_CASE("an object is split into the exact texts of its members") {
  std::vector<json::TextMember> members;
  REQUIRE(json::split_object(R"( { "a" : "}\",]\\" ,"b":[{"c":[]},-1e5 ],"\u0063\n":null, "d":{ } ,"e":1.50})",
                             members));
  REQUIRE(members.size() == 5);
  CHECK(members[0].key == "a");
  CHECK(members[0].value == R"("}\",]\\")");
  CHECK(members[1].value == R"([{"c":[]},-1e5 ])");
  CHECK(members[2].key == "c\n");
  CHECK(members[2].value == "null");
  CHECK(members[3].value == "{ }");
  CHECK(members[4].value == "1.50");
  REQUIRE(json::split_object("{}", members));
  CHECK(members.empty());
  REQUIRE(json::split_object(R"({"last":true})", members));
  CHECK(members[0].value == "true");
  for (const char* bad : {"", "[]", "{", R"({"a":})", R"({"a":1}x)", "null"})
    CHECK_FALSE(json::split_object(bad, members));
}
