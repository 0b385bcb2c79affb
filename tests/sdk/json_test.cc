#include <collet/json.hpp>
#include <vector>

#include "support/catch.h"

using collet::JsonReader;

namespace {

template <class Read>
std::string failure(std::string_view text, Read&& read) {
  const std::vector<char> exact(text.begin(), text.end());
  JsonReader in({exact.data(), exact.size()});
  try {
    read(in);
    in.read_end();
  } catch (const collet::Error& error) {
    return error.what();
  }
  return "none";
}

std::string raw_failure(std::string_view text) {
  return failure(text, [](JsonReader& in) { in.read_raw(); });
}

std::string string_of(std::string_view text) {
  std::string scratch;
  JsonReader in(text);
  return std::string(in.read_string(scratch));
}

template <class T>
T integer_of(std::string_view text) {
  return JsonReader(text).read_integer<T>();
}

std::string written(auto value) {
  std::string out;
  collet::append_json(out, value);
  return out;
}

}  // namespace

TEST_CASE("strings are read with every escape") {
  CHECK(string_of(R"("a\"\\\/\b\f\n\r\t")") == "a\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("\u0041\u00e9\u20ac\ud83d\ude00")") == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(string_of("\"\xF0\x9F\x98\x80\x7f\"") == "\xF0\x9F\x98\x80\x7f");
  CHECK(string_of(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("what needs attention is seen at every place of a string of every length, read and written") {
  for (std::size_t size = 0; size < 50; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      const std::string before(at, 'x'), after(size - at, '\x7f');
      CHECK(string_of('"' + before + "\\n" + after + '"') == before + "\n" + after);
      CHECK(string_of('"' + before + "\xC3\xA9" + after + '"') == before + "\xC3\xA9" + after);
      for (const char* bad : {"\x1f", "\xC3", "\x80", "\xED\xA0\x80"}) {
        CHECK(raw_failure('"' + before + bad + after + '"').find("not valid JSON at byte " + std::to_string(at + 1) + ":") == 0);
      }
      CHECK(written(before + "\"" + after) == '"' + before + "\\\"" + after + '"');
      CHECK(written(before + "\xC3\xA9\x80" + after) == '"' + before + "\xC3\xA9\xEF\xBF\xBD" + after + '"');
    }
  }
}

TEST_CASE("strings that are not Unicode are refused") {
  for (const char* text :
       {"\"\xff\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "\"\x1f\"",
        R"("\ud83d")", R"("\udc00")", R"("\ud83d\u0041")", R"("\u00g0")", R"("\u+123")", R"("\q")"}) {
    INFO(text);
    CHECK(raw_failure(text).find("not valid JSON at byte") == 0);
  }
}

TEST_CASE("what is not one JSON value is refused") {
  for (const char* text :
       {"",   " ",   "{",    "{}x", "{} {}",    "nul",       "nope", "tru",     "01",      "1.", "+1", "-",
        "1e", "\"a", "[1,]", "[,]", "{\"a\":}", "{\"a\" 1}", "{,}",  "{'a':1}", "// c\n1", "]",  "NaN"}) {
    INFO(text);
    CHECK(raw_failure(text).find("not valid JSON at byte") == 0);
  }
  const std::string whole = R"({"a":[1,-2.5e+3,{"b":"\ud83d\ude00"}],"c":null,"d":true,"e":false})";
  CHECK(raw_failure(whole) == "none");
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(raw_failure(whole.substr(0, size)) != "none");
}

TEST_CASE("reading is bounded in depth, at the limit and one past it") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(raw_failure(nested(collet::kJsonDepthMax)) == "none");
  CHECK(raw_failure(nested(collet::kJsonDepthMax + 1)).find("nested too deeply") != std::string::npos);
  CHECK(raw_failure(nested(1'000'000)).find("nested too deeply") != std::string::npos);
}

