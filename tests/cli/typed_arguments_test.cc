#include "cli/typed_arguments.h"

#include "cli/argument_schema.h"

#include "support/catch.h"

using namespace collet;

namespace {

std::string typed(const std::string& schema, std::vector<std::string> words, const std::string& given = "{}") {
  json::Document parsed;
  REQUIRE(!json::parse(schema, parsed));
  const auto compiled = schema::Schema::compile(parsed);
  const auto made = cli::typed_arguments(parsed, compiled ? &*compiled : nullptr, given, words);
  return made ? *made : "error: " + made.message();
}

std::string of(const std::string& properties, std::vector<std::string> words, const std::string& given = "{}") {
  return typed(R"({"type":"object","properties":{)" + properties + "}}", std::move(words), given);
}

// Of one argument `k`.
std::string value(const std::string& schema, const std::string& text) { return of(R"("k":)" + schema, {"k=" + text}); }

bool says(const std::string& message, std::string_view words) { return message.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("a text is read as the schema's type") {
  CHECK(value(R"({"type":"integer"})", "42") == R"({"k":42})");
  CHECK(value(R"({"type":"integer"})", "18446744073709551615") == R"({"k":18446744073709551615})");
  CHECK(value(R"({"type":"integer"})", "1.0") == R"({"k":1.0})");
  CHECK(value(R"({"type":"number"})", "-1.5e3") == R"({"k":-1.5e3})");
  CHECK(value(R"({"type":"boolean"})", "true") == R"({"k":true})");
  CHECK(value(R"({"type":"null"})", "null") == R"({"k":null})");
  CHECK(value(R"({"type":"object"})", R"({"a":[1]})") == R"({"k":{"a":[1]}})");
  CHECK(value(R"({"type":"array"})", "[1,2]") == R"({"k":[1,2]})");
}

TEST_CASE("where the schema says string it stays one") {
  for (const char* text : {"42", "true", "null", "[1]", "{}", "", "a=b", "1e3"}) {
    CHECK(value(R"({"type":"string"})", text) == R"({"k":")" + std::string(text) + "\"}");
  }
  CHECK(value(R"({"type":"string"})", "say \"hi\"\n") == R"({"k":"say \"hi\"\n"})");
}

TEST_CASE("where the schema says nothing JSON comes before a string") {
  CHECK(value("{}", "42") == R"({"k":42})");
  CHECK(value("true", "false") == R"({"k":false})");
  CHECK(value(R"({"description":"any"})", "words") == R"({"k":"words"})");
  CHECK(typed(R"({"type":"object"})", {"a=1", "b=x"}) == R"({"a":1,"b":"x"})");
}

TEST_CASE("of several types the first one that fits is taken") {
  CHECK(value(R"({"type":["integer","string"]})", "42") == R"({"k":42})");
  CHECK(value(R"({"type":["integer","string"]})", "x") == R"({"k":"x"})");
  CHECK(value(R"({"type":["string","null"]})", "null") == R"({"k":"null"})");
  CHECK(value(R"({"anyOf":[{"type":"integer"},{"type":"null"}]})", "null") == R"({"k":null})");
  CHECK(value(R"({"anyOf":[{"type":"integer","maximum":9},{"type":"string"}]})", "10") == R"({"k":"10"})");
  CHECK(value(R"({"oneOf":[{"type":"boolean"},{"type":"array","items":{"type":"integer"}}]})", "7") == R"({"k":[7]})");
}

TEST_CASE("a value of an enum is told by its text") {
  CHECK(value(R"({"enum":["asc","desc"]})", "asc") == R"({"k":"asc"})");
  CHECK(value(R"({"enum":[1,"2",null]})", "1") == R"({"k":1})");
  CHECK(value(R"({"enum":[1,"2",null]})", "2") == R"({"k":"2"})");
  CHECK(value(R"({"type":"string","const":"on"})", "on") == R"({"k":"on"})");
}

