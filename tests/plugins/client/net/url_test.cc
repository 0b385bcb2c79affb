#include "client/net/url.h"

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;
using Catch::Contains;

namespace {

Url url(std::string_view text) {
  auto parsed = parse_url(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("a URL is taken apart, and its origin has one form") {
  const Url parts = url("HTTPS://Example.COM:8443/a/B?x=%20#fragment");
  CHECK(parts.origin() == "https://example.com:8443");
  CHECK(parts.path == "/a/B");
  CHECK(parts.query == "x=%20");
  CHECK(parts.without_query() == "https://example.com:8443/a/B");
  CHECK(url("https://h:443").origin() == "https://h");
  CHECK(url("http://h:80/").origin() == "http://h");
  CHECK(url("http://h:443").origin() == "http://h:443");
  CHECK(url("http://[::1]:8080/x").origin() == "http://[::1]:8080");
  CHECK(url("https://0x7f.1").origin() == "https://127.0.0.1");
  CHECK(url("https://[0:0::ABCD]").origin() == "https://[::abcd]");
  CHECK(url("https://h?q").query == "q");
  CHECK(url("https://h#f/").path.empty());
}

TEST_CASE("two URLs of the same scheme, host and port are of one origin") {
  CHECK(origin_of("http://Example.org/mcp") == "http://example.org");
  CHECK(origin_of("https://example.org:443/a?b") == origin_of("https://example.org"));
  CHECK(origin_of("https://user:secret@example.org/") == "https://example.org");
  CHECK(origin_of("http://example.org:8080") != origin_of("http://example.org"));
  CHECK(origin_of("http://example.org@evil.example/") == "http://evil.example");
  CHECK(origin_of("ftp://example.org").empty());
  CHECK(origin_of("/mcp").empty());
  CHECK(origin_of("https:///evil.example/").empty());
}

TEST_CASE("what is no http URL is none") {
  for (const char* text : {"",
                           "/path",
                           "example.com",
                           "ftp://h/",
                           "file:///etc/passwd",
                           "https://",
                           "https:///path",
                           "https://user@h/",
                           "https://u:p@h/",
                           "https://h:/",
                           "https://h:0/",
                           "https://h:65536/",
                           "https://h:1x/",
                           "https://h /",
                           "https://h/a\nb",
                           "https://h\\@evil/",
                           "https://%6cocalhost/",
                           "https://h%2f/",
                           "https://\xc3\xa9/",
                           "https://h!/",
                           "https://[::1%25lo]/",
                           "https://[]/",
                           "https://[::1/",
                           "https://::1]/",
                           "javascript://h/%0aalert(1)"}) {
    INFO(text);
    CHECK_FALSE(parse_url(text));
  }
  const std::string start = "https://h/";
  CHECK(parse_url(start + std::string(limits::kUrlBytesMax - start.size(), 'a')));
  CHECK_FALSE(parse_url(start + std::string(limits::kUrlBytesMax - start.size() + 1, 'a')));
}

TEST_CASE("loopback is this machine and nothing that looks like it") {
  for (const char* text : {"http://localhost", "http://LOCALHOST:1", "http://localhost.", "http://a.localhost",
                           "http://127.0.0.1", "http://127.9.9.9", "http://0.0.0.0", "http://0x7f.1",
                           "http://2130706433", "http://0177.0.0.1", "http://0", "http://[::1]", "http://[::]",
                           "http://[0:0:0:0:0:0:0:1]", "http://[::ffff:127.0.0.1]", "http://[::FFFF:7f00:2]"}) {
    INFO(text);
    CHECK(url(text).is_loopback());
  }
  for (const char* text :
       {"http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://128.0.0.1", "http://1270.0.0.1",
        "http://[::2]", "http://[::ffff:128.0.0.1]", "http://example.com", "http://notlocalhost"}) {
    INFO(text);
    CHECK_FALSE(url(text).is_loopback());
  }
}

TEST_CASE("only https is trusted, and this machine only by servers on it") {
  const Url far = url("https://mcp.example/mcp"), near = url("http://127.0.0.1:9/mcp");
  CHECK(trusted_url("https://as.example", far, "it"));
  CHECK(trusted_url("https://as.example", near, "it"));
  CHECK(trusted_url("http://localhost:3/as", near, "it"));
  CHECK_THAT(trusted_url("http://as.example", near, "it").message(), Contains("must be https"));
  CHECK_THAT(trusted_url("http://localhost/", far, "it").message(), Contains("points at this machine"));
  CHECK_THAT(trusted_url("https://127.0.0.1/", far, "it").message(), Contains("points at this machine"));
  CHECK_THAT(trusted_url("gopher://x", near, "the place").message(), Catch::StartsWith("the place 'gopher://x'"));
}

TEST_CASE("well-known places go between host and path, or after it") {
  CHECK(well_known(url("https://h"), "n") == "https://h/.well-known/n");
  CHECK(well_known(url("https://h/"), "n") == "https://h/.well-known/n");
  CHECK(well_known(url("https://h:1/a/b"), "n") == "https://h:1/.well-known/n/a/b");
  CHECK(well_known(url("https://h/a?k=v"), "n") == "https://h/.well-known/n/a?k=v");
  CHECK(well_known_appended(url("https://h"), "n") == "https://h/.well-known/n");
  CHECK(well_known_appended(url("https://h/a"), "n") == "https://h/a/.well-known/n");
  CHECK(well_known_appended(url("https://h/a/"), "n") == "https://h/a/.well-known/n");
}

TEST_CASE("a resource covers what is below it") {
  const Url mcp = url("https://h/a/mcp");
  for (const char* resource : {"https://h", "https://h/", "https://H:443/a", "https://h/a/", "https://h/a/mcp"}) {
    CHECK(resource_covers(url(resource), mcp));
  }
  for (const char* resource : {"http://h", "https://h:1", "https://h/a/mcp/x", "https://h/a/mc", "https://h/A",
                               "https://h/a/mcp?tenant=1", "https://other"}) {
    CHECK_FALSE(resource_covers(url(resource), mcp));
  }
}

TEST_CASE("forms are written and read") {
  const Form form = {{"scope", "a b"}, {"redirect", "https://h/?x=1&y=2"}, {"empty", ""}, {"utf8", "\xc3\xa9~"}};
  CHECK(form_encode(form) == "scope=a%20b&redirect=https%3A%2F%2Fh%2F%3Fx%3D1%26y%3D2&empty=&utf8=%C3%A9~");
  const auto back = form_decode(form_encode(form));
  REQUIRE(back);
  CHECK(*back == form);
  CHECK(*find(*form_decode("a=1+2&a=3&&b"), "a") == "1 2");
  CHECK(*find(*form_decode("a=1&b"), "b") == "");
  CHECK_FALSE(find(*form_decode("a=1"), "c"));
  for (const char* text : {"a=%", "a=%4", "a=%zz", "%=1"}) CHECK_FALSE(form_decode(text));
}

TEST_CASE("a form joins the query that a URL has") {
  CHECK(with_query("https://h/a", {{"x", "1"}}) == "https://h/a?x=1");
  CHECK(with_query("https://h/a?t=2", {{"x", "1"}}) == "https://h/a?t=2&x=1");
  CHECK(with_query("https://h/a#frag", {{"x", "1"}}) == "https://h/a?x=1");
}

TEST_CASE("what a URL keeps secret is shown to nobody") {
  const std::pair<const char*, const char*> kCases[] = {
      {"https://h/p?q=1#f", "https://h/p?q=1#f"},
      {"https://user:pw@h:8443/p", "https://***@h:8443/p"},
      {"https://user@h", "https://***@h"},
      {"https://a@b@h/x@y", "https://***@h/x@y"},
      {"https://h?token=t", "https://h?token=***"},
      {"https://h/?a=1&API_KEY=k&b=2", "https://h/?a=1&API_KEY=***&b=2"},
      {"https://h/?x-api-key=k;sig=s;c=3", "https://h/?x-api-key=***;sig=***;c=3"},
      {"https://h/?client%5Fsecret=s&to%6ben=t", "https://h/?client%5Fsecret=***&to%6ben=***"},
      {"https://h/?password=p&passwd=p&pwd=p&authorization=a&signature=s&credential=c&code=c",
       "https://h/?password=***&passwd=***&pwd=***&authorization=***&signature=***&credential=***&code=***"},
      {"https://h/?token=a=b?c", "https://h/?token=***"},
      {"https://h/?token", "https://h/?token"},
      {"https://h/#access_token=t&state=s", "https://h/#access_token=***&state=s"},
      {"https://h/?k%zz=1&key%zz=2", "https://h/?k%zz=1&key%zz=***"},
      {"postgres://u:p@h/db?sslmode=off", "postgres://***@h/db?sslmode=off"},
      {"no url?token=t", "no url?token=***"},
      {"", ""},
  };
  for (const auto& [url, shown] : kCases) CHECK(redact_url(url) == shown);
}

TEST_CASE("every URL of a text is shown without its secrets, and the text as it is") {
  CHECK(redact_urls("at 'https://u:p@h/?key=k', \"ftp://x@y\" <http://h/?code=c> mail a@b.c ://") ==
        "at 'https://***@h/?key=***', \"ftp://***@y\" <http://h/?code=***> mail a@b.c ://");
  CHECK(redact_urls("nothing to see") == "nothing to see");
}
