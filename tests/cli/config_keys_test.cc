#include "cli/config_keys.h"

#include <variant>

#include "config/document.h"
#include "support/catch.h"

using namespace collet;
using cli::config_keys;

namespace {

std::vector<cli::ConfigKey> keys_of(const std::string& properties, const std::string& more = "") {
  return config_keys(R"({"configSchema":{"type":"object","properties":{)" + properties + "}" + more + "}}");
}

std::string toml_of(const std::string& properties, const std::string& more = "") {
  const std::string toml = cli::to_toml("a", keys_of(properties, more));
  INFO(toml);
  CHECK(std::holds_alternative<config::Value>(config::parse_document(toml)));
  constexpr std::string_view kHead = "[plugin.a.config]\n";
  CHECK(toml.starts_with(kHead));
  return toml.substr(kHead.size());
}

}  // namespace

TEST_CASE("a key that is needed can be filled in, one with a default shows it, any other shows how it would look") {
  CHECK(toml_of(R"("k":{"type":"string"})", R"(,"required":["k"])") == "# a string, needed\nk = \"\"\n");
  CHECK(toml_of(R"("k":{"type":"integer","minimum":2})", R"(,"required":["k"])") == "# an integer of at least 2, needed\nk = 2\n");
  CHECK(toml_of(R"("k":{"type":"boolean","default":true})") == "# a boolean\n#k = true\n");
  CHECK(toml_of(R"("k":{"enum":["asc","desc"]})") == "# \"asc\" or \"desc\"\n#   k = \"asc\"\n");
  CHECK(toml_of(R"("k":{"type":"array","examples":[["a"]]})") == "# an array\n#   k = [\"a\"]\n");
  CHECK(toml_of(R"("a b":{})", R"(,"required":["a b"])") == "# any value, needed\n\"a b\" = \"\"\n");
}

TEST_CASE("defaults are written in TOML, which has no null") {
  CHECK(toml_of(R"("k":{"default":{"a":[1,"x"],"b c":null,"d":0.5}})") == "# any value\n#k = { a = [1, \"x\"], d = 0.5 }\n");
  CHECK(toml_of(R"("k":{"type":["string","null"],"default":null})") == "# a string\n#   k = \"\"\n");
}

TEST_CASE("a description cannot leave its comment") {
  CHECK(toml_of(R"("k":{"description":"one\ntwo = 2\r\n[three]","default":1})") ==
        "# one\n# two = 2\n# [three]\n# any value\n#k = 1\n");
}

TEST_CASE("the keys of tables are told, also where they are referred to") {
  const std::string root = R"("roots":{"type":"array","items":{"$ref":"#/$defs/root"}})";
  const std::string more = R"(,"required":["roots"],"$defs":{"root":{"type":"object","required":["path"],"properties":{
    "path":{"type":"string","description":"Where it is"},"writable":{"type":"boolean","default":false}}}})";
  CHECK(toml_of(root, more) ==
        "# an array of tables, needed\n"
        "#   path: a string, needed: Where it is\n"
        "#   writable: a boolean, default false\n"
        "roots = [{ path = \"\" }]\n");
  CHECK(keys_of(root, more).at(0).inner.size() == 2);
}

TEST_CASE("a schema that refers to itself is told so deep and no deeper") {
  CHECK(keys_of(R"("in":{"$ref":"#"})").size() == 1);
}

TEST_CASE("so many keys are told, and no more, however often a schema refers to itself") {
  const auto properties = [](unsigned count, const std::string& each) {
    std::string all;
    for (unsigned i = 0; i < count; ++i) all += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":" + each;
    return all;
  };
  CHECK(keys_of(properties(cli::kConfigKeysMax, "{}")).size() == cli::kConfigKeysMax);
  CHECK(keys_of(properties(cli::kConfigKeysMax + 1, "{}")).size() == cli::kConfigKeysMax);
  CHECK(keys_of(properties(100, R"({"$ref":"#"})")).size() <= 100);  // 10,000,000,000 in all
}

TEST_CASE("a plugin that states no keys has none") {
  CHECK(config_keys("").empty());
  CHECK(config_keys(R"({"title":"a"})").empty());
  CHECK(config_keys(R"({"configSchema":true})").empty());
}