TEST_CASE("references are followed, and one that leads to itself ends") {
  const std::string defs = R"({"type":"object","properties":{"k":{"$ref":"#/$defs/n"}},"$defs":{"n":)";
  CHECK(typed(defs + R"({"type":"integer"}}})", {"k=1"}) == R"({"k":1})");
  CHECK(typed(defs + R"({"anyOf":[{"$ref":"#/$defs/n"},{"type":"integer"}]}}})", {"k=1"}) == R"({"k":1})");
}

TEST_CASE("arrays that are made of themselves are tried a few times, one in the other") {
  const std::string schema = R"({"type":"object","properties":{"k":{"$ref":"#/$defs/a"}},)"
                             R"("$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"}}}})";
  CHECK(says(typed(schema, {"k=1"}), "error: argument k: "));
  CHECK(typed(schema, {"k=[[]]"}) == R"({"k":[[]]})");
  std::string item = R"({"type":"integer"})";
  for (unsigned i = 0; i < 4; ++i) item = R"({"type":"array","items":)" + item + "}";
  CHECK(value(item, "1") == R"({"k":[[[[1]]]]})");
  CHECK(says(value(R"({"type":"array","items":)" + item + "}", "1"), "error: argument k: "));
}

TEST_CASE("so many choices and references of a schema are looked at, and no more") {
  const auto choices = [](unsigned others) {  // and itself before them, and the one that fits behind
    std::string schema = R"({"anyOf":[)";
    while (others-- > 0) schema += R"({"type":"null","title":"x"},)";
    return schema + R"({"type":"integer"}]})";
  };
  CHECK(value(choices(cli::ArgumentSchema::kChoicesMax - 2), "1") == R"({"k":1})");
  CHECK(says(value(choices(cli::ArgumentSchema::kChoicesMax - 1), "1"), "error: argument k: "));
  const auto references = [](unsigned count) {
    std::string schema = R"({"type":"object","properties":{"k":{"$ref":"#/$defs/0"}},"$defs":{)";
    for (unsigned i = 0; i + 1 < count; ++i) {
      schema += '"' + std::to_string(i) + R"(":{"$ref":"#/$defs/)" + std::to_string(i + 1) + R"("},)";
    }
    return schema + '"' + std::to_string(count - 1) + R"(":{"type":"array","items":{"type":"integer"}}}})";
  };
  CHECK(typed(references(cli::kReferencesMax), {"k=1"}) == R"({"k":[1]})");
  CHECK(says(typed(references(cli::kReferencesMax + 1), {"k=1"}), "error: argument k: "));
}

TEST_CASE("of many names none is told, unless one is meant") {
  const auto names = [](unsigned count) {
    std::string properties;
    for (unsigned i = 0; i < count; ++i) properties += (i > 0 ? ",\"name" : "\"name") + std::to_string(i) + R"(":{})";
    return properties;
  };
  CHECK(says(of(names(12), {"other=1"}), "; say name0, name1"));
  CHECK(of(names(13), {"other=1"}) == "error: there is no argument other");
}

