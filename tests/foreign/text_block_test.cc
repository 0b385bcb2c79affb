#include "foreign/text_block.h"

#include <string>

#include "support/catch.h"

using namespace collet;

namespace {

template <class Remove>
std::string left(Remove&& remove, std::string text, const foreign::MemberPlace& place) {
  const std::optional<foreign::Edit> edit = remove(text, place);
  return edit ? text.erase(edit->at, edit->removed) : "not there";
}

std::string left_of_toml(const std::string& text) {
  return left(foreign::remove_toml_table, text, {{"mcp_servers"}, "collet"});
}
std::string left_of_yaml(const std::string& text) {
  return left(foreign::remove_yaml_member, text, {{"extensions"}, "collet"});
}

}  // namespace

TEST_CASE("a server's table in TOML is taken out with what belongs to it") {
  CHECK(left_of_toml(
            "a = 1\n[mcp_servers.collet]\ncommand = 'x'\n[mcp_servers.collet.env]\nK = 'v'\n[mcp_servers.b]\n") ==
        "a = 1\n[mcp_servers.b]\n");
  CHECK(left_of_toml("[mcp_servers.\"collet\"]\ncommand = 'x'\n") == "");
  CHECK(left_of_toml("[mcp_servers.collet]\ncommand = 'x'\n\n# of b\n[b]\n") == "# of b\n[b]\n");
  CHECK(left_of_toml("[mcp_servers.collet2]\ncommand = 'x'\n") == "not there");
  CHECK(left_of_toml("[mcp_servers.collet]\nx = '''\n[other]\n'''\n") == "not there");
}

TEST_CASE("a server's lines in YAML are taken out, however deep they stand") {
  CHECK(left_of_yaml(
            "extensions:\n  a:\n    x: 1\n  collet:\n    cmd: x\n    args:\n    - y\n\n  # c\n  z: {}\nb: 1\n") ==
        "extensions:\n  a:\n    x: 1\n  # c\n  z: {}\nb: 1\n");
  CHECK(left_of_yaml("extensions:\n    \"collet\":\n        cmd: x\n") == "extensions:\n");
  CHECK(left_of_yaml("other:\n  collet:\n    cmd: x\nextensions: {collet: 1}\n") == "not there");
}
