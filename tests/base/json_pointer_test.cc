#include "base/json_pointer.h"

#include "support/catch.h"

using namespace collet;

TEST_CASE("pointer tokens come back as they were") {
  std::string pointer;
  json::append_pointer_token(pointer, "a/b~c");
  CHECK(pointer == "/a~1b~0c");
  CHECK(json::unescape_pointer_token("a~1b~0c") == "a/b~c");
  CHECK(json::unescape_pointer_token("~01") == "~1");
  CHECK(json::unescape_pointer_token("~") == "~");
  CHECK(json::pointer_tokens("/a~1b//2") == std::vector<std::string>{"a/b", "", "2"});
  CHECK(json::pointer_tokens("").empty());
}

TEST_CASE("a pointer leads to a member or an item, or nowhere") {
  json::Document root;
  REQUIRE(!json::parse(R"({"a":[1,{"b/c":true}],"":2})", root));
  const auto at = [&](std::string_view pointer) {
    const json::Value* found = json::value_at(root, pointer);
    return found ? json::to_text(*found) : "nowhere";
  };
  CHECK(at("/a/1/b~1c") == "true");
  CHECK(at("/") == "2");
  CHECK(at("") == json::to_text(root));
  for (const char* pointer : {"/b", "/a/2", "/a/01", "/a/-", "/a/0/x", "/a/18446744073709551616"}) CHECK(at(pointer) == "nowhere");
}
