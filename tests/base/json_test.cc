#include "base/json.h"

#include <cmath>

#include "support/catch.h"

using namespace collet;

namespace {

std::string raw_arguments(std::string_view text) {
  json::Document document;
  json::RawMember member{"params", "arguments", {}};
  REQUIRE_FALSE(json::parse(text, document, member));
  return std::string(member.raw);
}

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("the exact text of a member is found, whatever its kind and spacing") {
  CHECK(raw_arguments(R"({"params":{"arguments":{"a": [1, 2]}, "name":"x"}})") == R"({"a": [1, 2]})");
  CHECK(raw_arguments(R"({"params" : { "name":"x", "arguments" : 1.50 } })") == "1.50");
  CHECK(raw_arguments(R"({"params":{"arguments":-12}})") == "-12");
  CHECK(raw_arguments(R"({"params":{"arguments": "a\"b" }})") == R"("a\"b")");
  CHECK(raw_arguments(R"({"params":{"arguments":null}})") == "null");
  CHECK(raw_arguments(R"({"params":{"arguments":[]}})") == "[]");
  CHECK(raw_arguments("{\"params\":{\"arguments\"\n:\t{} }}") == "{}");
}

TEST_CASE("only the member on the given way counts") {
  CHECK(raw_arguments(R"({"arguments":1,"params":{"x":{"arguments":2}},"other":{"arguments":3}})").empty());
  CHECK(raw_arguments(R"({"params":[{"arguments":2}]})").empty());
  CHECK(raw_arguments(R"({"params":{"arguments":{"arguments":7}}})") == R"({"arguments":7})");
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
