#include "foreign/json_edit.h"

#include "foreign/jsonc.h"
#include "support/catch.h"

using namespace collet;
using foreign::MemberPlace;

namespace {

const MemberPlace kPlace{{"mcpServers"}, "collet"};

std::string edited(std::string text, const foreign::Edit& edit) {
  text.replace(edit.at, edit.removed, edit.inserted);
  return text;
}

std::string added(const std::string& text, const MemberPlace& place = kPlace,
                  std::string_view value = "{\n  \"a\": 1\n}") {
  foreign::Source source(text);
  const auto edit = foreign::add_member(source, place, value);
  return edit ? edited(text, *edit) : edit.message();
}

std::string removed(const std::string& text, const MemberPlace& place = kPlace) {
  foreign::Source source(text);
  const auto edit = foreign::remove_member(source, place);
  if (!edit) return edit.message();
  return *edit ? edited(text, **edit) : "not there";
}

bool is_jsonc(std::string_view text) {
  foreign::Source source(text);
  return std::holds_alternative<config::Value>(foreign::parse_jsonc(source));
}

}  // namespace

TEST_CASE("a member is added in front, and nothing else changes") {
  CHECK(added("{\n  // mine\n  \"mcpServers\": {\n    \"x\": {},\n  }, // end\n}\n") ==
        "{\n  // mine\n  \"mcpServers\": {\n    \"collet\": {\n      \"a\": 1\n    },\n    \"x\": {},\n  }, // "
        "end\n}\n");
  CHECK(added("{\"mcpServers\":{}}") == "{\"mcpServers\":{\n    \"collet\": {\n      \"a\": 1\n    }\n  }}");
  CHECK(added("{\"b\":[1]}") == "{\n  \"mcpServers\": {\n    \"collet\": {\n      \"a\": 1\n    }\n  },\"b\":[1]}");
  CHECK(added("\xef\xbb\xbf{}", {{"a", "b"}, "c"}, "1") ==
        "\xef\xbb\xbf{\n  \"a\": {\n    \"b\": {\n      \"c\": 1\n    }\n  }\n}");
}

TEST_CASE("what was added can be taken out again, and others stay") {
  const std::vector<std::string> texts = {
      "{}",
      "{ }",
      "{\"mcpServers\":{\"x\":{}}}",
      "{\"mcpServers\":{ // c\n\"x\":{},\n}}",
      "{\n\t\"mcpServers\" : {\n\t\t\"x\" : 1,\n\t\t\"y\" : [\"}\"]\n\t}\n}",
      "{\"a\":{\"mcpServers\":{}},\"mcpServers\":{\"collector\":2}}",
  };
  for (const std::string& text : texts) {
    INFO(text);
    const std::string with = added(text);
    CHECK(is_jsonc(with));
    const std::string without = removed(with);
    CHECK(is_jsonc(without));
    CHECK(removed(without) == "not there");
    if (text.find("\"x\"") != std::string::npos || text.find("collector") != std::string::npos)
      CHECK(without == text);
  }
  CHECK(removed("{\"mcpServers\":{\"x\":1,\"collet\":{}}}") == "{\"mcpServers\":{\"x\":1}}");
  CHECK(removed("{\"mcpServers\":{\"x\":1,\"collet\":{},\"y\":2}}") == "{\"mcpServers\":{\"x\":1,\"y\":2}}");
  CHECK(removed("{\"mcpServers\":{\"collet\":{},}}") == "{\"mcpServers\":{}}");
}

TEST_CASE("a file that is not as it must be is not edited") {
  CHECK(added("{\"mcpServers\":{\"x\":1,\"collet\":{}}}") == "it has \"collet\" already");
  CHECK(added("{\"mcpServers\":[]}") == "1:15: not JSON: an object is expected");
  CHECK(added("[]") == "1:1: not JSON: an object is expected");
  CHECK(added("{\"mcpServers\":{").find("not JSON: ") != std::string::npos);
  CHECK(added("{\"a\" 1}").find("1:6: not JSON: a colon is expected") == 0);
  CHECK(added(std::string("{\0}\0", 4)) == "1:1: it is in UTF-16; save it as UTF-8");
}

TEST_CASE("comments around a member that is taken out stay") {
  CHECK(removed("{\"mcpServers\":{\n  // mine\n  \"collet\":{}, // too\n  \"x\":1}}") ==
        "{\"mcpServers\":{\n  // mine\n   // too\n  \"x\":1}}");
  CHECK(removed("{\"mcpServers\":{\"x\":1, // of x\n  \"collet\":{}\n}}") ==
        "{\"mcpServers\":{\"x\":1 // of x\n  \n}}");
  CHECK(removed("{\"mcpServers\":{/* a */ \"collet\":{} /* b */}}") == "{\"mcpServers\":{/* a */  /* b */}}");
  CHECK(removed("{\"mcpServers\":{\"collet\":{} /* b */, \"x\":1}}") == "{\"mcpServers\":{ /* b */ \"x\":1}}");
}

TEST_CASE("a member is replaced in its place") {
  const std::string text = "{\"a\":1,\"mcpServers\":{/* mine */\"collet\" : [1, 2] , \"x\":1}}";
  foreign::Source source(text);
  const auto edit = foreign::replace_member(source, kPlace, "{\n  \"a\": 1\n}");
  REQUIRE(edit.ok());
  CHECK(edited(text, *edit) ==
        "{\"a\":1,\"mcpServers\":{/* mine */\"collet\" : {\n      \"a\": 1\n    } , \"x\":1}}");
  foreign::Source other("{\"mcpServers\":{}}");
  CHECK(foreign::replace_member(other, kPlace, "1").message() == "it has no \"collet\"");
}
