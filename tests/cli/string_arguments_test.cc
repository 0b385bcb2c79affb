#include "cli/string_arguments.h"

#include "support/catch.h"

using namespace collet;

namespace {

// One item, as a registry has it.
struct Offered {
  Offered(registry::Kind kind, std::string name, std::string definition) {
    registry::ItemDef def;
    def.kind = kind;
    def.name = std::move(name);
    def.definition = std::move(definition);
    offers = registry::examine({def});
    REQUIRE(offers->front().problem.empty());
    item = {.name = def.name, .def = &offers->front().def, .compiled = &offers->front().compiled};
  }
  registry::OffersPtr offers;
  registry::Item item;
};

Offered prompt() {
  return {registry::Kind::prompt, "p", R"({"arguments":[{"name":"a.b","required":true},{"name":"city"}]})"};
}

std::string completion(const Offered& offered, std::vector<std::string> words) {
  const auto text = cli::completion_arguments(offered.item, words);
  return text ? *text : text.message();
}

}  // namespace

TEST_CASE("a prompt's arguments are strings of these names") {
  json::Document definition;
  REQUIRE_FALSE(json::parse(prompt().item.def->definition, definition));
  CHECK(cli::prompt_schema(definition) ==
        R"({"properties":{"a.b":{"type":"string"},"city":{"type":"string"}},"required":["a.b"],"additionalProperties":false})");
}

TEST_CASE("a completion is asked for an argument, how it begins, and what the others are") {
  CHECK(completion(prompt(), {"city"}) == R"({"argument":{"name":"city","value":""}})");
  CHECK(completion(prompt(), {"city", "pa"}) == R"({"argument":{"name":"city","value":"pa"}})");
  CHECK(completion(prompt(), {"city", "a.b=1"}) ==
        R"({"argument":{"name":"city","value":""},"context":{"arguments":{"a.b":"1"}}})");
  CHECK(completion(prompt(), {"city", "a=b", "a.b=x y"}) ==
        R"({"argument":{"name":"city","value":"a=b"},"context":{"arguments":{"a.b":"x y"}}})");
  CHECK(completion(prompt(), {"city", "city"}) == R"({"argument":{"name":"city","value":"city"}})");
}

TEST_CASE("a template's variables are its arguments") {
  const Offered files(registry::Kind::resource_template, "file:///{+path}{?line,end}", R"({"name":"f"})");
  CHECK(cli::string_argument_names(files.item) == std::vector<std::string>{"path", "line", "end"});
  CHECK(completion(files, {"path", "a/", "line=3"}) ==
        R"({"argument":{"name":"path","value":"a/"},"context":{"arguments":{"line":"3"}}})");
}

TEST_CASE("what is no argument is told with what there is") {
  CHECK(completion(prompt(), {"ctiy"}) == "there is no argument ctiy; did you mean city?");
  CHECK(completion(prompt(), {"something"}) == "there is no argument something; say a.b or city");
  CHECK(completion(prompt(), {"city", "pa", "ctiy=1"}) == "there is no argument ctiy; did you mean city?");
  CHECK(completion({registry::Kind::prompt, "p", "{}"}, {"city"}) == "there is no argument city");
}
