// The plugins echo and math as they are built, loaded the way a host loads them.
#include <dlfcn.h>

#include <thread>

#include "support/catch.h"
#include "support/fake_host.h"

namespace {

// One plugin of the build, loaded. Never closed: a sanitizer's report needs its symbols.
struct Loaded {
  explicit Loaded(const std::string& name) {
    void* library = dlopen((COLLET_TEST_PLUGINS "/" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    INFO((library ? "" : dlerror()));
    REQUIRE(library);
    const auto entry = reinterpret_cast<const collet_plugin* (*)()>(dlsym(library, COLLET_ENTRY_SYMBOL));
    REQUIRE(entry);
    REQUIRE(host.load(entry()) == COLLET_OK);
  }
  ~Loaded() {
    host.unload();
    CHECK(host.misuse().empty());
  }
  fake::Host host;
};

}  // namespace

TEST_CASE("echo answers its text, whatever is in it") {
  Loaded echo("echo");
  CHECK(echo.host.item("echo").flags == COLLET_ITEM_NONBLOCKING);
  CHECK(echo.host.call("echo", R"({"text":"hello"})").text() == "hello");
  CHECK(echo.host.call("echo", R"({"text":""})").text().empty());
  CHECK(echo.host.call("echo", R"({"text":"a\n\u00e9\ud83d\ude00\""})").text() == "a\n\xC3\xA9\xF0\x9F\x98\x80\"");
  const std::string large(1 << 20, 'x');
  CHECK(echo.host.call("echo", R"({"text":")" + large + "\"}").text() == large);
  for (const char* bad : {"{}", R"({"text":1})", R"({"text":"a","text":"b"})", R"({"text":"\ud83d"})", "[]", ""}) {
    INFO(bad);
    CHECK(echo.host.call("echo", bad).text() == "refused -1");
  }
}

TEST_CASE("math adds exactly") {
  Loaded math("math");
  CHECK(math.host.call("add", R"({"a":9223372036854775806,"b":1})").text() == "9223372036854775807");
  CHECK(math.host.call("add", R"({"a":9223372036854775807,"b":1})").text() ==
        "error: the sum does not fit into 64 bits");
  CHECK(math.host.call("add", R"({"a":1,"b":2,"scale":0.5})").text() == "1.5");
}

TEST_CASE("math describes samples") {
  Loaded math("math");
  CHECK(math.host.call("statistics", R"({"values":[4,1,3,2]})").structured ==
        R"({"count":4,"min":1,"max":4,"mean":2.5,"median":2.5,"standard_deviation":1.2909944487358056})");
  CHECK(math.host.call("statistics", R"({"values":[7]})").structured ==
        R"({"count":1,"min":7,"max":7,"mean":7,"median":7})");
  CHECK(math.host.call("statistics", R"({"values":[]})").text() == "error: /values: must have at least 1 items");
}

TEST_CASE("math converts lengths") {
  Loaded math("math");
  CHECK(math.host.call("convert", R"({"value":1,"from":"mile"})").text() == "1609.344");
  CHECK(math.host.call("convert", R"({"value":3,"from":"foot","to":"inch"})").text() == "36");
}

TEST_CASE("math counts primes, says how far it is, and can be stopped") {
  Loaded math("math");
  for (const auto& [below, count] : std::map<std::string, std::string>{
           {"0", "0"}, {"2", "0"}, {"3", "1"}, {"100", "25"}, {"1048578", "82025"}, {"3000000", "216816"}}) {
    INFO(below);
    CHECK(math.host.call("primes", "{\"below\":" + below + "}").text() == count);
  }
  const collet_call id = math.host.start({.name = "primes", .arguments = R"({"below":3000000})"});
  const auto progress = math.host.progress(id);
  REQUIRE(progress.size() == 3);
  CHECK(progress.back().done == 3000000);
  math.host.cancel_next();
  CHECK(math.host.call("primes", R"({"below":10000000000})").text() == "error: cancelled");
}
