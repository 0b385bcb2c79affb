#include "base/text.h"

#include "base/result.h"
#include "support/catch.h"

using namespace collet;

TEST_CASE("well-formed UTF-8 is accepted, malformed refused, at every offset from a word boundary") {
  const std::string good[] = {"", "a", "é", "€", "\U0001F600", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
  const std::string bad[] = {"\x80",
                             "\xc0\x80",
                             "\xc3",
                             "\xe0\x80\x80",
                             "\xed\xa0\x80",
                             "\xf0\x80\x80\x80",
                             "\xf4\x90\x80\x80",
                             "\xf5\x80\x80\x80",
                             "\xe2\x82",
                             "\xff"};
  for (std::size_t pad = 0; pad < 17; ++pad) {
    const std::string padding(pad, 'x');
    for (const auto& s : good) CHECK(text::is_utf8(padding + s + padding));
    for (const auto& s : bad) CHECK_FALSE(text::is_utf8(padding + s + padding));
    for (const auto& s : bad) CHECK_FALSE(text::is_utf8(padding + s));
  }
}

TEST_CASE("a JSON string escapes what it must and replaces what is not UTF-8") {
  const auto quoted = [](std::string_view s) {
    std::string out;
    text::append_json_string(out, s);
    return out;
  };
  CHECK(quoted("") == R"("")");
  CHECK(quoted("a\"b\\c\n\t\x01 é") == R"("a\"b\\c\n\t\u0001 é")");
  CHECK(quoted(std::string_view("\0", 1)) == R"("\u0000")");
  CHECK(quoted("a\xffz") == "\"a\xef\xbf\xbdz\"");
  CHECK(quoted("\xe2\x82") == "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("a host and its port are told apart, whatever else is refused") {
  const auto split = [](std::string_view text) {
    const auto parts = text::split_host_and_port(text);
    return parts ? fmt::format("{} {}", parts->host, parts->port) : "none";
  };
  CHECK(split("api.example.com:443") == "api.example.com 443");
  CHECK(split("10.0.0.1:1") == "10.0.0.1 1");
  CHECK(split("[::1]:65535") == "::1 65535");
  for (const char* bad : {"", ":", "a", "a:", ":1", "a:0", "a:65536", "a:-1", "a:1x", "a: 1", "a:b:1", "::1:80",
                          "[]:80", "[::1]", "[::1]80"}) {
    INFO(bad);
    CHECK(split(bad) == "none");
  }
}

TEST_CASE("where text stops being UTF-8 is told to the byte") {
  CHECK(collet::text::utf8_prefix("") == 0);
  CHECK(collet::text::utf8_prefix("plain") == 5);
  CHECK(collet::text::utf8_prefix("\xc3\xa9") == 2);
  for (std::size_t before = 0; before < 20; ++before) {
    for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80"}) {
      CHECK(collet::text::utf8_prefix(std::string(before, 'x') + bad + "more") == before);
    }
  }
}

TEST_CASE("one byte order mark is taken off, and only at the beginning") {
  CHECK(collet::text::without_byte_order_mark("\xef\xbb\xbfx") == "x");
  CHECK(collet::text::without_byte_order_mark("\xef\xbb\xbf\xef\xbb\xbfx") == "\xef\xbb\xbfx");
  CHECK(collet::text::without_byte_order_mark("x\xef\xbb\xbf") == "x\xef\xbb\xbf");
  CHECK(collet::text::without_byte_order_mark("\xef\xbb") == "\xef\xbb");
}
