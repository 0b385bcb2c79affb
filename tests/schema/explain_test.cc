#include "schema/support.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;

TEST_CASE("a violation says where, which keyword, what was expected and what there was") {
  const std::string_view schema = R"({"type":"object","properties":{
    "state":{"enum":["open","closed"]},"limit":{"type":"integer","minimum":1,"maximum":100},
    "order":{"type":"object","properties":{"by":{"enum":["asc","desc"]},"direction":true},"required":["by"],
             "additionalProperties":false}}})";
  CHECK(explain(schema, R"({"order":{"by":"up"}})") ==
        R"(/order/by [enum] must be one of ["asc","desc"], got "up")");
  CHECK(explain(schema, R"({"limit":"25"})") == R"(/limit [type] must be integer, got string "25")");
  CHECK(explain(schema, R"({"limit":101})") == "/limit [maximum] must be at most 100, got 101");
  CHECK(explain(schema, R"({"order":{}})") == R"(/order [required] must have property "by", got {})");
  CHECK(explain(schema, R"({"order":{"direction":1}})") ==
        R"(/order [required] must have property "by", got only "direction")");
  CHECK(explain(schema, R"({"order":{"by":"asc","x":1}})") ==
        R"(/order/x [additionalProperties] unknown property; allowed here: "by", "direction", got 1)");
  CHECK(explain(schema, R"({"state":"opne","limit":0})") ==
        "/state [enum] must be one of [\"open\",\"closed\"], got \"opne\"\n"
        "/limit [minimum] must be at least 1, got 0");
  CHECK(explain(schema, "{}").empty());
}

TEST_CASE("every keyword has its words") {
  struct Case {
    const char* schema;
    const char* instance;
    const char* message;
  };
  const Case cases[] = {
      {"false", "1", "(root) must be absent, got 1"},
      {R"({"type":["string","null"]})", "1.5", "(root) [type] must be string or null, got number 1.5"},
      {R"({"type":"number"})", "null", "(root) [type] must be number, got null"},
      {R"({"const":{"a":1}})", "[]", R"((root) [const] must be {"a":1}, got [])"},
      {R"({"exclusiveMinimum":0.5})", "0.5", "(root) [exclusiveMinimum] must be more than 0.5, got 0.5"},
      {R"({"exclusiveMaximum":3})", "3", "(root) [exclusiveMaximum] must be less than 3, got 3"},
      {R"({"multipleOf":0.01})", "0.001", "(root) [multipleOf] must be a multiple of 0.01, got 0.001"},
      {R"({"minLength":2})", R"("é")",
       R"((root) [minLength] must have at least 2 characters, got "é" (1 character))"},
      {R"({"maxLength":1})", R"("ab")",
       R"((root) [maxLength] must have at most 1 character, got "ab" (2 characters))"},
      {R"({"minLength":2,"maxLength":2})", R"("a")",
       R"((root) [minLength] must have exactly 2 characters, got "a" (1 character))"},
      {R"({"pattern":"^a$"})", R"("b")", R"((root) [pattern] must be a string matching ^a$, got "b")"},
      {R"({"minItems":1})", "[]", "(root) [minItems] must have at least 1 item, got 0 items"},
      {R"({"maxProperties":1})", R"({"a":1,"b":2})",
       "(root) [maxProperties] must have at most 1 property, got 2 properties"},
      {R"({"uniqueItems":true})", "[1,2,1]",
       "(root) [uniqueItems] must be an array of different items, got items 0 and 2 that are equal"},
      {R"({"contains":{"const":1}})", "[2]",
       "(root) [contains] must have at least 1 item that the schema under \"contains\" takes, got 0 items"},
      {R"({"contains":true,"maxContains":1})", "[2,3]",
       "(root) [maxContains] must have exactly 1 item that the schema under \"contains\" takes, got more"},
      {R"({"not":{"type":"null"}})", "null",
       "(root) [not] must be something that the schema under \"not\" refuses, got null"},
      {R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})",
       R"(/ab [maxLength] must have at most 1 character, got "ab" (2 characters))"},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})",
       R"((root) [dependentRequired] must have property "b", got only "a")"},
      {R"({"properties":{"a":true},"unevaluatedProperties":false})", R"({"b":1})",
       "/b [unevaluatedProperties] unknown property; no other properties are allowed here, got 1"},
      {R"({"prefixItems":[true],"items":false})", "[1,2]", "/1 must be absent, got 2"},
      {R"({"if":true,"then":{"type":"null"}})", "1", "(root) [type] must be null, got integer 1"},
      {R"({"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"type":"null"}}})", "[1]",
       "/0 [type] must be null, got integer 1"},
  };
  for (const Case& c : cases) CHECK(explain(c.schema, c.instance) == c.message);
}

