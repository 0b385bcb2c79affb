#include "client/mcp/mirrored_headers.h"

#include <map>

#include "support/catch.h"

using namespace collet::client;

namespace {

std::string schema_with(const std::string& annotation, const std::string& type = "string") {
  return R"({"type":"object","properties":{"p":{"type":")" + type + R"(","x-mcp-header":)" + annotation + "}}}";
}

}  // namespace

TEST_CASE("values travel in headers as they are, or as base64 where a header cannot carry them") {
  // The examples of the specification.
  CHECK(encode_header_value("us-west1") == "us-west1");
  CHECK(encode_header_value("Hello, 世界") == "=?base64?SGVsbG8sIOS4lueVjA==?=");
  CHECK(encode_header_value(" padded ") == "=?base64?IHBhZGRlZCA=?=");
  CHECK(encode_header_value("line1\nline2") == "=?base64?bGluZTEKbGluZTI=?=");
  CHECK(encode_header_value("=?base64?literal?=") == "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
  CHECK(encode_header_value("").empty());
  CHECK(encode_header_value("a\tb") == "a\tb");
  CHECK(encode_header_value("a\x7f") == "=?base64?YX8=?=");
}

TEST_CASE("annotated parameters are repeated in headers, nested ones too, null and absent ones not") {
  const auto parameters = read_mirrored(
      R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},
          "limits":{"type":"object","properties":{"rows":{"type":"integer","x-mcp-header":"Rows"}}},
          "dry":{"type":"boolean","x-mcp-header":"Dry"},"plain":{"type":"string"}}})");
  REQUIRE(parameters);
  const auto headers_of = [&](std::string_view arguments) {
    std::map<std::string, std::string> out;
    for (const HttpHeader& header : mirrored_headers(*parameters, arguments)) out[header.name] = header.value;
    return out;
  };
  CHECK(headers_of(R"({"region":"eu\n","limits":{"rows":-7},"dry":true,"plain":"x"})") ==
        std::map<std::string, std::string>{
            {"Mcp-Param-Region", "=?base64?ZXUK?="}, {"Mcp-Param-Rows", "-7"}, {"Mcp-Param-Dry", "true"}});
  CHECK(headers_of(R"({"region":null,"limits":5})").empty());
  CHECK(headers_of("{}").empty());
}

TEST_CASE("a tool whose annotation is not as it must be is not used") {
  for (const char* annotation : {R"("")", "{}", "[]", "null", "1", R"("a b")", R"("é")", R"("a:b")"}) {
    CAPTURE(annotation);
    CHECK_FALSE(read_mirrored(schema_with(annotation)));
  }
  CHECK_FALSE(read_mirrored(schema_with(R"("A")", "number")));
  CHECK_FALSE(read_mirrored(schema_with(R"("A")", "object")));
  CHECK(read_mirrored(schema_with(R"("A")", "integer")));
  CHECK_FALSE(read_mirrored(
      R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}})"));
}

TEST_CASE("an annotation counts on chains of properties, however long, and nowhere else") {
  std::string deep = R"({"x-mcp-header":"Deep","type":"string"})";
  for (int i = 0; i < 60; ++i) deep = R"({"properties":{"p":)" + deep + "}}";
  const auto found = read_mirrored(deep);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().header == "Mcp-Param-Deep");
  CHECK(found->front().path == std::vector<std::string>(60, "p"));
  const auto none = read_mirrored(
      R"({"x-mcp-header":"A","type":"string","items":{"properties":{"b":{"x-mcp-header":"B","type":"string"}}},
          "properties":{"c":true,"d":["x-mcp-header"],"e":{"properties":7,"default":{"x-mcp-header":"E"}}}})");
  REQUIRE(none);
  CHECK(none->empty());
}
