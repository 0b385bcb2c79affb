#include "schema/formats.h"

#include "schema/support.h"

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;

TEST_CASE("each format takes what its RFC allows and nothing else") {
  struct Case {
    const char* format;
    std::vector<const char*> good;
    std::vector<const char*> bad;
  };
  const Case cases[] = {
      {"date",
       {"2024-02-29", "2000-02-29"},
       {"2023-02-29", "1900-02-29", "2024-13-01", "2024-1-01", "2024-01-01x"}},
      {"time",
       {"23:59:60Z", "00:59:60+01:00", "12:00:00.5-08:00", "12:00:00z"},
       {"24:00:00Z", "12:00:00", "12:00:60Z", "12:00:00.Z", "12:00Z"}},
      {"date-time", {"2024-02-29T12:00:00Z", "2024-02-29t12:00:00+01:30"}, {"2024-02-29 12:00:00Z", "2024-02-29T"}},
      {"duration", {"P1Y2M3DT4H5M6S", "P2W", "PT36H"}, {"P", "PT", "P1Y2D", "P1W2D", "1D", "P1D ", "PT0.5S"}},
      {"email",
       {"a.b@example.org", "\"a b\"@example.org", "a@[127.0.0.1]", "a@[IPv6:::1]"},
       {"a", "@b", "a..b@c", ".a@b", "a b@c", "a@-b", "a@[1]", "\u00e9@b"}},
      {"idn-email", {"\uc2e4@\uc2e4.\ud14c"}, {"\uc2e4", "a@b c"}},
      {"hostname", {"a", "a-b.c1", "xn--9n2bp8q"}, {"", "a.", ".a", "-a", "a-", "a_b", "ab--c", "xn--X"}},
      {"idn-hostname", {"\uc2e4\ub840", "l\u00b7l", "a\u3002b"}, {"a\u00b7l", "\u302ea", "a..b"}},
      {"ipv4", {"0.0.0.0", "255.255.255.255"}, {"256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3."}},
      {"ipv6",
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::"},
       {":", "1:2:3:4:5:6:7", "1:::2", "1::2::3", "12345::", "::1.2.3", "1:2:3:4:5:6:7:8:9", ":1::", "1:"}},
      {"uri",
       {"http://a:80/b?c#d", "urn:x:y", "http://[::1]/", "a:"},
       {"/a", "http://a b", "1:a", "http://a/%g1", "http://[a"}},
      {"uri-reference", {"", "/a", "#a", "?b", "a/b:c"}, {"\\a", "a b", "1:a", "\u00e9"}},
      {"iri", {"http://\u00e9/"}, {"\u00e9"}},
      {"iri-reference", {"\u00e9"}, {"\u00e9 a"}},
      {"uri-template",
       {"", "a{b}", "{+a,b*}", "{a:3}", "{?x.y}"},
       {"{", "a}", "{}", "{a,}", "{a:0}", "{a b}", "a b"}},
      {"uuid",
       {"2eb8aa08-aa98-11ea-b4aa-73b441d16380"},
       {"2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"}},
      {"json-pointer", {"", "/a~0~1", "/"}, {"a", "/~", "/~2"}},
      {"relative-json-pointer", {"0", "1/a", "2#"}, {"", "01", "-1", "/a", "0##"}},
      {"regex", {"a(b|c)*", "[^]"}, {"a(", "\\a"}},
  };
  for (const Case& c : cases) {
    const FormatCheck check = find_format(c.format);
    REQUIRE(check);
    for (const char* text : c.good) {
      INFO(c.format << ": " << text);
      CHECK(check(text));
    }
    for (const char* text : c.bad) {
      INFO(c.format << ": " << text);
      CHECK_FALSE(check(text));
    }
  }
  CHECK_FALSE(find_format("unheard-of"));
}

TEST_CASE("a host name and its labels are bounded, at the limit and one past it") {
  const FormatCheck hostname = find_format("hostname");
  const std::string label(63, 'a');
  CHECK(hostname(label));
  CHECK_FALSE(hostname(label + "a"));
  const std::string three = label + "." + label + "." + label + ".";
  CHECK(hostname(three + std::string(61, 'a')));
  CHECK_FALSE(hostname(three + std::string(62, 'a')));
}
