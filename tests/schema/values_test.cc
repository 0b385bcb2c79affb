// Numbers, equality and uniqueness, URIs and key tables: what the keywords are made of.
#include "schema/equality.h"
#include "schema/key_table.h"
#include "schema/number.h"
#include "schema/support.h"
#include "schema/uri.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;

namespace {

bool multiple(std::string_view number, std::string_view divisor) {
  return Divisor(parse(divisor)).divides(parse(number));
}

bool same(std::string_view a, std::string_view b) {
  Budget budget;
  const auto x = parse(a);
  const auto y = parse(b);
  const bool result = equal(x, y, budget);
  CHECK(equal(y, x, budget) == result);
  if (result) CHECK(hash(x, budget) == hash(y, budget));
  return result;
}

}  // namespace

TEST_CASE("multipleOf is exact in decimal") {
  CHECK(multiple("0.0075", "0.0001"));
  CHECK(multiple("0.3", "0.1"));
  CHECK(multiple("1.1", "0.1"));
  CHECK(multiple("-4.2", "0.7"));
  CHECK(multiple("1e308", "0.5"));
  CHECK(multiple("1e308", "1e300"));
  CHECK(multiple("0", "0.3"));
  CHECK(multiple("0.0", "7"));
  CHECK(multiple("18446744073709551615", "5"));
  CHECK(multiple("9007199254740993", "3"));
  CHECK(multiple("4.0", "2"));
  CHECK_FALSE(multiple("0.00751", "0.0001"));
  CHECK_FALSE(multiple("18446744073709551615", "2"));
  CHECK_FALSE(multiple("9007199254740993", "2"));
  CHECK_FALSE(multiple("1e308", "3"));
  CHECK_FALSE(multiple("5e-324", "1"));
  CHECK_FALSE(multiple("35", "1.5e1"));
  CHECK_FALSE(multiple("7", "0.3"));
}

TEST_CASE("bounds are exact beyond what a double holds") {
  CHECK(valid(R"({"maximum":9007199254740993})", "9007199254740993"));
  CHECK_FALSE(valid(R"({"maximum":9007199254740992})", "9007199254740993"));
  CHECK_FALSE(valid(R"({"exclusiveMinimum":18446744073709551614})", "18446744073709551614"));
  CHECK(valid(R"({"exclusiveMinimum":18446744073709551614})", "18446744073709551615"));
  CHECK(valid(R"({"minimum":-9223372036854775808})", "-9223372036854775808"));
  CHECK_FALSE(valid(R"({"exclusiveMinimum":-9223372036854775808})", "-9223372036854775808"));
  CHECK_FALSE(valid(R"({"minimum":9223372036854775808})", "9223372036854775807"));
  CHECK(valid(R"({"minimum":1.5})", "2"));
  CHECK_FALSE(valid(R"({"minimum":1.5})", "1"));
  CHECK_FALSE(valid(R"({"maximum":-1e300})", "-9223372036854775808"));
  CHECK(valid(R"({"maximum":-1e300})", "-1e301"));
  CHECK(valid(R"({"maximum":1.5})", "1.5"));
  CHECK_FALSE(valid(R"({"exclusiveMaximum":1.5})", "1.5"));
}

TEST_CASE("an integer is a number without a fraction, however it is written") {
  for (const char* text :
       {"1", "1.0", "-0.0", "1e2", "1e308", "18446744073709551615", "123456789012345678901234567890"}) {
    CHECK(valid(R"({"type":"integer"})", text));
  }
  for (const char* text : {"1.5", "1e-1", "-0.1", "5e-324", "2251799813685248.5"}) {
    CHECK_FALSE(valid(R"({"type":"integer"})", text));
  }
}

TEST_CASE("values are equal by their meaning, and then hash alike") {
  CHECK(same("1", "1.0"));
  CHECK(same("0", "-0.0"));
  CHECK(same("18446744073709551615", "18446744073709551615"));
  CHECK(same("9223372036854775808", "9223372036854775808.0"));
  CHECK(same("-9223372036854775808", "-9.223372036854775808e18"));
  CHECK(same("1e300", "10e299"));
  CHECK(same(R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1})"));
  CHECK_FALSE(same("1", "true"));
  CHECK_FALSE(same("0", "false"));
  CHECK_FALSE(same("18446744073709551615", "18446744073709551616"));
  CHECK_FALSE(same("9007199254740993", "9007199254740992.0"));
  CHECK_FALSE(same("-1", "18446744073709551615"));
  CHECK_FALSE(same("[1,2]", "[2,1]"));
  CHECK_FALSE(same("[1]", "[1,1]"));
  CHECK_FALSE(same(R"({"a":1})", R"({"b":1})"));
  CHECK_FALSE(same(R"({"a":1})", R"({"a":1,"b":1})"));
  CHECK_FALSE(same(R"("a")", R"("b")"));
  CHECK_FALSE(same(R"("")", "null"));
}

TEST_CASE("uniqueItems holds for few and for many items, and names the first two that are equal") {
  for (int count : {2, 12, 13, 1024, 1025, 5000}) {
    std::string items = "[0";
    for (int i = 1; i < count; ++i)
      items += fmt::format(",{}", i % 2 ? fmt::format("\"{}\"", i) : std::to_string(i));
    Budget budget;
    CHECK(all_unique(parse(items + "]"), budget));
    std::pair<std::size_t, std::size_t> twins;
    CHECK_FALSE(all_unique(parse(items + ",0.0]"), budget, &twins));
    CHECK(twins == std::pair<std::size_t, std::size_t>(0, static_cast<std::size_t>(count)));
    CHECK(budget.limit == Limit::none);
  }
}

TEST_CASE("a key table finds each of its strings and no other, whatever their lengths") {
  std::vector<std::string> keys{""};
  for (std::size_t size = 1; size <= 40; ++size) {
    keys.push_back(std::string(size, 'x'));
    keys.push_back(std::string(size, 'y'));
    keys.push_back(std::string(size / 2, 'x') + "-" + std::string(size - size / 2, 'x'));
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const KeyTable table(views);
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    CHECK(table.find(keys[i]) == i);
    CHECK(table[i] == keys[i]);
    CHECK(table.find(keys[i] + "z") == KeyTable::kNone);
    for (std::size_t at = 0; at < keys[i].size(); ++at) {
      std::string other = keys[i];
      other[at] = '#';
      CHECK(table.find(other) == KeyTable::kNone);
    }
  }
  CHECK(KeyTable().find("") == KeyTable::kNone);
  CHECK(KeyTable({"a", "b", "a"}).find("a") == 0);
}

TEST_CASE("URI references are resolved as RFC 3986 section 5.4 shows") {
  const std::pair<const char*, const char*> cases[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
  };
  for (const auto& [reference, target] : cases) CHECK(resolve_uri("http://a/b/c/d;p?q", reference) == target);
  CHECK(resolve_uri("", "a/b#c") == "a/b#c");
  CHECK(resolve_uri("urn:x:y", "#/a") == "urn:x:y#/a");
  CHECK(resolve_uri("http://a", "b") == "http://a/b");
}

TEST_CASE("percent escapes come back as they were") {
  CHECK(percent_decode("%25a%2") == "%a%2");
  CHECK(percent_decode("%e2%82%ac") == "€");
}
