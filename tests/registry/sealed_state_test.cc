#include "registry/sealed_state.h"

#include "support/catch.h"

using namespace collet::registry;

TEST_CASE("a sealed state opens for what it was made for, until it expires, and for nothing else") {
  const StateSealer sealer;
  const StateBinding binding{"tools/call", "ask", "plugin", R"({"a":1})", "alice"};
  const std::string sealed = sealer.seal({3, 7, std::string("st\0te", 5), "{\"q\":{}}", "{}"}, binding, 1'000);
  const auto opened = sealer.open(sealed, binding, 999);
  REQUIRE(opened);
  CHECK(opened->round == 3);
  CHECK(opened->version == 7);
  CHECK(opened->state == std::string("st\0te", 5));
  CHECK(opened->questions == "{\"q\":{}}");
  CHECK(opened->answers == "{}");

  CHECK_FALSE(sealer.open(sealed, binding, 1'000));
  CHECK_FALSE(StateSealer().open(sealed, binding, 0));
  for (const StateBinding& other : {StateBinding{"prompts/get", "ask", "plugin", R"({"a":1})", "alice"},
                                    StateBinding{"tools/call", "other", "plugin", R"({"a":1})", "alice"},
                                    StateBinding{"tools/call", "ask", "gin", R"({"a":1})", "alice"},
                                    StateBinding{"tools/call", "ask", "plugin", R"({"a":2})", "alice"},
                                    StateBinding{"tools/call", "ask", "plugin", R"({"a":1})", "bob"},
                                    StateBinding{"tools/call", "askplugin", "", R"({"a":1})", "alice"}}) {
    CHECK_FALSE(sealer.open(sealed, other, 0));
  }
}

TEST_CASE("a state that was altered anywhere does not open") {
  const StateSealer sealer;
  const StateBinding binding{"tools/call", "ask", "p", "", ""};
  const std::string sealed = sealer.seal({0, 0, "state"}, binding, 1'000);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(sealer.open(altered, binding, 0));
  }
  for (const char* text : {"", "AAAA", "not base64", "====", "-TAMPERED"})
    CHECK_FALSE(sealer.open(text, binding, 0));
  CHECK_FALSE(sealer.open(sealed + "-TAMPERED", binding, 0));
  CHECK(sealer.seal({0, 0, "state"}, binding, 1'000) != sealed);
}

TEST_CASE("those who have a key in common open each other's states") {
  StateSealer::Key old{}, next{};
  next[0] = 1;
  const StateBinding binding{"tools/call", "ask", "p", "", ""};
  const StateSealer before({old}), between({next, old}), after({next});
  const std::string first = before.seal({1, 0, "state"}, binding, 1'000), second = between.seal({2, 0, "state"}, binding, 1'000);
  CHECK(StateSealer({old}).open(first, binding, 0));
  CHECK(between.open(first, binding, 0));
  CHECK_FALSE(after.open(first, binding, 0));
  CHECK(after.open(second, binding, 0));
  CHECK_FALSE(before.open(second, binding, 0));
}
