#include "plugin/load/config_check.h"

#include "base/config_places.h"
#include "support/catch.h"

using namespace collet;

namespace {

// What is wrong, without the words in front; empty if nothing is.
std::string mistakes(const std::string& schema, std::string_view config, const ConfigPlaces& places = ConfigPlaces("t")) {
  const auto checked = plugin::check_config(R"({"title":"a","configSchema":)" + schema + "}", config, places.to_text());
  if (checked) return {};
  const std::string message = checked.message();
  const std::size_t line = message.find('\n');
  CHECK(message.substr(0, line) == "its config is not as its configSchema says:");
  return message.substr(line + 1);
}

std::string mistake(const std::string& property, std::string_view value) {
  return mistakes(R"({"type":"object","properties":{"k":)" + property + "}}", R"({"k":)" + std::string(value) + "}");
}

}  // namespace

TEST_CASE("a config is as its schema wants it, or there is none") {
  CHECK(plugin::check_config("", R"({"a":1})", ""));
  CHECK(plugin::check_config(R"({"title":"a"})", R"({"a":1})", ""));
  CHECK(mistakes(R"({"type":"object"})", R"({"a":1})").empty());
  CHECK(mistakes("true", "{}").empty());
}

TEST_CASE("a mistake is told in the words of the configuration's own mistakes") {
  CHECK(mistake(R"({"type":"integer"})", R"("ten")") == R"(t.k must be an integer, not "ten")");
  CHECK(mistake(R"({"type":"integer","minimum":2,"maximum":5})", "2").empty());
  CHECK(mistake(R"({"type":"integer","minimum":2,"maximum":5})", "5").empty());
  CHECK(mistake(R"({"type":"integer","minimum":2,"maximum":5})", "6") == "t.k must be an integer from 2 to 5, not 6");
  CHECK(mistake(R"({"type":"integer","minimum":2,"maximum":5})", R"("6")") == R"(t.k must be an integer from 2 to 5, not "6")");
  CHECK(mistake(R"({"minimum":2})", "1") == "t.k must be at least 2, not 1");
  CHECK(mistake(R"({"type":"number","exclusiveMaximum":2})", "2") == "t.k must be less than 2, not 2");
  CHECK(mistake(R"({"enum":["asc","desc"]})", R"("up")") == R"(t.k must be "asc" or "desc", not "up")");
  CHECK(mistake(R"({"type":["string","object","null"]})", "[1]") == "t.k must be a string or a table, not an array");
  CHECK(mistake(R"({"type":"boolean"})", "{}") == "t.k must be a boolean, not a table");
  CHECK(mistake(R"({"type":"array","items":{"type":"string"},"minItems":1})", "[]") == "t.k must have at least 1 item, not 0 items");
  CHECK(mistake(R"({"type":"array","items":{"type":"string"}})", R"(["a",1])") == "t.k[1] must be a string, not 1");
  CHECK(mistake(R"({"not":{}})", "1") != "");
}

TEST_CASE("what may be a secret is not repeated") {
  CHECK(mistake(R"({"type":"string","minLength":8,"writeOnly":true})", R"("hunter2")") == "t.k must have at least 8 characters");
}

TEST_CASE("a key that is not known is told with the one that was meant, or with those there are") {
  const std::string schema =
      R"({"type":"object","properties":{"limit":{"type":"integer"},"long name":{}},"additionalProperties":false})";
  CHECK(mistakes(schema, R"({"limt":1})") == "t.limt is not a key; did you mean limit?");
  CHECK(mistakes(schema, R"({"colour":1})") == "t.colour is not a key; known here: limit, long name");
  CHECK(mistakes(schema, R"({"lnog name":1})") == "t.\"lnog name\" is not a key; did you mean long name?");
  CHECK(mistakes(R"({"additionalProperties":false})", R"({"a":1})") == "t.a is not a key");
}

TEST_CASE("a key that is missing is told with what it is for") {
  CHECK(mistakes(R"({"properties":{"path":{"description":"where it writes"}},"required":["path","name"]})", "{}") ==
        "t.path is missing: where it writes\nt.name is missing");
}

TEST_CASE("schemas elsewhere in the document are found") {
  const std::string schema = R"({"properties":{"roots":{"type":"array","items":{"$ref":"#/$defs/root"}}},"$defs":{"root":{
    "type":"object","properties":{"name":{"type":"string"}},"additionalProperties":false}}})";
  CHECK(mistakes(schema, R"({"roots":[{"name":"a"},{"nam":"b"}]})") == "t.roots[1].nam is not a key; did you mean name?");
}

TEST_CASE("all mistakes are told at once, each with its place, in the order of the file") {
  ConfigPlaces places("plugin.a.config", "c.toml");
  places.add("", {2, 1}, {3, 1});
  places.add("/later", {5, 1}, {5, 9});
  places.add("/earlier", {4, 1}, {4, 11});
  const std::string schema = R"({"properties":{"later":{"type":"string"}},"required":["path"],"additionalProperties":false})";
  CHECK(mistakes(schema, R"({"later":1,"earlier":2})", places) ==
        "c.toml:3:1: plugin.a.config.path is missing\n"
        "c.toml:4:1: plugin.a.config.earlier is not a key; known here: later\n"
        "c.toml:5:9: plugin.a.config.later must be a string, not 1");
  CHECK(mistakes(schema, "{}", ConfigPlaces("plugin.a.config", "c.toml")) == "c.toml: plugin.a.config.path is missing");
}

TEST_CASE("so many mistakes are told, and that there are more") {
  const auto told = [](unsigned count) {
    std::string config;
    for (unsigned i = 0; i < count; ++i) config += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
    const std::string all = mistakes(R"({"additionalProperties":{"type":"string"}})", '{' + config + '}');
    return std::pair(std::count(all.begin(), all.end(), '\n'), all.find("perhaps more") != std::string::npos);
  };
  CHECK(told(limits::kConfigMistakesMax - 1) == std::pair(limits::kConfigMistakesMax - 2l, false));
  CHECK(told(limits::kConfigMistakesMax) == std::pair(limits::kConfigMistakesMax + 0l, true));  // nobody looks for one more
  CHECK(told(limits::kConfigMistakesMax + 1) == std::pair(limits::kConfigMistakesMax + 0l, true));
}

TEST_CASE("a configSchema that is none is the plugin's fault") {
  const auto checked = plugin::check_config(R"({"configSchema":{"type":"intger"}})", "{}", "");
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.message(), Catch::StartsWith("its configSchema is no good: schema "));
  CHECK_FALSE(plugin::check_config(R"({"configSchema":7})", "{}", ""));
}
