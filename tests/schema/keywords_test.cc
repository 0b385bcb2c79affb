// One instance that each keyword takes and one that it refuses. The official suite says it all; this is what is
// known where the suite is not at hand.
#include "schema/support.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;

namespace {

struct Case {
  const char* schema;
  const char* good;
  const char* bad;
};

void check(const Case& c, const Options& options = {}) {
  INFO(c.schema);
  const auto schema = compile(c.schema, options);
  for (const bool good : {true, false}) {
    const auto instance = parse(good ? c.good : c.bad);
    CHECK(schema.validate(instance).valid() == good);
    CHECK(schema.explain(instance).violations.empty() == good);
  }
}

}  // namespace

TEST_CASE("every keyword of 2020-12 takes and refuses") {
  const Case cases[] = {
      {R"({"type":["integer","null"]})", "null", "1.5"},
      {R"({"enum":["a",1,[2]]})", "[2.0]", "[3]"},
      {R"({"const":{"a":[]}})", R"({"a":[]})", R"({"a":[0]})"},
      {R"({"multipleOf":0.1})", "0.3", "0.35"},
      {R"({"minimum":1,"maximum":2})", "1", "0"},
      {R"({"exclusiveMinimum":1,"exclusiveMaximum":2})", "1.5", "2"},
      {R"({"minLength":1,"maxLength":2})", R"("\u00e9\u00e9")", R"("abc")"},
      {R"({"pattern":"^a"})", R"("ab")", R"("ba")"},
      {R"({"minItems":1,"maxItems":2})", "[1]", "[]"},
      {R"({"uniqueItems":true})", R"([1,"1",true,[1]])", "[1,1.0]"},
      {R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"(["a",1])", R"(["a","b"])"},
      {R"({"contains":{"type":"null"},"minContains":2,"maxContains":3})", "[null,1,null]", "[null,1]"},
      {R"({"contains":{"type":"null"},"minContains":0,"maxContains":1})", "[]", "[null,null]"},
      {R"({"minProperties":1,"maxProperties":2})", R"({"a":1})", "{}"},
      {R"({"required":["a"]})", R"({"a":null})", R"({"b":1})"},
      {R"({"properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}})", R"({"a":null,"b":1})",
       R"({"a":null,"b":"1"})"},
      {R"({"patternProperties":{"^x":{"type":"null"}},"additionalProperties":false})", R"({"xa":null})",
       R"({"y":null})"},
      {R"({"propertyNames":{"pattern":"^a"}})", R"({"ab":1})", R"({"b":1})"},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"b":1})", R"({"a":1})"},
      {R"({"dependentSchemas":{"a":{"minProperties":2}}})", R"({"a":1,"b":1})", R"({"a":1})"},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "2", "3"},
      {R"({"anyOf":[{"minimum":5},{"maximum":2}]})", "6", "3"},
      {R"({"oneOf":[{"minimum":2},{"maximum":5}]})", "6", "3"},
      {R"({"not":{"type":"null"}})", "1", "null"},
      {R"({"if":{"minimum":5},"then":{"multipleOf":2},"else":{"multipleOf":3}})", "3", "7"},
      {R"({"$ref":"#/$defs/a%25b~1c","$defs":{"a%b/c":{"type":"null"}}})", "null", "1"},
      {R"({"$ref":"#x","$defs":{"a":{"$anchor":"x","type":"null"}}})", "null", "1"},
      {R"({"$id":"http://a/b/","$ref":"c","$defs":{"a":{"$id":"c","type":"null"}}})", "null", "1"},
      {R"({"properties":{"a":true},"unevaluatedProperties":false})", R"({"a":1})", R"({"b":1})"},
      {R"({"anyOf":[{"properties":{"a":{"const":1}},"required":["a"]},{"properties":{"b":true}}],"unevaluatedProperties":false})",
       R"({"a":1,"b":1})", R"({"a":2,"b":1})"},
      {R"({"if":{"required":["a"],"properties":{"a":true}},"unevaluatedProperties":{"type":"null"}})",
       R"({"a":1,"b":null})", R"({"a":1,"b":1})"},
      {R"({"allOf":[{"prefixItems":[true]}],"contains":{"type":"string"},"unevaluatedItems":false})", R"([1,"a"])",
       R"([1,"a",2])"},
      {R"({"$id":"http://a/tree","$dynamicAnchor":"n","properties":{"c":{"items":{"$dynamicRef":"#n"}}},"required":["v"]})",
       R"({"v":1,"c":[{"v":2}]})", R"({"v":1,"c":[{}]})"},
      {R"({"$id":"http://a/strict","$dynamicAnchor":"n","$ref":"tree","unevaluatedProperties":false,"$defs":{"t":
        {"$id":"tree","$dynamicAnchor":"n","properties":{"v":true,"c":{"items":{"$dynamicRef":"#n"}}}}}})",
       R"({"c":[{"v":1}]})", R"({"c":[{"w":1}]})"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("older dialects have what later ones renamed") {
  Options draft7;
  draft7.default_dialect = Dialect::draft7;
  check({R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a"])", R"(["a",1])"}, draft7);
  check({R"({"dependencies":{"a":["b"],"c":{"minProperties":2}}})", R"({"a":1,"b":1})", R"({"c":1})"}, draft7);
  check({R"({"$ref":"#/definitions/a","minimum":5,"definitions":{"a":{"type":"integer"}}})", "1", "1.5"}, draft7);
  check({R"({"$ref":"#x","definitions":{"a":{"$id":"#x","type":"null"}}})", "null", "1"}, draft7);
  CHECK(valid(R"({"minContains":2,"contains":{"type":"null"}})", "[null]", draft7));
  CHECK(valid(R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})", draft7));

  Options draft2019;
  draft2019.default_dialect = Dialect::draft2019_09;
  check({R"({"items":[true],"unevaluatedItems":false})", "[1]", "[1,2]"}, draft2019);
  check(
      {R"({"$id":"http://a/b","$recursiveAnchor":true,"anyOf":[{"type":"integer"},{"type":"array","items":{"$recursiveRef":"#"}}]})",
       "[1,[2]]", R"([1,["a"]])"},
      draft2019);
  CHECK(valid(R"({"prefixItems":[{"type":"null"}]})", "[1]", draft2019));
}

TEST_CASE("more than 64 required properties are each required") {
  std::string names;
  std::string members;
  for (int i = 0; i < 70; ++i) {
    names += fmt::format("{}\"p{}\"", i ? "," : "", i);
    members += fmt::format("{}\"p{}\":{}", i ? "," : "", i, i);
  }
  const auto schema = compile(fmt::format(R"({{"required":[{}]}})", names));
  CHECK(schema.validate(parse(fmt::format("{{{}}}", members))).valid());
  for (int left_out : {0, 63, 64, 69}) {
    auto instance = parse(fmt::format("{{{}}}", members));
    instance.RemoveMember(fmt::format("p{}", left_out).c_str());
    CHECK_FALSE(schema.validate(instance).valid());
    const Report report = schema.explain(instance);
    REQUIRE(report.violations.size() == 1);
    CHECK(report.violations[0].expected == fmt::format("property \"p{}\"", left_out));
  }
}

TEST_CASE("unevaluated members are told apart beyond what fits without allocating") {
  std::string members;
  for (int i = 0; i < 300; ++i) members += fmt::format("\"p{}\":1,", i);
  const auto schema = compile(R"({"patternProperties":{"^p":{"type":"integer"}},"unevaluatedProperties":false})");
  CHECK(schema.validate(parse(fmt::format("{{{}\"p\":1}}", members))).valid());
  CHECK_FALSE(schema.validate(parse(fmt::format("{{{}\"q\":1}}", members))).valid());
}
