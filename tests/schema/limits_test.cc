// Every bound, at the limit and one past it; and what hostile schemas and instances come to.
#include <limits>
#include <thread>

#include "schema/enumeration.h"
#include "schema/hostile.h"
#include "schema/support.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;
using Kind = CompileError::Kind;

namespace {

// {"not":{"not":…true}}: so many subschemas within one another.
std::string nested_schema(unsigned depth) {
  return repeat(R"({"not":)", depth - 1) + "true" + repeat("}", depth - 1);
}

std::string integers(unsigned count) {
  std::string out = "[";
  for (unsigned i = 0; i < count; ++i) out += (i ? "," : "") + std::to_string(i);
  return out + "]";
}

}  // namespace

TEST_CASE("the nesting of a schema is bounded") {
  CHECK(Schema::compile_text(nested_schema(limits::kSchemaDepthMax)));
  CHECK(refused(nested_schema(limits::kSchemaDepthMax + 1)).kind == Kind::too_deep);
  Options options;
  options.limits.depth_max = 5;
  CHECK(Schema::compile_text(nested_schema(5), options));
  CHECK(refused(nested_schema(6), options).kind == Kind::too_deep);
  CHECK(Schema::compile_text(R"({"const":[[[1]]]})", options));
  CHECK(refused(R"({"const":[[[[1]]]]})", options).kind == Kind::too_large);
}

TEST_CASE("the number of subschemas is bounded") {
  const auto schema = [](unsigned nodes) { return R"({"allOf":[)" + repeat("true,", nodes - 2) + "true]}"; };
  CHECK(Schema::compile_text(schema(limits::kSchemaNodesMax)));
  CHECK(refused(schema(limits::kSchemaNodesMax + 1)).kind == Kind::too_large);
}

TEST_CASE("the number of constants is bounded") {
  const auto schema = [](unsigned values) { return fmt::format(R"({{"enum":{}}})", integers(values - 1)); };
  CHECK(Schema::compile_text(schema(limits::kSchemaConstantsMax)));
  CHECK(refused(schema(limits::kSchemaConstantsMax + 1)).kind == Kind::too_large);
}

TEST_CASE("the regular expressions of a schema are bounded together, each different one counting once") {
  const auto schema = [](std::size_t patterns, std::string_view more) {
    std::string text;
    for (std::size_t i = 0; i < patterns; ++i) {
      text += fmt::format(R"({{"pattern":"{:a<{}}"}},)", i, limits::kSchemaPatternBytesMax);
    }
    return fmt::format(R"({{"allOf":[{}{}]}})", text, more);
  };
  constexpr std::size_t kMost = limits::kSchemaPatternsBytesMax / limits::kSchemaPatternBytesMax;
  CHECK(Schema::compile_text(schema(kMost, "true")));
  CHECK(Schema::compile_text(schema(kMost, schema(kMost, "true"))));
  CHECK(refused(schema(kMost, R"({"pattern":"b"})")).kind == Kind::too_large);
}

TEST_CASE("the steps of a validation are bounded") {
  const auto schema = compile(R"({"items":{"minimum":0}})");
  const auto count = static_cast<unsigned>(limits::kSchemaFuel - 1) / 2;  // an item is looked at and entered
  CHECK(schema.validate(parse(integers(count))).valid());
  const Verdict verdict = schema.validate(parse(integers(count + 1)));
  CHECK(verdict.outcome == Outcome::limit);
  CHECK(verdict.limit == Limit::fuel);
}

