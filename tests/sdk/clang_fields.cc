// Names that are said, with a compiler that cannot see them. Exit code 0: all is as with g++.
#include <collet/plugin.hpp>
#include <cstdio>

namespace {

enum class Unit { metre, mile = 1609 };
COLLET_ENUM(Unit, metre, mile);

struct Point {
  double x = 0;
  std::optional<int> label;
};
COLLET_FIELDS(Point, x, label);

struct Route {
  std::vector<Point> points;
  Unit unit = Unit::metre;

  static void describe(collet::Fields<Route>& f) {
    f(&Route::points, "Where to go").min_length(1);
    f(&Route::unit).optional();
  }
};
COLLET_FIELDS(Route, points, unit);

enum class Seen { first, second };  // enumerators are found by clang too

int failures = 0;

void expect_equal(const std::string& actual, const std::string& expected) {
  if (actual == expected) return;
  std::fprintf(stderr, "FAILED: %s\nexpected %s\n", actual.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

COLLET_PLUGIN("org.example.clang", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT, .title = "clang") {
  plugin.tool<Route>("route", "", [](const Route& in) { return in.points.at(0); }, {.nonblocking = true});
}

int main() {
  expect_equal(collet::schema_of<Route>(),
               R"({"type":"object","properties":{"points":{"type":"array","items":{"type":"object","properties":)"
               R"({"x":{"type":"number"},"label":{"type":"integer","minimum":-2147483648,"maximum":2147483647}},)"
               R"("required":["x"],"additionalProperties":false},"minItems":1,"description":"Where to go"},)"
               R"("unit":{"type":"string","enum":["metre","mile"],"default":"metre"}},"required":["points"],)"
               R"("additionalProperties":false})");
  const auto route = collet::from_json<Route>(R"({"points":[{"x":1,"label":2},{"x":3}],"unit":"mile"})");
  expect_equal(collet::to_json(route).text, R"({"points":[{"x":1,"label":2},{"x":3}],"unit":"mile"})");
  expect_equal(collet::schema_of<Seen>(), R"({"type":"string","enum":["first","second"]})");
  expect_equal(std::to_string(collet_plugin_entry_v1()->flags), "1");
  return failures;
}