TEST_CASE("integers are exact in every width") {
  CHECK(integer_of<std::int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK(integer_of<std::uint64_t>("18446744073709551615") == UINT64_MAX);
  CHECK(integer_of<std::uint64_t>("18446744073709551615.000") == UINT64_MAX);
  CHECK(integer_of<std::uint64_t>("1844674407370955161.5e1") == UINT64_MAX);
  CHECK(integer_of<std::int8_t>("-128") == -128);
  CHECK(integer_of<std::uint8_t>("255") == 255);
  CHECK(integer_of<std::uint8_t>("-0") == 0);
  CHECK(integer_of<int>("0e99999999999999999999") == 0);
  CHECK(integer_of<int>("1200e-2") == 12);
  CHECK(integer_of<int>("0.0120e3") == 12);
}

TEST_CASE("integers out of range, or none, are refused") {
  const auto as = []<class T>(T, const char* text) {
    return failure(text, [](JsonReader& in) { in.read_integer<T>(); });
  };
  CHECK(as(std::int8_t(), "128") == "must be at most 127");
  CHECK(as(std::int8_t(), "-129") == "must be at least -128");
  CHECK(as(std::uint32_t(), "-1") == "must be at least 0");
  CHECK(as(std::int64_t(), "9223372036854775808") == "must be at most 9223372036854775807");
  CHECK(as(std::uint64_t(), "18446744073709551616") == "is too large for an integer");
  CHECK(as(int(), "1.5") == "expected integer, got a fraction");
  CHECK(as(int(), "1e-1") == "expected integer, got a fraction");
  CHECK(as(int(), "1e-99999999999999999999") == "expected integer, got a fraction");
  CHECK(as(int(), "1e99999999999999999999") == "is too large for an integer");
  CHECK(as(int(), "true") == "expected integer, got boolean");
}

TEST_CASE("doubles are the nearest ones") {
  CHECK(JsonReader("0.1").read_number<double>() == 0.1);
  CHECK(JsonReader("-5e-324").read_number<double>() == -5e-324);
  CHECK(JsonReader("1e-999").read_number<double>() == 0);
  CHECK(JsonReader("9007199254740993").read_number<double>() == 9007199254740992.0);
  CHECK(JsonReader("0." + std::string(400, '0') + "1").read_number<double>() == 0);
  CHECK(JsonReader("-1e-999").read_number<double>() == 0);
  CHECK(failure("1" + std::string(400, '0') + "e-9", [](JsonReader& in) { in.read_number<double>(); }) ==
        "is too large for a number");
  CHECK(failure("1e999", [](JsonReader& in) { in.read_number<double>(); }) == "is too large for a number");
  CHECK(failure("1e39", [](JsonReader& in) { in.read_number<float>(); }) == "is too large for a number");
}

TEST_CASE("an error names its place as a JSON Pointer") {
  const auto read = [](JsonReader& in) {
    in.read_object([&](std::string_view) { in.read_array([&] { in.read_bool(); }); });
  };
  CHECK(failure(R"({"a":[true],"x/y~z":[true,1]})", read) == "/x~1y~0z/1: expected boolean, got number");
  CHECK(failure(R"({"a":1})", read) == "/a: expected array, got number");
  CHECK(failure("3", read) == "expected object, got number");
  JsonReader rooted("3", "config");
  CHECK_THROWS_WITH(rooted.read_bool(), "config: expected boolean, got number");
}

TEST_CASE("strings are written so that anyone can read them") {
  CHECK(written("a\"\\\n\x01\x7f\xC3\xA9") == "\"a\\\"\\\\\\n\\u0001\x7f\xC3\xA9\"");
  CHECK(written("\xff\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("numbers are written so that they come back the same") {
  CHECK(written(0.1) == "0.1");
  CHECK(written(1e22) == "1e+22");
  CHECK(written(INT64_MIN) == "-9223372036854775808");
  CHECK(written(UINT64_MAX) == "18446744073709551615");
  CHECK(written(std::int8_t(-5)) == "-5");
  CHECK_THROWS_AS(written(1.0 / 0.0), collet::Error);
}
