#include "fetch/request.h"

#include "base/limits.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::fetch;

namespace {

bool good(const Request& request) { return check(request).ok(); }
Request with(std::string name, std::string value) { return {.url = "http://a/", .fields = {{std::move(name), std::move(value)}}}; }

}  // namespace

TEST_CASE("fields are tokens and lines, and not the host's own") {
  CHECK(good(with("X-Test", "a\tb \xc3\xa9")));
  CHECK(good(with("X-Test", "")));
  for (const char* name : {"", "X Y", "X:", "X\r\nY", "X\xc3\xa9", "(x)"}) CHECK_FALSE(good(with(name, "v")));
  for (const std::string& value : {std::string("a\r\nb"), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3),
      std::string("\x7f")}) {
    CHECK_FALSE(good(with("X", value)));
  }
  for (const char* name : {"Host", "content-length", "Transfer-Encoding", "CONNECTION", "Keep-Alive", "Proxy-Authorization", "TE",
      "Trailer", "Upgrade", "Expect"}) {
    CHECK_FALSE(good(with(name, "v")));
    CHECK(good(with(std::string("X-") + name, "v")));
  }
}

TEST_CASE("methods are tokens, and none that changes the connection") {
  for (const char* method : {"GET", "get", "M-SEARCH"}) CHECK(good({.method = method, .url = "http://a/"}));
  for (const char* method : {"", "GET /", "CONNECT", "trace", "A\r\nB", "\xff"}) CHECK_FALSE(good({.method = method, .url = "http://a/"}));
  CHECK(good({.method = std::string(limits::kFetchMethodBytesMax, 'M'), .url = "http://a/"}));
  CHECK_FALSE(good({.method = std::string(limits::kFetchMethodBytesMax + 1, 'M'), .url = "http://a/"}));
  CHECK_FALSE(good({.method = "HEAD", .url = "http://a/", .body = "x"}));
}

TEST_CASE("a URL is read once, into one spelling") {
  const auto place = [](const char* url) {
    const auto target = read_target(url);
    return target ? target->scheme + " " + target->place() + " " + target->url : "";
  };
  CHECK(place("HTTP://Example.ORG/a?b#c") == "http example.org:80 http://Example.ORG/a?b");
  CHECK(place("https://example.org") == "https example.org:443 https://example.org/");
  CHECK(place("http://[0:0:0:0:0:0:0:1]:8080/") == "http [::1]:8080 http://[::1]:8080/");
  CHECK(place("http://2130706433/").starts_with("http 127.0.0.1:80 "));
  CHECK(place("http://127.0.0.1:080/").starts_with("http 127.0.0.1:80 "));
  for (const char* url : {"", "/a", "example.org", "//example.org/", "ftp://a/", "file:///a", "http://", "http://a:0/", "http://a:65536/",
      "http://a:b/", "http://u@a/", "http://u:p@a/",
                          "http://:p@a/", "http://a b/", "http://a/\x01", "http://a/\xc3\xa9", "http://[fe80::1%25eth0]/", "http://[::1/",
                              "javascript:1", "http://a\\@b/"}) {
    INFO(url);
    CHECK(place(url) == "");
  }
  const std::string longest = "http://a/" + std::string(limits::kFetchUrlBytesMax - 9, 'x');
  CHECK(place(longest.c_str()) != "");
  CHECK(place((longest + "x").c_str()) == "");
}

TEST_CASE("loopback is known in each spelling") {
  for (const char* url : {"http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://127.0.0.1/", "http://127.8.9.1/",
      "http://127.1/", "http://0/", "http://[::1]/", "http://[::]/"}) {
    INFO(url);
    CHECK(read_target(url)->is_loopback());
  }
  for (const char* url : {"http://localhost.example.org/", "http://127.example.org/", "http://128.0.0.1/"})
      CHECK_FALSE(read_target(url)->is_loopback());
}
