#include <collet/schema.hpp>

#include "support/catch.h"

enum class Colour { red, green = 7, blue = 63 };
enum class Sign : int { minus = -8, none = 0, plus = 1 };
enum Plain { plain_a, plain_b };
enum class Far { near = 1, far = 1000 };
COLLET_ENUM(Far, near, far);

namespace {

struct Point {
  double x = 0, y = 0;
};

struct Everything {
  bool flag;
  std::int8_t i8;
  std::uint64_t u64;
  float f;
  double d;
  std::string s;
  Colour colour;
  std::optional<int> maybe;
  std::vector<Point> points;
  std::map<std::string, std::uint16_t> counts;
  std::unordered_map<std::string, Point> named;
  std::vector<std::optional<int>> holes;
  std::vector<bool> bits;
  Point nested;
  collet::Json raw;
};

struct Query {
  std::string sql;
  std::int32_t limit = 100;
  std::optional<double> ratio;
  std::vector<std::string> tags = {"all"};
  Colour colour = Colour::green;

  static void describe(collet::Fields<Query>& f) {
    f(&Query::sql).description("What to run").min_length(1).max_length(4);
    f(&Query::limit, "Rows at most").min(1).max(1000).optional();
    f(&Query::ratio).min(0.5);
    f(&Query::tags).max_length(2).optional();
    f(&Query::colour).optional().schema(R"("deprecated":true)");
  }
};

struct Lists {
  std::vector<std::string> names;
  std::map<std::string, std::string> titles;
  std::vector<collet::Json> anything;
  std::optional<std::vector<Point>> points;

  static void describe(collet::Fields<Lists>& f) {
    f(&Lists::names, "Some").element_schema(R"("minLength":1)").max_length(3);
    f(&Lists::titles).element_schema(R"("maxLength":9)").schema(R"("propertyNames":{"maxLength":5})");
    f(&Lists::anything).element_schema(R"("not":{})");
    f(&Lists::points).element_schema(R"("minProperties":2)");
  }
};

struct Tree {
  int value;
  std::vector<Tree> children;
  static void describe(collet::Fields<Tree>& f) { f(&Tree::children).optional(); }
};

struct Wide {
  int a01, a02, a03, a04, a05, a06, a07, a08, a09, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22,
      a23, a24, a25, a26, a27, a28, a29, a30, a31, a32;
};

struct Empty {};

template <class T>
std::string failure(std::string_view text) {
  try {
    collet::from_json<T>(text);
  } catch (const collet::Error& error) {
    return error.what();
  }
  return "none";
}

template <class T>
std::string round_trip(std::string_view text) {
  return collet::to_json(collet::from_json<T>(text)).text;
}

}  // namespace

struct Named {
  int first = 1;
  std::string second = "two";
  std::optional<bool> third;
  int unlisted = 9;
  static void describe(collet::Fields<Named>& f) { f(&Named::first, "Comes first").optional(); }
};
COLLET_FIELDS(Named, first, second, third);

namespace elsewhere {
class Account {
 public:
  std::string owner;
  double balance = 0;
  explicit Account(std::string o = "nobody") : owner(std::move(o)) {}
};
COLLET_FIELDS(Account, owner, balance);
}  // namespace elsewhere

TEST_CASE("field names are found without being said") {
  CHECK(collet::detail::kFieldNames<Point> == std::array<std::string_view, 2>{"x", "y"});
  struct Local {
    int one;
    std::optional<std::string> two;
    std::map<std::string, std::vector<Point>> three;
  };
  CHECK(collet::detail::kFieldNames<Local> == std::array<std::string_view, 3>{"one", "two", "three"});
  CHECK(collet::detail::kFieldNames<Wide>.size() == 32);
  CHECK(collet::detail::kFieldNames<Wide>[31] == "a32");
  CHECK(collet::detail::kFieldNames<Empty>.empty());
}

