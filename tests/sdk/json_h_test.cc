#include <collet/json.h>

#include <string>
#include <vector>

#include "support/catch.h"

namespace {

collet_str str(const std::string& text) { return {text.data(), text.size()}; }

// The member "text" of `object` as a string, or why there is none.
std::string find(const std::string& object, const char* key = "text") {
  // On the heap and exactly as large, so that a read past its end is seen.
  const std::vector<char> exact(object.begin(), object.end());
  collet_json_value value;
  const std::int32_t status = collet_json_find({exact.data(), exact.size()}, key, &value);
  if (status != 1) return status == 0 ? "absent" : "invalid";
  if (value.type != COLLET_JSON_STRING) return "type " + std::to_string(value.type);
  std::string out(value.size, '\0');
  out.resize(collet_json_unescape(&value, out.data()));
  CHECK(static_cast<bool>(value.escaped) == (out != std::string(value.data, value.size)));
  return out;
}

std::int32_t as_int64(const std::string& number, std::int64_t& out) {
  const std::string object = "{\"n\":" + number + "}";
  collet_json_value value;
  REQUIRE(collet_json_find(str(object), "n", &value) == 1);
  return collet_json_int64(&value, &out);
}

}  // namespace

TEST_CASE("a string member is found wherever it stands") {
  CHECK(find(R"({"text":"hello"})") == "hello");
  CHECK(find(" {\n\"a\" : [1,{\"text\":2}] , \"text\" : \"x\" } ") == "x");
  CHECK(find(R"({"text":""})").empty());
  CHECK(find(R"({"other":"text"})") == "absent");
  CHECK(find("{}") == "absent");
  CHECK(find(R"({"text":1})") == "type 3");
  CHECK(find(R"({"text":null})") == "type 0");
}

TEST_CASE("a string without escapes is not copied") {
  const std::string object = R"({"text":"plain"})";
  collet_json_value value;
  REQUIRE(collet_json_find(str(object), "text", &value) == 1);
  CHECK(value.data == object.data() + 9);
  CHECK(value.size == 5);
  CHECK(value.escaped == 0);
}

TEST_CASE("escapes are undone") {
  CHECK(find(R"({"text":"a\"b\\c\/d\b\f\n\r\te"})") == "a\"b\\c/d\b\f\n\r\te");
  CHECK(find(R"({"text":"\u0041\u00e9\u20AC"})") == "A\xC3\xA9\xE2\x82\xAC");
  CHECK(find(R"({"text":"\ud83d\ude00!"})") == "\xF0\x9F\x98\x80!");
  CHECK(find(R"({"text":"a\u0000b"})") == std::string("a\0b", 3));
  CHECK(find(R"({"text":"0123456789\n0123456789\u0041"})") == "0123456789\n0123456789A");
}

TEST_CASE("an escape, a control character and the end are seen at every place of a string of every length") {
  for (std::size_t size = 0; size < 50; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      const std::string before(at, 'x'), after(size - at, '\x7f');
      CHECK(find("{\"text\":\"" + before + "\\n" + after + "\"}") == before + "\n" + after);
      CHECK(find("{\"text\":\"" + before + "\xC3\xA9" + after + "\"}") == before + "\xC3\xA9" + after);
      CHECK(find("{\"text\":\"" + before + "\x1f" + after + "\"}") == "invalid");
      CHECK(find("{\"text\":\"" + before + after) == "invalid");
    }
  }
}

TEST_CASE("each letter after a backslash is an escape that JSON has, or none") {
  const std::string known = "\"\\/bfnrt";
  const std::string meanings = "\"\\/\b\f\n\r\t";
  for (unsigned byte = 1; byte < 0x100; ++byte) {
    const char letter = static_cast<char>(byte);
    const std::size_t which = known.find(letter);
    const std::string expected = which == known.npos ? "invalid" : std::string(1, meanings[which]);
    CHECK(find(std::string("{\"text\":\"\\") + letter + "\"}") == expected);
  }
  CHECK(find(std::string("{\"text\":\"\\\0\"}", 13)) == "invalid");
}

TEST_CASE("half a surrogate pair and other broken escapes make the object invalid") {
  for (const char* text : {R"(\ud83d)", R"(\ude00)", R"(\ud83d\u0041)", R"(\ud83dx)", R"(\u12)", R"(\u12g4)",
                           R"(\x)", R"(\)", "\x01", "\n"}) {
    INFO(text);
    CHECK(find(std::string("{\"text\":\"") + text + "\"}") == "invalid");
  }
}

TEST_CASE("a key is compared by its meaning") {
  CHECK(find(R"({"t\u0065xt":"x"})") == "x");
  CHECK(find(R"({"t\u0065x":"x"})") == "absent");
  CHECK(find(R"({"te\u0078t2":"x"})") == "absent");
  CHECK(find("{\"\\u00e9\":\"x\"}", "\xC3\xA9") == "x");
}

