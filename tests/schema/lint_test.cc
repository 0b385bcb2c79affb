#include "schema/lint.h"

#include "schema/support.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;

namespace {

constexpr std::string_view kFine =
    R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}},"required":["a"]})";

std::string lint(std::string_view name, std::string_view schema = kFine) {
  std::string out;
  for (const Lint& warning : lint_tool(name, parse(schema)))
    out += warning.location + ": " + warning.message + "\n";
  return out;
}

// The warnings for an object with this property.
std::string lint_property(const std::string& schema, const std::string& name = "a") {
  return lint("tool", fmt::format(R"({{"type":"object","properties":{{"{}":{}}}}})", name, schema));
}

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a plain tool gives no warning") {
  CHECK(lint("read_file").empty());
  CHECK(lint(std::string(40, 'a')).empty());
  CHECK(
      lint_property(R"({"anyOf":[{"type":"string"},{"type":"null"}],"description":"d","pattern":"^a+$"})").empty());
}

TEST_CASE("names that providers refuse or clients rewrite are warned of") {
  CHECK(mentions(lint(std::string(41, 'a')), "41 characters"));
  CHECK(mentions(lint(std::string(64, 'a')), "keep it below 40"));
  CHECK(mentions(lint(std::string(65, 'a')), "OpenAI refuses more than 64"));
  CHECK(mentions(lint("files.read"), "clients rewrite it"));
  CHECK(mentions(lint("1st"), "Gemini"));
}

TEST_CASE("schemas that providers refuse are warned of, with the place") {
  CHECK(mentions(lint("t", R"({"properties":{}})"), R"("type":"object")"));
  CHECK(mentions(lint("t", "true"), R"("type":"object")"));
  CHECK(lint("t", R"({"type":"object","anyOf":[{"required":["a"]}]})") ==
        "/anyOf: anyOf at the root: OpenAI and Anthropic refuse it\n");
  CHECK(lint_property(R"({"type":"array"})") ==
        "/properties/a: an array without items: OpenAI and Gemini refuse it\n");
  CHECK(mentions(lint_property("{}", "a b"), "/properties/a b: the property's name"));
  CHECK(lint_property("{}", std::string(64, 'a')).empty());
  CHECK(mentions(lint_property("{}", std::string(65, 'a')), "Anthropic"));
  CHECK(mentions(lint_property(R"x({"pattern":"^(?=a)"})x"), "/properties/a/pattern: a pattern with lookaround"));
  for (const char* keyword : {"allOf", "not", "if", "dependentRequired", "dependentSchemas", "patternProperties",
                              "propertyNames", "contains", "unevaluatedProperties", "$dynamicRef"}) {
    CHECK(mentions(lint_property(fmt::format(R"({{"{}":{{}}}})", keyword)),
                   fmt::format("/properties/a/{}: ", keyword)));
  }
  CHECK(mentions(lint_property(R"({"items":{"anyOf":[{"not":{}}]}})"), "/properties/a/items/anyOf/0/not: "));
}

TEST_CASE("a list of types, of which a client dies, is warned of, with the place") {
  CHECK(mentions(lint_property(R"({"type":["string","null"]})"), "/properties/a/type: a list of types"));
  CHECK(mentions(lint_property(R"({"type":"array","items":{"type":["string"]}})"),
                 "/properties/a/items/type: a list"));
  CHECK_FALSE(mentions(lint_property(R"({"type":"string","enum":["type"]})"), "a list of types"));
}

TEST_CASE("sizes beyond what a provider takes are warned of, one past the limit") {
  const auto nested = [](int levels) {
    std::string schema = "{}";
    for (int i = 1; i < levels; ++i) schema = fmt::format(R"({{"type":"object","properties":{{"a":{}}}}})", schema);
    return lint_property(schema);
  };
  CHECK(nested(10).empty());
  CHECK(mentions(nested(11), "more than 10 deep"));
  const auto many = [](int count, std::string_view item) {
    std::string out;
    for (int i = 0; i < count; ++i) out += fmt::format(fmt::runtime(item), i ? "," : "", i);
    return out;
  };
  CHECK(lint_property(fmt::format(R"({{"enum":[{}]}})", many(1000, "{}{}"))).empty());
  CHECK(
      mentions(lint_property(fmt::format(R"({{"enum":[{}]}})", many(1001, "{}{}"))), "more than 1000 enum values"));
  const auto wide = [&](int count) {
    return lint("t", fmt::format(R"({{"type":"object","properties":{{{}}}}})", many(count, "{}\"p{}\":{{}}")));
  };
  CHECK(wide(5000).empty());
  CHECK(mentions(wide(5001), "more than 5000 properties"));
}
