#include "cli/tool_text.h"

#include "cli/columns.h"
#include "support/catch.h"

using namespace collet;

namespace {

json::Document item(const std::string& definition) {
  json::Document document;
  REQUIRE_FALSE(json::parse(R"({"kind":"tool","name":"t","plugin":"p","definition":)" + definition + "}", document));
  return document;
}

}  // namespace

TEST_CASE("a tool is told with its arguments, its result and what is said of it") {
  const auto tool = item(R"({"title":"A tool","description":"Does it.\nWell.",
      "annotations":{"readOnlyHint":true,"openWorldHint":false},
      "inputSchema":{"properties":{"n":{"type":"integer","default":1,"description":"How many"}}},
      "outputSchema":{"properties":{"ok":{"type":"boolean"}},"required":["ok"]}})");
  CHECK(cli::tool_text(tool, cli::kAnyWidth) ==
        "tool         t\n"
        "title        A tool\n"
        "plugin       p\n"
        "annotations  read-only, not open-world\n"
        "description  Does it.\n"
        "             Well.\n"
        "\n"
        "arguments\n"
        "  name  type     default  description\n"
        "  n     integer  1        How many\n"
        "\n"
        "result\n"
        "  name  type     required\n"
        "  ok    boolean  yes\n");
}

TEST_CASE("a tool of which nothing is said is told, too") {
  CHECK(cli::tool_text(item("{}"), cli::kAnyWidth) == "tool         t\nplugin       p\n\narguments: none is named\n");
}

TEST_CASE("what a tool says of itself cannot forge a row") {
  const auto tool = item(R"({"description":"a\u001b[2Jb","inputSchema":{"properties":{"x\ny":{}}}})");
  const std::string text = cli::tool_text(tool, cli::kAnyWidth);
  CHECK_THAT(text, Catch::Contains("description  a\\x1b[2Jb\n"));
  CHECK_THAT(text, Catch::Contains("  x\\x0ay  any\n"));
}

TEST_CASE("as JSON a tool is its definition under its name") {
  CHECK(cli::tool_json(item(R"({"description":"D","inputSchema":{"type":"object"}})")) ==
        R"({"name":"t","description":"D","inputSchema":{"type":"object"}})");
}