TEST_CASE("the depth of an evaluation is bounded") {
  const auto schema = [](unsigned depth) {
    std::string text = R"({"$ref":"#/$defs/1","$defs":{)";
    for (unsigned i = 1; i < depth; ++i) {
      text += fmt::format(R"("{}":{{"type":"integer","$ref":"#/$defs/{}"}},)", i, i + 1);
    }
    return text + fmt::format(R"("{}":{{"minimum":0}}}}}})", depth);
  };
  CHECK(compile(schema(limits::kSchemaEvaluationDepthMax - 1)).validate(parse("1")).valid());
  const Verdict verdict = compile(schema(limits::kSchemaEvaluationDepthMax)).validate(parse("1"));
  CHECK(verdict.outcome == Outcome::limit);
  CHECK(verdict.limit == Limit::depth);
}

TEST_CASE("no keyword turns a limit into an answer") {
  for (
      const char* schema :
      {R"({"not":{"$ref":"#"}})", R"({"anyOf":[{"$ref":"#"},true]})", R"({"anyOf":[{"$ref":"#"},false]})",
       R"({"oneOf":[{"$ref":"#"},true]})", R"({"if":{"$ref":"#"},"then":true,"else":true})",
       R"({"contains":{"$ref":"#/$defs/a"},"minContains":0,"maxContains":0,"$defs":{"a":{"not":{"$ref":"#/$defs/a"}}}})",
       R"({"not":{"not":{"$ref":"#"}}})", R"({"$ref":"#"})", R"({"allOf":[{"not":{"$ref":"#"}},true]})",
       R"({"anyOf":[{"not":{"$ref":"#"}},true],"unevaluatedItems":false})",
       R"({"propertyNames":{"not":{"$ref":"#/$defs/a"}},"items":{"not":{"$ref":"#/$defs/a"}},"$defs":{"a":{"$ref":"#/$defs/a"}}})"}) {
    const auto compiled = compile(schema);
    const auto instance = parse("[1]");
    const Verdict verdict = compiled.validate(instance);
    INFO(schema);
    CHECK(verdict.outcome == Outcome::limit);
    CHECK(verdict.limit == Limit::depth);
    CHECK(compiled.explain(instance).verdict.outcome == Outcome::limit);
    CHECK(compiled.explain(instance).to_text() == "cannot be decided: schemas or values are nested too deeply");
  }
  CHECK(verdict(R"({"not":{"pattern":"^(?=a)(a+)+$"}})", fmt::format("\"{}b\"", std::string(40, 'a'))).limit ==
        Limit::regex);
}

TEST_CASE("what was found wrong before a limit was hit stays wrong") {
  const auto schema = compile(
      R"({"properties":{"a":{"type":"null"},"b":{"$ref":"#/$defs/c"}},"$defs":{"c":{"$ref":"#/$defs/c"}}})");
  const auto instance = parse(R"({"a":1,"b":1})");
  CHECK(schema.validate(instance).outcome == Outcome::invalid);
  const Report report = schema.explain(instance);
  CHECK(report.verdict.outcome == Outcome::invalid);
  CHECK(report.truncated);
}

TEST_CASE("a hostile schema or instance gets a typed verdict, in few steps") {
  for (const Hostile& hostile : hostile_cases()) {
    INFO(hostile.name);
    const auto compiled = compile(hostile.schema);
    const auto instance = parse(hostile.instance);
    const Verdict verdict = compiled.validate(instance);
    const Verdict explained = compiled.explain(instance).verdict;
    CHECK(verdict.limit == hostile.limit);
    CHECK(explained.limit == hostile.limit);
    CHECK(explained.outcome == verdict.outcome);
    CHECK(verdict.steps <= hostile.steps_most);
    CHECK(explained.steps <= hostile.steps_most);
  }
}

TEST_CASE("the values of an enum are compared with few others") {
  constexpr unsigned kValues = 45'000;
  const auto steps_of = [](const json::Document& values) {
    Budget budget{.fuel = std::numeric_limits<std::int64_t>::max()};
    std::vector<const json::Value*> borrowed;
    for (const json::Value& value : values.GetArray()) borrowed.push_back(&value);
    const Enumeration enumeration(borrowed, budget);
    Budget looking;
    CHECK(enumeration.has(*borrowed.back(), looking));
    CHECK(limits::kSchemaFuel - looking.fuel <= 100);
    return std::numeric_limits<std::int64_t>::max() - budget.fuel;
  };
  CHECK(steps_of(parse("[" + each(kValues, [](unsigned i) { return fmt::format("\"value {0}\",{0},", i); }) + "1]")) <=
        8 * kValues);
  CHECK(steps_of(parse("[" + repeat("\"a\",1.5,", kValues) + "1]")) <= 8 * kValues);
  CHECK(steps_of(parse("[" + repeat("[1,2],", kValues) + "1]")) <= 16 * kValues);
}

TEST_CASE("a large schema is compiled or refused") {
  SECTION("an enum of 90,000 values") {
    const auto schema = compile(
        R"({"enum":[)" + each(90'000, [](unsigned i) { return fmt::format("\"value {}\",", i); }) + "1]}");
    CHECK(schema.validate(parse("\"value 89999\"")).valid());
    CHECK_FALSE(schema.validate(parse("\"value\"")).valid());
  }
  SECTION("as many references as subschemas") {
    const std::string names = each(9'000, [](unsigned i) { return fmt::format("\"d{}\":{{}},", i); });
    CHECK(refused(fmt::format(R"({{"allOf":[{}{{}}],"$defs":{{{}"x":{{}}}}}})",
                              repeat(R"({"$ref":"#/$defs/d8999"},)", 9'000), names))
              .kind == Kind::too_large);
  }
  SECTION("a dynamic reference of its own in each of many resources") {
    compile(R"({"anyOf":[true,)" + each(9'000, [](unsigned i) {
              return fmt::format(R"({{"$id":"r{0}","$dynamicAnchor":"n{0}","$dynamicRef":"#n{0}"}},)", i);
            }) + "true]}");
  }
  SECTION("branches within branches, none of which fits") {
    std::string schema = R"({"const":1})";
    for (int i = 0; i < 14; ++i) schema = fmt::format(R"({{"anyOf":[{0},{0}]}})", schema);
    Options options;
    options.limits.nodes_max = 100'000;
    const auto compiled = Schema::compile_text(schema, options);
    REQUIRE(compiled);
    const Verdict verdict = compiled->explain(parse("2")).verdict;
    CHECK(verdict.outcome == Outcome::invalid);
    CHECK(verdict.steps <= 2 * limits::kSchemaFuel);
  }
}

TEST_CASE("JSON nested a million deep is refused by the parser, and harmless as a value") {
  json::Document refused_document;
  const std::string text = repeat("[", 1'000'000) + repeat("]", 1'000'000);
  CHECK(json::parse(text, refused_document).has_value());

  constexpr unsigned kDeep = 1'000'000;
  json::Document deep;
  json::Value value(1);
  for (unsigned i = 0; i < kDeep; ++i) {
    json::Value outer(rapidjson::kArrayType);
    outer.PushBack(value, deep.GetAllocator());
    value = outer;
  }
  const Verdict recursive = compile(R"({"items":{"$ref":"#"},"minItems":1})").validate(value);
  CHECK(recursive.limit == Limit::depth);
  const auto constant = compile(R"({"enum":[1,2,3,4,5,6,7,8,9,[[1]]],"uniqueItems":true})");
  CHECK(constant.validate(value).limit == Limit::depth);
  CHECK(compile(R"({"type":"null"})").explain(value).to_text().size() < 200);
  CompileError why;
  CHECK_FALSE(Schema::compile(value, {}, &why));
  Options unchecked;
  unchecked.check_metaschema = false;
  json::Value schema(rapidjson::kObjectType);
  schema.AddMember("const", value, deep.GetAllocator());
  CHECK_FALSE(Schema::compile(schema, unchecked, &why));
  CHECK(why.kind == Kind::too_large);
}

TEST_CASE("one schema serves several threads at once") {
  const auto schema =
      compile(R"({"type":"object","properties":{"a":{"pattern":"^(?=x).+$"},"b":{"pattern":"(foo|bar)+$"},
    "c":{"uniqueItems":true}},"additionalProperties":false,"anyOf":[{"required":["a"]},{"required":["b"]}]})");
  const auto good = parse(R"({"a":"xy","b":"foobar","c":[1,2,3]})");
  const auto bad = parse(R"({"a":"y","b":"foobarx","c":[1,1],"d":0})");
  std::vector<std::string> messages(4);
  std::vector<std::thread> threads;
  for (std::string& message : messages) {
    threads.emplace_back([&schema, &good, &bad, &message] {
      for (int i = 0; i < 200; ++i) {
        if (!schema.validate(good).valid()) message = "a valid instance was refused";
        if (schema.explain(bad).violations.size() != 4) message = "an invalid one was not explained";
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& message : messages) CHECK(message.empty());
}