TEST_CASE("field names that are said win, for any class") {
  CHECK(round_trip<Named>(R"({"first":5,"second":"x"})") == R"({"first":5,"second":"x"})");
  CHECK(failure<Named>(R"({"first":5,"second":"x","unlisted":1})") ==
        "/unlisted: unknown, allowed are: first, second, third");
  CHECK(collet::schema_of<Named>().find(
            R"("maximum":2147483647,"description":"Comes first","default":1},"second")") != std::string::npos);
  CHECK(round_trip<elsewhere::Account>(R"({"owner":"me","balance":2.5})") == R"({"owner":"me","balance":2.5})");
}

TEST_CASE("every type is read and written") {
  const std::string text =
      R"({"flag":true,"i8":-128,"u64":18446744073709551615,"f":0.5,"d":1e-7,"s":"\u00e9\n","colour":"blue",)"
      R"("maybe":3,"points":[{"x":1,"y":2}],"counts":{"a":65535},"named":{"p":{"x":0,"y":-1}},)"
      R"("holes":[1,null],"bits":[true,false],"nested":{"x":1,"y":1},"raw":{"any": [1, "x"]}})";
  const auto value = collet::from_json<Everything>(text);
  CHECK(value.flag);
  CHECK(value.i8 == -128);
  CHECK(value.u64 == UINT64_MAX);
  CHECK(value.s == "\xC3\xA9\n");
  CHECK(value.colour == Colour::blue);
  CHECK(value.maybe == 3);
  CHECK(value.points.at(0).y == 2);
  CHECK(value.counts.at("a") == 65535);
  CHECK(value.holes == std::vector<std::optional<int>>{1, std::nullopt});
  CHECK(value.raw.text == R"({"any": [1, "x"]})");
  std::string expected = text;
  expected.replace(expected.find("\\u00e9"), 6, "\xC3\xA9");
  expected.replace(expected.find("1e-7"), 4, "1e-07");
  CHECK(collet::to_json(value).text == expected);
}

TEST_CASE("an absent optional is left out, not null") {
  const auto text = collet::to_json(Named{}).text;
  CHECK(text == R"({"first":1,"second":"two"})");
  CHECK(failure<Named>(R"({"first":1,"second":"","third":null})") == "/third: expected boolean, got null");
}

TEST_CASE("the schema says what is accepted") {
  CHECK(collet::schema_of<Query>() ==
        R"({"type":"object","properties":{)"
        R"("sql":{"type":"string","minLength":1,"maxLength":4,"description":"What to run"},)"
        R"("limit":{"type":"integer","minimum":1,"maximum":1000,"description":"Rows at most","default":100},)"
        R"("ratio":{"type":"number","minimum":0.5},)"
        R"("tags":{"type":"array","items":{"type":"string"},"maxItems":2,"default":["all"]},)"
        R"("colour":{"type":"string","enum":["red","green","blue"],"default":"green","deprecated":true}},)"
        R"("required":["sql"],"additionalProperties":false})");
  CHECK(collet::schema_of<Empty>() == R"({"type":"object","properties":{},"additionalProperties":false})");
  CHECK(collet::schema_of<std::vector<std::optional<std::int8_t>>>() ==
        R"({"type":"array","items":{"anyOf":[{"type":"integer","minimum":-128,"maximum":127},{"type":"null"}]}})");
  CHECK(collet::schema_of<std::map<std::string, bool>>() ==
        R"({"type":"object","additionalProperties":{"type":"boolean"}})");
  CHECK(collet::schema_of<collet::Json>() == "{}");
  CHECK(collet::schema_of<std::uint64_t>() == R"({"type":"integer","minimum":0})");
  CHECK(collet::schema_of<std::int64_t>() == R"({"type":"integer"})");
}

TEST_CASE("what is said of the elements of a field stands in their schema") {
  const std::string schema = collet::schema_of<Lists>();
  INFO(schema);
  for (const char* part : {R"("names":{"type":"array","items":{"type":"string","minLength":1},"maxItems":3,"description":"Some"})",
                           R"("titles":{"type":"object","additionalProperties":{"type":"string","maxLength":9},)"
                           R"("propertyNames":{"maxLength":5}})",
                           R"("anything":{"type":"array","items":{"not":{}}})",
                           R"("additionalProperties":false,"minProperties":2}})"}) {
    CHECK(schema.find(part) != std::string::npos);
  }
}

