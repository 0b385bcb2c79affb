#include "registry/uri_template.h"

#include "registry/registry.h"
#include "registry/uri_spelling.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::registry;

namespace {

std::string match(std::string_view text, std::string_view uri) {
  const auto parsed = UriTemplate::parse(text);
  REQUIRE(parsed);
  const auto values = parsed->match(uri);
  if (!values) return "no";
  std::string out;
  for (const auto& [name, value] : *values) out += name + "=" + value + ";";
  return out;
}

}  // namespace

TEST_CASE("a URI is matched and its variables decoded") {
  CHECK(match("test://template/{id}/data", "test://template/123/data") == "id=123;");
  CHECK(match("test://template/{id}/data", "test://template/1/2/data") == "no");
  CHECK(match("test://template/{id}/data", "test://template//data") == "no");
  CHECK(match("file:///{+path}", "file:///a/b%20c.txt") == "path=a/b c.txt;");
  CHECK(match("x:{a}-{b}", "x:1-2-3") == "a=1;b=2-3;");
  CHECK(match("x:{a}{/b}", "x:1/2") == "a=1;b=2;");
  CHECK(match("x:q{?a,b}", "x:q") == "");
  CHECK(match("x:q{?a,b}", "x:q?b=2&a=%41") == "a=A;b=2;");
  CHECK(match("x:q{?a,b}", "x:q?c=1") == "no");
  CHECK(match("x:plain", "x:plain") == "");
  CHECK(match("x:plain", "x:plainer") == "no");
  CHECK(match("x:{a}", "x:%zz%4") == "a=%zz%4;");
}

TEST_CASE("a template's variables are told in their order") {
  const auto names = [](std::string_view text) { return UriTemplate::parse(text)->variables(); };
  CHECK(names("x:{b}{/a}/y{+c}{?e,d}") == std::vector<std::string>{"b", "a", "c", "e", "d"});
  CHECK(names("x:plain").empty());
}

TEST_CASE("a URI is of a template in whatever way both are spelt") {
  CHECK(match("file:///docs/caf\u00e9/{name}", "file:///docs/caf%C3%A9/a.txt") == "name=a.txt;");
  CHECK(match("file:///docs/caf%c3%a9/{name}", "file:///docs/caf\u00e9/a.txt") == "name=a.txt;");
  CHECK(match("File://Host/A/{name}", "fILE://hOST/A/%7e") == "name=~;");
  CHECK(match("file://host/A/{name}", "file://host/a/b") == "no");
  CHECK(match("x://user@Host/{a}", "x://User@host/1") == "no");
  CHECK(match("x:{a}", "x:1%2F2%252") == "a=1/2%2;");
  CHECK(match("x:q{?a,b}", "x:q?%61=1") == "a=1;");
  CHECK(match("x:{+a}", "x:a/../b") == "a=a/../b;");
}

TEST_CASE("one resource in two spellings is offered once") {
  CHECK(normalised_uri("HTTPS://User@Host:443?q#F") == "https://User@host/?q#F");
  CHECK(normalised_uri("http://h:/") == "http://h/");
  CHECK(normalised_uri("http://h:81/%41%2f%zz") == "http://h:81/A%2F%25zz");
  CHECK(normalised_uri("x:a/./b c{d}") == "x:a/./b%20c%7Bd%7D");
  CHECK(normalised_uri("no/scheme:A") == "no/scheme:A");
  CHECK(normalised_uri("").empty());
  CHECK(watched_uri("x:a?b=2&a=1&#c?d&e") == "x:a?&a=1&b=2#c?d&e");
  CHECK(watched_uri("x:a#?b&a") == "x:a#?b&a");
  Registry registry;
  registry.declare("p", {});
  const auto resource = [](const char* uri) {
    return ItemDef{.kind = Kind::resource, .name = uri, .definition = "{}"};
  };
  registry.replace("p", nullptr, {resource("x:%7e"), resource("X:~"), resource("x:%7E/")});
  CHECK(registry.current()->items(Kind::resource).size() == 2);
  CHECK(registry.current()->rejected().size() == 1);
}

TEST_CASE("what is no template that is understood is refused") {
  for (std::string_view bad : {"x:{", "x:{}", "x:{a", "x:{a*}", "x:{a:3}", "x:{#a}", "x:{a,b}", "x:{a b}"}) {
    INFO(bad);
    CHECK_FALSE(UriTemplate::parse(bad));
  }
  std::string many = "x:";
  for (int i = 0; i < 16; ++i) many += "{a}";
  CHECK(UriTemplate::parse(many));
  CHECK_FALSE(UriTemplate::parse(many + "{a}"));
}

TEST_CASE("a hostile URI takes no longer than its square") {
  const auto parsed = UriTemplate::parse("x:{a}-{b}-{c}-{d}-{e}-{f}-{g}-{h}!");
  REQUIRE(parsed);
  CHECK_FALSE(parsed->match("x:" + std::string(2'000, '-')));
}
