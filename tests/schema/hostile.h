// Schemas and instances that are made to cost much: limits_test.cc counts the steps they take, schema_bench.cc the
// time of a step.
#pragma once

#include <fmt/core.h>

#include <string>
#include <vector>

#include "schema/schema.h"

namespace collet::schema::testing {

inline std::string repeat(std::string_view text, unsigned times) {
  std::string out;
  for (unsigned i = 0; i < times; ++i) out += text;
  return out;
}

// The text that `item` makes of each number below `count`, one after another.
template <class F>
std::string each(unsigned count, F item) {
  std::string out;
  for (unsigned i = 0; i < count; ++i) out += item(i);
  return out;
}

struct Hostile {
  std::string name;
  std::string schema;
  std::string instance;
  Limit limit;              // that ends its validation
  std::int64_t steps_most;  // that it may take; those of a limit are all there are
};

inline std::vector<Hostile> hostile_cases() {
  constexpr std::int64_t kAll = limits::kSchemaFuel + 1;
  constexpr std::string_view kBomb =
      R"({"$ref":"#/$defs/0","$defs":{"0":{"anyOf":[{"$ref":"#/$defs/1"},{"$ref":"#/$defs/1"}]},
  "1":{"anyOf":[{"$ref":"#/$defs/2"},{"$ref":"#/$defs/2"}]},"2":{"anyOf":[{"$ref":"#/$defs/3"},{"$ref":"#/$defs/3"}]},
  "3":{"items":{"$ref":"#/$defs/0"},"maxItems":1}}})";
  const std::string many_a = fmt::format("\"{}!\"", std::string(100'000, 'a'));
  const std::string wide_object = "{" + each(1'000, [](unsigned i) { return fmt::format("\"{}\":{},", i, i); });
  return {
      {"a schema that refers to itself", R"({"$ref":"#"})", "1", Limit::depth, kAll},
      {"two schemas that refer to one another",
       R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})", "1", Limit::depth, kAll},
      {"an anyOf that doubles at every level", std::string(kBomb), repeat("[", 40) + "1,2" + repeat("]", 40),
       Limit::fuel, kAll},
      {"a pattern that would backtrack exponentially", R"({"pattern":"^(a+)+$"})", many_a, Limit::none, 7'000},
      {"a pattern that backtracks exponentially", R"({"pattern":"^(?=a)(a+)+$"})", many_a, Limit::regex, kAll},
      {"many texts that each backtrack as much as is allowed", R"({"items":{"pattern":"^(?!(a+)+$)."}})",
       "[" + repeat("\"aaaaaaaaab\",", 20'000) + "1]", Limit::fuel, kAll},
      {"uniqueItems over 100,000 items", R"({"uniqueItems":true})",
       "[" + each(100'000, [](unsigned i) { return fmt::format("\"item number {}\",", i); }) + "1]", Limit::none,
       140'000},
      {"uniqueItems over large equal objects", R"({"uniqueItems":true})",
       "[" + each(100, [&](unsigned i) { return fmt::format("{}\"x\":{}}},", wide_object, i); }) + "1]", Limit::none,
       110'000},
      {"many patterns for many names",
       R"({"patternProperties":{)" + each(1'000, [](unsigned i) { return fmt::format(R"("(a|b){}":true,)", i); }) +
           R"("x":true}})",
       "{" + each(10'000, [](unsigned i) { return fmt::format(R"("name {}":1,)", i); }) + R"("y":1})", Limit::fuel,
       kAll},
      {"many properties for many objects that lack the last",
       R"({"items":{"not":{"properties":{)" + each(9'000, [](unsigned i) { return fmt::format("\"p{}\":true,", i); }) +
           R"("x":true},"required":["x"]}}})",
       "[" + repeat("{},", 50'000) + "{}]", Limit::fuel, kAll},
      {"dependencies on one another",
       R"({"dependentRequired":{)" +
           each(3'000, [](unsigned i) { return fmt::format(R"("p{}":["p{}"],)", i, (i + 1) % 3'000); }) +
           R"("x":[]}})",
       "{" + each(3'000, [](unsigned i) { return fmt::format(R"("p{}":1,)", i); }) + R"("y":1})", Limit::fuel, kAll},
  };
}

}  // namespace collet::schema::testing