TEST_CASE("a name leads into so many objects, and no more") {
  const auto name = [](unsigned steps) {
    std::string text = "a";
    while (--steps > 0) text += ".a";
    return text;
  };
  CHECK_FALSE(says(typed("true", {name(64) + "=1"}), "error"));
  CHECK(says(typed("true", {name(65) + "=1"}), "is no name"));
  CHECK(says(typed("true", {name(50'000) + "=1"}), "is no name"));
  CHECK(says(typed("true", {name(64) + ":=" + std::string(100, '[') + std::string(100, ']')}), "nested too deeply"));
}

TEST_CASE("a dot leads into an object, unless the schema has the whole name") {
  const std::string nested = R"("a":{"type":"object","properties":{"b":{"type":"integer"},"c":{"type":"string"}}})";
  CHECK(of(nested, {"a.b=1", "a.c=2"}) == R"({"a":{"b":1,"c":"2"}})");
  CHECK(of(R"("a.b":{"type":"string"})", {"a.b=1"}) == R"({"a.b":"1"})");
  CHECK(says(of(nested, {"a.bb=1"}), "there is no argument a.bb; did you mean b?"));
  CHECK(says(of(nested, {"a.=1"}), "\"a.\" is no name"));
}

TEST_CASE("a name that is repeated makes an array") {
  const std::string tags = R"("t":{"type":"array","items":{"type":"string"}})";
  CHECK(of(tags, {"t=1"}) == R"({"t":["1"]})");
  CHECK(of(tags, {"t=1", "t=2"}) == R"({"t":["1","2"]})");
  CHECK(of(tags, {R"(t=["x"])"}) == R"({"t":["x"]})");
  CHECK(of(R"("t":{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}]})", {"t=1", "t=2"}) == R"({"t":[1,"2"]})");
  CHECK(of(R"("t":{"anyOf":[{"type":"null"},{"type":"array","items":{"type":"number"}}]})", {"t=1", "t=2"}) == R"({"t":[1,2]})");
  CHECK(says(of(R"("t":{"type":"integer"})", {"t=1", "t=2"}), "argument t is said 2 times, and is no array"));
  CHECK(says(of(R"("t":{"type":"array","items":{"type":"integer"}})", {"t=1", "t=x"}), "argument t: must be"));
}

TEST_CASE("JSON can be said as it is") {
  CHECK(of(R"("k":{"type":["string","null"]})", {"k:=null"}) == R"({"k":null})");
  CHECK(of(R"("k":{})", {R"(k:="1")"}) == R"({"k":"1"})");
  CHECK(says(of(R"("k":{})", {"k:={"}), "argument k: 1:2: "));
  CHECK(of(R"("k":{"type":"string"})", {"k=:=1"}) == R"({"k":":=1"})");
}

TEST_CASE("words go over what was given, and the rest stays byte for byte") {
  const std::string given = R"({"a" : 1.50,"b":{"x":0.10,"y":2}})";
  const std::string two = R"("a":{"type":"number"},"b":{"type":"object"})";
  CHECK(of(two, {"a=2", "b.y=3"}, given) == R"({"a":2,"b":{"x":0.10,"y":3}})");
  CHECK(of(two, {"b=[]"}, R"({"b":1})").starts_with("error: argument b: must be"));
}

TEST_CASE("a value that does not fit is told with its name and what is expected") {
  CHECK(value(R"({"type":"integer"})", "x") == R"(error: argument k: must be integer, got string "x")");
  CHECK(value(R"({"type":"integer","minimum":1})", "0") == "error: argument k: must be at least 1, got 0");
  CHECK(says(value(R"({"enum":["asc","desc"]})", "up"), R"("asc","desc")"));
  CHECK(says(value(R"({"type":"string","maxLength":2})", "abc"), "argument k: must have at most 2"));
}

TEST_CASE("an argument that is not there is told with the one that is meant") {
  CHECK(of(R"("text":{}, "count":{})", {"cuont=1"}) == "error: there is no argument cuont; did you mean count?");
  CHECK(of(R"("text":{}, "count":{})", {"zzzzzzzz=1"}) == "error: there is no argument zzzzzzzz; say text or count");
  CHECK(typed(R"({"properties":{"a":{}},"additionalProperties":{"type":"string"}})", {"b=1"}) == R"({"b":"1"})");
  CHECK(typed(R"({"properties":{"a":{}},"additionalProperties":true})", {"b=1"}) == R"({"b":1})");
}

TEST_CASE("what is no argument at all is told") {
  for (const char* word : {"x", "=1", ":=1", ""}) CHECK(says(of(R"("x":{})", {word}), "is no argument: say NAME=VALUE"));
}
