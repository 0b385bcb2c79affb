#include "registry/uri_template.h"

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
