#include "cli/fields.h"

#include "support/catch.h"

using namespace collet;

namespace {

json::Document parsed(std::string_view text) {
  json::Document document;
  REQUIRE_FALSE(json::parse(text, document));
  return document;
}

std::vector<cli::Field> fields(std::string_view schema) { return cli::fields_of(parsed(schema)); }

// Of the one property in a schema.
cli::Field field(const std::string& property) {
  const auto all = fields(R"({"properties":{"a":)" + property + "}}");
  REQUIRE_FALSE(all.empty());
  return all.front();
}

std::string signature(std::string_view schema) { return cli::signature("f", parsed(schema)); }

// As deep as that.
std::string objects_in_objects(unsigned depth) {
  std::string schema = "{}";
  for (unsigned i = 0; i < depth; ++i) schema = R"({"properties":{"a":)" + schema + "}}";
  return schema;
}

std::string many_properties(unsigned count) {
  std::string properties;
  for (unsigned i = 0; i < count; ++i) properties += (i > 0 ? "," : "") + fmt::format(R"("p{}":{{}})", i);
  return R"({"properties":{)" + properties + "}}";
}

}  // namespace

TEST_CASE("a field's type is told in words") {
  CHECK(field(R"({"type":"string"})").type == "string");
  CHECK(field(R"({"type":["string","null"]})").type == "string or null");
  CHECK(field(R"({"anyOf":[{"type":"integer"},{"type":"string"},{"type":"integer"}]})").type == "integer or string");
  CHECK(field(R"({"type":"array","items":{"type":"integer"}})").type == "integer[]");
  CHECK(field(R"({"type":"array","items":{"type":["integer","null"]}})").type == "(integer or null)[]");
  CHECK(field(R"({"type":"array"})").type == "array");
  CHECK(field(R"({"enum":["a",1,true,null,1.5,{},[]]})").type == "string, integer, boolean, null, number, object or array");
  CHECK(field(R"({"const":"a"})").type == "string");
  CHECK(field("{}").type == "any");
  CHECK(field("true").type == "any");
}

TEST_CASE("the types of arrays in arrays are named four deep, and no deeper") {
  std::string schema = R"({"type":"integer"})";
  for (int i = 0; i < 4; ++i) schema = R"({"type":"array","items":)" + schema + "}";
  CHECK(field(schema).type == "integer[][][][]");
  CHECK(field(R"({"type":"array","items":)" + schema + "}").type == "array[][][][]");
}

TEST_CASE("what a field's values have to be is told in words") {
  CHECK(field(R"({"minimum":1,"maximum":10})").values == "1 to 10");
  CHECK(field(R"({"minimum":0.5})").values == "at least 0.5");
  CHECK(field(R"({"maximum":3,"exclusiveMinimum":0})").values == "at most 3; more than 0");
  CHECK(field(R"({"minLength":1,"maxLength":64})").values == "1 to 64 characters");
  CHECK(field(R"({"minItems":2,"maxItems":2})").values == "2 items");
  CHECK(field(R"({"multipleOf":5,"exclusiveMaximum":50})").values == "less than 50; a multiple of 5");
  CHECK(field(R"({"format":"date","pattern":"^2"})").values == "format date; pattern ^2");
  CHECK(field(R"({"enum":["a","b",3]})").values == R"("a", "b", 3)");
  CHECK(field(R"({"const":null})").values == "null");
  CHECK(field(R"({"minimum":"1","enum":2})").values.empty());
}

TEST_CASE("32 values of an enum are shown, and that there are more") {
  const auto values = [](unsigned count) {
    std::string text;
    for (unsigned i = 0; i < count; ++i) text += (i > 0 ? "," : "") + std::to_string(i);
    return field(R"({"enum":[)" + text + "]}").values;
  };
  CHECK_THAT(values(32), Catch::EndsWith(", 31"));
  CHECK_THAT(values(33), Catch::EndsWith(", 31, …"));
}

TEST_CASE("default, description and need are read beside a reference and behind it") {
  const auto all = fields(R"({"$defs":{"d":{"description":"Behind","default":1,"type":"integer"}},
      "properties":{"a":{"$ref":"#/$defs/d"},"b":{"$ref":"#/$defs/d","description":"Beside","default":{"x":2}}},
      "required":["a"],"allOf":[{"required":["b"]}],"anyOf":[{"properties":{"c":{}},"required":["c"]}]})");
  REQUIRE(all.size() == 3);
  CHECK((all[0].description == "Behind" && all[0].standard == "1" && all[0].type == "integer" && all[0].required));
  CHECK((all[1].description == "Beside" && all[1].standard == R"({"x":2})" && all[1].required));
  CHECK_FALSE(all[2].required);  // where another branch holds it may be left out
}

TEST_CASE("what is in objects and arrays is named from outside") {
  const auto all = fields(R"({"properties":{"o":{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]},
      "l":{"type":"array","items":{"properties":{"c":{}}}},"z":{}}})");
  std::string names;
  for (const cli::Field& each : all) names += each.name + (each.required ? "! " : " ");
  CHECK(names == "o o.b! l l[].c z ");
}

TEST_CASE("objects are looked into four deep, and a thousand fields are told") {
  CHECK(fields(objects_in_objects(5)).size() == 5);
  CHECK(fields(objects_in_objects(6)).size() == 5);
  CHECK(fields(R"({"properties":{"a":{"$ref":"#"}}})").size() == 5);
  CHECK(fields(many_properties(1'000)).size() == 1'000);
  CHECK(fields(many_properties(1'001)).size() == 1'000);
}

TEST_CASE("a signature has names, types and what may be left out") {
  CHECK(signature(R"({"properties":{"a":{"type":"integer"},"b":{"type":"array","items":{"type":"string"}},"c":{}},
                      "required":["a"]})") ==
        "f(a: integer, b?: string[], c?: any)");
  CHECK(signature(R"({"type":"object"})") == "f()");
  CHECK(signature(R"({"additionalProperties":{"type":"string"}})") == "f(…)");
}
