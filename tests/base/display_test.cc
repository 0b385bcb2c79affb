#include "base/display.h"

#include "support/catch.h"

using namespace collet::display;

TEST_CASE("what steers a terminal is shown as bytes") {
  CHECK(printable("a\x1b[2K\r\n\tb") == R"(a\x1b[2K\x0d\x0a\x09b)");
  CHECK(printable("\xe2\x80\xaex\xe2\x80\x8b\xe2\x81\xa0\xd8\x9c\xef\xbb\xbf") ==
        R"(\xe2\x80\xaex\xe2\x80\x8b\xe2\x81\xa0\xd8\x9c\xef\xbb\xbf)");
  CHECK(printable("\xc2\x9b\x7f") == R"(\xc2\x9b\x7f)");
  CHECK(printable(std::string_view("a\0b", 3)) == R"(a\x00b)");
  CHECK(printable("ä€😀 \xc2\xa0") == "ä€😀 \xc2\xa0");
}

TEST_CASE("a JSON string steers no terminal, and says what the text does") {
  CHECK(json_string("a\x1b\n\"ä€😀") == R"("a\u001b\n\"ä€😀")");
  CHECK(json_string("\xc2\x9b\x7f \xd8\x9c \xe2\x80\xae") == R"("\u009b\u007f \u061c \u202e")");
}

TEST_CASE("lines and columns of a text stay where it may have some") {
  CHECK(printable_lines("a\n\tb\r\nc") == "a\n\tb\r\nc");
  CHECK(printable_lines("over\rwritten\r") == R"(over\x0dwritten\x0d)");
  CHECK(printable_lines("\x1b]0;title\x07\n") == "\\x1b]0;title\\x07\n");
}

TEST_CASE("a URL is shown without who logs in and without secret parameters") {
  constexpr std::pair<const char*, const char*> kCases[] = {
      {"https://h.example/mcp", "https://h.example/mcp"},
      {"https://user:pw@h:1/mcp", "https://***@h:1/mcp"},
      {"https://user@h", "https://***@h"},
      {"https://a@b:c@h/x", "https://***@h/x"},
      {"//user:pw@h/x", "//***@h/x"},
      {"https://h/@scope/pkg", "https://h/@scope/pkg"},
      {"https://h?q=a@b", "https://h?q=a@b"},
      {"https://u:p@h?token=t", "https://***@h?token=***"},
      {"https://h/?page=2&api_key=k&x", "https://h/?page=2&api_key=***&x"},
      {"https://h/?Access_Token=t", "https://h/?Access_Token=***"},
      {"https://h/?clientSecret=t&PASSWORD=t&passwd=t&pwd=t",
       "https://h/?clientSecret=***&PASSWORD=***&passwd=***&pwd=***"},
      {"https://h/?auth=t&credential=t&code=t", "https://h/?auth=***&credential=***&code=***"},
      {"https://h/?X-Amz-Signature=t&sig=t&se=2026", "https://h/?X-Amz-Signature=***&sig=***&se=2026"},
      {"https://h/?to%6Ben=t", "https://h/?to%6Ben=***"},
      {"https://h/?to%zzken=t%", "https://h/?to%zzken=t%"},
      {"https://h/?page=1;token=t", "https://h/?page=1;token=***"},
      {"https://h/?token=a=b&page=2", "https://h/?token=***&page=2"},
      {"https://h/?token=&page=2", "https://h/?token=&page=2"},
      {"https://h/?q=sk-12345", "https://h/?q=***"},
      {"https://h/?sk-12345", "https://h/?***"},
      {"https://h/?q=a1b2c3d4e5f6g7h8i9j0", "https://h/?q=***"},
      {"https://h/?token=${env:T}", "https://h/?token=${env:T}"},
      {"https://h/?token=${env:T:-a&b}&page=2", "https://h/?token=${env:T:-***}&page=2"},
      {"https://h/#access_token=t&state=x", "https://h/#access_token=***&state=x"},
      {"https://h/?page=2#part", "https://h/?page=2#part"},
      {"https://h/?a=1#?token=t", "https://h/?a=1#?token=***"},
      {"unix:/run/x.sock", "unix:/run/x.sock"},
      {"https://h/?", "https://h/?"},
      {"https://h/?&&=&", "https://h/?&&=&"},
      {"", ""},
  };
  for (const auto& [url, shown] : kCases) {
    CHECK(redact_url(url) == shown);
    CHECK(redact_url(shown) == shown);
  }
  CHECK(redact_url("https://h/?page=2&x=${env:X}#part", Values::all) == "https://h/?page=***&x=${env:X}#part");
}
