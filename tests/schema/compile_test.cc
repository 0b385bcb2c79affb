#include "schema/support.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;
using Kind = CompileError::Kind;

TEST_CASE("a schema that violates its metaschema is refused, with place and keyword") {
  const auto why = refused(R"({"properties":{"a":{"type":"strin"}}})");
  CHECK(why.kind == Kind::metaschema);
  CHECK(why.location == "/properties/a");
  CHECK(why.keyword == "type");
  CHECK(why.message.find("/properties/a/type") != std::string::npos);
  CHECK(why.message.find("\"strin\"") != std::string::npos);

  CHECK(refused(R"({"minLength":-1})").keyword == "minLength");
  CHECK(refused(R"({"required":"a"})").keyword == "required");
  CHECK(refused(R"({"$schema":"http://json-schema.org/draft-07/schema#","required":["a","a"]})").keyword ==
        "required");
  CHECK(refused(R"({"allOf":[]})").keyword == "allOf");
  CHECK(refused("[]").kind == Kind::metaschema);
  CHECK(refused("{").kind == Kind::not_json);
}

TEST_CASE("a schema whose metaschema is not looked at is refused all the same") {
  Options options;
  options.check_metaschema = false;
  for (const char* text : {R"({"type":"strin"})",
                           R"({"type":1})",
                           R"({"enum":1})",
                           R"({"minimum":"1"})",
                           R"({"multipleOf":0})",
                           R"({"minLength":1.5})",
                           R"({"maxItems":-1})",
                           R"({"pattern":1})",
                           R"({"properties":[]})",
                           R"({"properties":{"a":1}})",
                           R"({"patternProperties":[]})",
                           R"({"required":[1]})",
                           R"({"required":{}})",
                           R"({"dependentRequired":{"a":1}})",
                           R"({"dependentRequired":[]})",
                           R"({"prefixItems":{}})",
                           R"({"items":[]})",
                           R"({"allOf":{}})",
                           R"({"anyOf":[]})",
                           R"({"not":1})",
                           R"({"$ref":1})",
                           R"({"additionalProperties":[]})",
                           "[]"}) {
    CHECK(refused(text, options).kind == Kind::malformed);
  }
}

TEST_CASE("an unknown dialect is refused by name") {
  const auto why = refused(R"({"$schema":"https://example.org/mine","type":"object"})");
  CHECK(why.kind == Kind::unknown_dialect);
  CHECK(why.keyword == "$schema");
  CHECK(why.message.find("https://example.org/mine") != std::string::npos);
  CHECK(refused(R"({"$schema":"http://json-schema.org/draft-04/schema#"})").kind == Kind::unknown_dialect);
}

TEST_CASE("a dialect is known by its metaschema's URI, whatever the scheme and with or without #") {
  for (const char* uri : {"http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-07/schema",
                          "https://json-schema.org/draft-07/schema#"}) {
    const std::string text = fmt::format(
        R"({{"$schema":"{}","$ref":"#/definitions/a","type":"string","definitions":{{"a":{{}}}}}})", uri);
    CHECK(compile(text).dialect() == Dialect::draft7);
    CHECK(valid(text, "1"));  // what stands beside $ref means nothing there
  }
  CHECK(compile("{}").dialect() == Dialect::draft2020_12);
  Options options;
  options.default_dialect = Dialect::draft2019_09;
  CHECK(compile("{}", options).dialect() == Dialect::draft2019_09);
  CHECK(valid(R"({"items":[{"type":"string"}]})", R"(["a",1])", options));
}

TEST_CASE("a vocabulary that must be understood and is not refuses the schema") {
  Documents documents;
  documents.add("https://example.org/meta", parse(R"({"$schema":"https://json-schema.org/draft/2020-12/schema",
    "$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,"https://example.org/vocab":true}})"));
  Options options;
  options.documents = &documents;
  const auto why = refused(R"({"$schema":"https://example.org/meta"})", options);
  CHECK(why.kind == Kind::unknown_dialect);
  CHECK(why.message.find("https://example.org/vocab") != std::string::npos);
}

TEST_CASE("a schema is checked against a metaschema of its own") {
  Documents documents;
  documents.add("https://example.org/meta", parse(R"({"$schema":"https://json-schema.org/draft/2020-12/schema",
    "required":["title"]})"));
  Options options;
  options.documents = &documents;
  CHECK(valid(R"({"$schema":"https://example.org/meta","title":"t","type":"integer"})", "1", options));
  CHECK(refused(R"({"$schema":"https://example.org/meta","type":"integer"})", options).kind == Kind::metaschema);
}

TEST_CASE("a reference that needs the network is refused, and so is one that leads nowhere") {
  const auto why = refused(R"({"properties":{"a":{"$ref":"https://example.org/other.json#/x"}}})");
  CHECK(why.kind == Kind::unresolved);
  CHECK(why.location == "/properties/a");
  CHECK(why.keyword == "$ref");
  CHECK(why.message.find("https://example.org/other.json") != std::string::npos);
  for (const char* reference : {"#/$defs/none", "#anchor", "other.json", "#/$defs/list", "#/$defs/list/1",
                                "#/$defs/list/00", "#/$defs/list/x"}) {
    CHECK(refused(fmt::format(R"({{"$ref":"{}","$defs":{{"a":{{}}}},"x-list":[1]}})", reference)).kind ==
          Kind::unresolved);
  }
  CHECK(refused(R"({"$ref":"#/x-list","x-list":[1]})").kind == Kind::unresolved);
  CHECK(refused(R"({"$ref":"#/x-list/0","x-list":[1]})").kind == Kind::unresolved);
  CHECK(valid(R"({"$ref":"#/x-list/0","x-list":[{"type":"integer"}]})", "1"));
}

TEST_CASE("a regular expression that cannot be used is refused with its reason") {
  const auto why = refused(R"({"properties":{"a":{"pattern":"a("}}})");
  CHECK(why.kind == Kind::bad_pattern);
  CHECK(why.location == "/properties/a");
  CHECK(why.keyword == "pattern");
  CHECK(why.message.find("a group is not closed") != std::string::npos);
  CHECK(refused(R"({"patternProperties":{"[":true}})").keyword == "patternProperties");
}

TEST_CASE("the schema's text may go away once it is compiled") {
  const auto schema = [] {
    const std::string long_name(100, 'n');
    auto document = parse(fmt::format(
        R"({{"properties":{{"{0}":{{"enum":["{0}",{{"{0}":"{0}"}}]}}}},"required":["{0}"],"format":"{0}"}})",
        long_name));
    return compile(json::to_text(document));
  }();
  const std::string long_name(100, 'n');
  CHECK(schema.validate(parse(fmt::format(R"({{"{0}":"{0}"}})", long_name))).valid());
  CHECK(schema.validate(parse(fmt::format(R"({{"{0}":{{"{0}":"{0}"}}}})", long_name))).valid());
  CHECK_FALSE(schema.validate(parse(R"({"x":1})")).valid());
}

TEST_CASE("formats are asserted only if asked for") {
  CHECK(valid(R"({"format":"ipv4"})", R"("nonsense")"));
  Options options;
  options.assert_formats = true;
  CHECK_FALSE(valid(R"({"format":"ipv4"})", R"("nonsense")", options));
  CHECK(valid(R"({"format":"ipv4"})", R"("127.0.0.1")", options));
  CHECK(valid(R"({"format":"ipv4"})", "1", options));
  CHECK(valid(R"({"format":"unheard-of"})", R"("x")", options));
}