TEST_CASE("of anyOf and oneOf the branch that comes closest is explained") {
  const std::string_view shapes = R"({"oneOf":[
    {"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind","radius"]},
    {"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},"required":["kind","side"]},
    {"type":"string"}]})";
  CHECK(explain(shapes, R"({"kind":"square","side":"2"})") == R"(/side [type] must be number, got string "2")");
  CHECK(explain(shapes, R"({"kind":"circle"})") ==
        R"((root) [required] must have property "radius", got only "kind")");
  CHECK(explain(shapes, "1") == "(root) [oneOf] must be object or string, got integer 1");
  CHECK(explain(R"({"anyOf":[{"const":"a"},{"const":"b"},{"type":"null"}]})", R"("c")") ==
        R"((root) [anyOf] must be "a", "b" or null, got string "c")");
  CHECK(explain(R"({"oneOf":[{"minimum":1},{"maximum":5},{"const":9}]})", "3") ==
        "(root) [oneOf] must be what exactly one of its schemas takes, got 3, which both 0 and 1 take");
}

TEST_CASE("pointers are escaped and lead through references") {
  const auto schema =
      compile(R"({"properties":{"a/b":{"items":{"$ref":"#/$defs/x~y"}}},"$defs":{"x~y":{"minimum":5}}})");
  const Report report = schema.explain(parse(R"({"a/b":[7,1]})"));
  REQUIRE(report.violations.size() == 1);
  CHECK(report.violations[0].instance == "/a~1b/1");
  CHECK(report.violations[0].keyword == "minimum");
}

TEST_CASE("the schema's pointer names the keyword, and the document if it is another") {
  const auto report = compile(R"({"allOf":[{"properties":{"a":{"type":"null"}}}]})").explain(parse(R"({"a":1})"));
  CHECK(report.violations.at(0).schema == "/allOf/0/properties/a/type");
  const auto other = compile(R"({"$ref":"https://json-schema.org/draft/2020-12/schema"})").explain(parse("1"));
  CHECK(other.violations.at(0).schema.find("https://json-schema.org/draft/2020-12/") == 0);
}

TEST_CASE("at most so many violations are collected, and it says if there may be more") {
  const auto schema = compile(R"({"items":{"type":"null"}})");
  const auto nine = parse("[1,2,3,4,5,6,7,8,9]");
  CHECK(schema.explain(nine).violations.size() == limits::kSchemaErrorsMax);
  CHECK(schema.explain(nine).truncated);
  CHECK(schema.explain(nine, 9).violations.size() == 9);
  CHECK(schema.explain(nine, 10).violations.size() == 9);
  CHECK_FALSE(schema.explain(nine, 10).truncated);
  CHECK(schema.explain(nine, 0).violations.size() == 1);
}

TEST_CASE("long values are cut between characters") {
  std::string letters;
  for (int i = 0; i < 200; ++i) letters += "é";
  const std::string message = explain(R"({"type":"null"})", fmt::format("\"{}\"", letters));
  CHECK(message.size() < 160);
  CHECK(message.find("…") != std::string::npos);
  CHECK(explain(R"({"type":"null"})", fmt::format("{}1{}", std::string(100, '['), std::string(100, ']'))).size() <
        200);
}
