#include "files/glob.h"


#include "files/failure.h"
#include "support/catch.h"

using files::Glob;

TEST_CASE("a glob matches what its syntax says") {
  struct Case {
    const char* pattern;
    const char* path;
    bool matches;
  };
  const Case cases[] = {
      {"*.md", "a.md", true},
      {"*.md", "deep/er/a.md", true},  // no '/': the last component counts
      {"*.md", "a.mdx", false},
      {"*", "", true},
      {"?", "", false},
      {"?", "é", true},
      {"?", "\xff", true},  // a stray byte is one character
      {"?\?", "é", false},
      {"src/*.c", "src/a.c", true},
      {"src/*.c", "src/x/a.c", false},
      {"src/?.c", "src//.c", false},
      {"src/**/a.c", "src/a.c", true},
      {"src/**/a.c", "src/x/y/a.c", true},
      {"src/**/a.c", "src/xa.c", false},
      {"**/a.c", "a.c", true},
      {"**/a.c", "x/a.c", true},
      {"**/a.c", "xa.c", false},
      {"src/**", "src/x/y", true},
      {"src/**", "src", false},
      {"**", "x/y/z", true},
      {"a**b/c", "axxb/c", true},
      {"a**b/c", "ax/b/c", false},
      {"**/**/x", "a/x", true},
      {"**/x/**/y", "a/x/b/c/y", true},
      {"**/x/**/y", "a/b/c/y", false},
      {"[a-c].t", "b.t", true},
      {"[a-c].t", "d.t", false},
      {"[!a-c].t", "d.t", true},
      {"[^a-c].t", "b.t", false},
      {"x[!a]y/z", "x/y/z", false},
      {"[]].t", "].t", true},
      {"[a-].t", "-.t", true},
      {"[é-ü].t", "ö.t", true},
      {"*.{h,cc}", "a.cc", true},
      {"*.{h,cc}", "a.c", false},
      {"{a,b/{c,d}}/x", "b/d/x", true},
      {"{a,b/{c,d}}/x", "b/x", false},
      {"{,un}do", "do", true},
      {"{**/x,y}", "p/q/x", true},
      {"{**/x,y}", "p/y", false},  // a '/' anywhere makes it a pattern for whole paths
      {"a{b,c*}d", "acxxd", true},
      {"\\*.t", "*.t", true},
      {"\\*.t", "a.t", false},
      {"a,b", "a,b", true},
      {".*", ".git", true},
      {"*", ".git", true},
  };
  for (const auto& c : cases) {
    INFO(c.pattern << " against " << c.path);
    CHECK(Glob(c.pattern).matches(c.path) == c.matches);
  }
}

TEST_CASE("a malformed glob is refused with the reason") {
  for (const char* pattern : {"[a", "[", "[!", "[z-a]", "{a", "{a,", "a}", "a\\", "{{{{{{{{{a}}}}}}}}}"}) {
    INFO(pattern);
    CHECK_THROWS_AS(Glob(pattern), files::Failure);
  }
  CHECK_NOTHROW(Glob("{{{{{{{{a}}}}}}}}"));
  CHECK_NOTHROW(Glob(std::string(1'024, 'a')));
  CHECK_THROWS_AS(Glob(std::string(1'025, 'a')), files::Failure);
}

TEST_CASE("a hostile glob takes linear time") {
  std::string stars, braces;
  for (int i = 0; i < 100; ++i) stars += "*a";
  for (int i = 0; i < 100; ++i) braces += "{a,a*,*}";
  const std::string path(4'000, 'a');
  // It ends: backtracking would take years.
  CHECK_FALSE(Glob(stars + "b").matches(path));
  CHECK_FALSE(Glob(braces + "b").matches(path));
  CHECK_FALSE(Glob("**/" + stars + "/**/b").matches(path));
}