TEST_CASE("a type that contains itself has a schema that ends") {
  CHECK(collet::schema_of<Tree>() ==
        R"({"type":"object","properties":{"value":{"type":"integer","minimum":-2147483648,"maximum":2147483647},)"
        R"("children":{"type":"array","items":{"type":"object"},"default":[]}},)"
        R"("required":["value"],"additionalProperties":false})");
  CHECK(round_trip<Tree>(R"({"value":1,"children":[{"value":2}]})") ==
        R"({"value":1,"children":[{"value":2,"children":[]}]})");
  CHECK(failure<Tree>(R"({"value":1,"children":[{"value":"x"}]})") ==
        "/children/0/value: expected integer, got string");
}

TEST_CASE("an optional field keeps its initial value") {
  const auto query = collet::from_json<Query>(R"({"sql":"x"})");
  CHECK(query.limit == 100);
  CHECK(query.tags == std::vector<std::string>{"all"});
  CHECK(query.colour == Colour::green);
  CHECK(collet::from_json<Query>(R"({"sql":"x","tags":[]})").tags.empty());
}

TEST_CASE("bounds hold, at the limit and one past it") {
  CHECK(failure<Query>(R"({"sql":"x","limit":1})") == "none");
  CHECK(failure<Query>(R"({"sql":"x","limit":0})") == "/limit: must be at least 1");
  CHECK(failure<Query>(R"({"sql":"x","limit":1000})") == "none");
  CHECK(failure<Query>(R"({"sql":"x","limit":1001})") == "/limit: must be at most 1000");
  CHECK(failure<Query>(R"({"sql":"x","ratio":0.5})") == "none");
  CHECK(failure<Query>(R"({"sql":"x","ratio":0.25})") == "/ratio: must be at least 0.5");
  CHECK(failure<Query>(R"({"sql":""})") == "/sql: must have at least 1 characters");
  CHECK(failure<Query>(R"({"sql":"\u00e9\u00e9\u00e9\u00e9"})") == "none");
  CHECK(failure<Query>(R"({"sql":"12345"})") == "/sql: must have at most 4 characters");
  CHECK(failure<Query>(R"({"sql":"x","tags":["a","b"]})") == "none");
  CHECK(failure<Query>(R"({"sql":"x","tags":["a","b","c"]})") == "/tags: must have at most 2 items");
}

TEST_CASE("wrong arguments are named by their path") {
  CHECK(failure<Query>("{}") == "/sql: required, but missing");
  CHECK(failure<Query>("[]") == "expected object, got array");
  CHECK(failure<Query>(R"({"sql":1})") == "/sql: expected string, got number");
  CHECK(failure<Query>(R"({"sql":"x","sql":"y"})") == "/sql: given twice");
  CHECK(failure<Query>(R"({"SQL":"x"})") == "/SQL: unknown, allowed are: sql, limit, ratio, tags, colour");
  CHECK(failure<Query>(R"({"sql":"x","colour":"pink"})") ==
        R"(/colour: expected one of "red","green","blue", got "pink")");
  CHECK(failure<Query>(R"({"sql":"x","tags":["a",{}]})") == "/tags/1: expected string, got object");
  CHECK(failure<Empty>(R"({"x":1})") == "/x: unknown, nothing is allowed here");
  CHECK(failure<std::map<std::string, int>>(R"({"a":1,"a":2})") == "/a: given twice");
  CHECK(failure<std::vector<Point>>(R"([{"x":1,"y":2},{"x":1}])") == "/1/y: required, but missing");
  CHECK(failure<Query>(R"({"sql":"x"} 1)") == "not valid JSON at byte 12: something follows the value");
}

TEST_CASE("enumerators go by name") {
  CHECK(round_trip<Colour>("\"blue\"") == "\"blue\"");
  CHECK(round_trip<Sign>("\"minus\"") == "\"minus\"");
  CHECK(round_trip<Plain>("\"plain_b\"") == "\"plain_b\"");
  CHECK(round_trip<Far>("\"far\"") == "\"far\"");
  CHECK_THROWS_WITH(collet::to_json(static_cast<Colour>(3)), "the result is an enumerator without a name: 3");
}