TEST_CASE("a member given twice is nobody's to choose") {
  CHECK(find(R"({"text":"a","text":"b"})") == "invalid");
  CHECK(find(R"({"text":"a","t\u0065xt":"b"})") == "invalid");
  CHECK(find(R"({"x":1,"text":"a","x":2})") == "a");
}

TEST_CASE("every beginning of an object is refused without a read past its end") {
  const std::string whole =
      R"( {"a":[1,-2.5e+3,{"b":"\ud83d\ude00 long enough for a block"}],"text":"x\n","c":null})";
  REQUIRE(find(whole) == "x\n");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    INFO(whole.substr(0, size));
    CHECK(find(whole.substr(0, size)) == "invalid");
  }
  CHECK(find(whole + "x") == "invalid");
  CHECK(find("[]") == "invalid");
  collet_json_value value;
  CHECK(collet_json_find({nullptr, 0}, "text", &value) == 0);
  CHECK(collet_json_find({"", 0}, "text", &value) == COLLET_E_INVALID);
}

TEST_CASE("what is not JSON is refused") {
  for (const char* value : {"01", "1.", ".5", "+1", "1e", "-", "nul", "tru", "[1,]", "[,1]", "{\"a\"}",
                            "{\"a\":1,}", "{a:1}", "'a'", "NaN", "\"a", "[", "1 2"}) {
    INFO(value);
    CHECK(find(std::string("{\"x\":") + value + ",\"text\":\"y\"}") == "invalid");
  }
}

TEST_CASE("nesting is bounded, at the limit and one past it") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  collet_json_value value;
  CHECK(collet_json_parse(str(nested(COLLET_JSON_DEPTH_MAX)), &value) == COLLET_OK);
  CHECK(collet_json_parse(str(nested(COLLET_JSON_DEPTH_MAX + 1)), &value) == COLLET_E_INVALID);
  CHECK(collet_json_parse(str(nested(1'000'000)), &value) == COLLET_E_INVALID);
  CHECK(find("{\"text\":" + nested(COLLET_JSON_DEPTH_MAX - 1) + "}") == "type 5");
  CHECK(find("{\"text\":" + nested(COLLET_JSON_DEPTH_MAX) + "}") == "invalid");
}

TEST_CASE("integers are exact, and only integers") {
  std::int64_t n = 0;
  REQUIRE(as_int64("9223372036854775807", n) == COLLET_OK);
  CHECK(n == INT64_MAX);
  REQUIRE(as_int64("-9223372036854775808", n) == COLLET_OK);
  CHECK(n == INT64_MIN);
  REQUIRE(as_int64("-0", n) == COLLET_OK);
  CHECK(n == 0);
  REQUIRE(as_int64("3.0", n) == COLLET_OK);
  CHECK(n == 3);
  REQUIRE(as_int64("-12e2", n) == COLLET_OK);
  CHECK(n == -1200);
  REQUIRE(as_int64("9007199254740993e0", n) == COLLET_OK);
  CHECK(n == 9007199254740993);
  REQUIRE(as_int64("9223372036854775807.0", n) == COLLET_OK);
  CHECK(n == INT64_MAX);
  REQUIRE(as_int64("-92233720368547758080e-1", n) == COLLET_OK);
  CHECK(n == INT64_MIN);
  REQUIRE(as_int64("0e999999999999999999999", n) == COLLET_OK);
  CHECK(n == 0);
  REQUIRE(as_int64("0.0012e4", n) == COLLET_OK);
  CHECK(n == 12);
  for (const char* bad : {"9223372036854775808", "-9223372036854775809", "99999999999999999999", "1.5", "1e300",
                          "1e999", "1e-400", "9007199254740992.4", "1e99999999999999999999", "\"1\"", "true"}) {
    INFO(bad);
    CHECK(as_int64(bad, n) == COLLET_E_INVALID);
  }
}

TEST_CASE("numbers of any length become doubles") {
  const std::string text = "{\"a\":-1.25e2,\"b\":0." + std::string(200, '3') + ",\"c\":1e999}";
  collet_json_value value;
  double number = 0;
  REQUIRE(collet_json_find(str(text), "a", &value) == 1);
  REQUIRE(collet_json_double(&value, &number) == COLLET_OK);
  CHECK(number == -125);
  REQUIRE(collet_json_find(str(text), "b", &value) == 1);
  REQUIRE(collet_json_double(&value, &number) == COLLET_OK);
  CHECK(number == Approx(1.0 / 3));
  REQUIRE(collet_json_find(str(text), "c", &value) == 1);
  CHECK(collet_json_double(&value, &number) == COLLET_E_INVALID);
}
