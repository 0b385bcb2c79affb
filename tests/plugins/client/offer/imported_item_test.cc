#include "client/offer/imported_item.h"

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;

TEST_CASE("an item keeps its definition byte for byte, without its name") {
  const auto tool = read_item(
      COLLET_TOOL,
      R"({ "name" : "t\u0061", "inputSchema": {"$schema":"x", "type" :"object","properties":{"n":{"const":1.50}}},"title":"T",)"
      R"("annotations":{"idempotentHint":true},"execution":{"taskSupport":"optional"}})");
  REQUIRE(tool);
  CHECK(tool->name == "ta");
  CHECK(
      tool->definition ==
      R"({"inputSchema":{"$schema":"x", "type" :"object","properties":{"n":{"const":1.50}}},"title":"T","annotations":{"idempotentHint":true}})");
  CHECK(tool->idempotent);
  CHECK(tool->tasks == TaskSupport::optional);
  CHECK(read_item(COLLET_TOOL, R"({"name":"t","execution":{"taskSupport":"required"}})")->tasks ==
        TaskSupport::required);
  CHECK(read_item(COLLET_TOOL, R"({"name":"t","execution":{"taskSupport":7}})")->tasks == TaskSupport::forbidden);
  CHECK_FALSE(*read_item(COLLET_TOOL, R"({"name":"t"})") ==
              *read_item(COLLET_TOOL, R"({"name":"t","execution":{"taskSupport":"optional"}})"));

  const auto resource = read_item(COLLET_RESOURCE, R"({"uri":"file:///a","name":"a"})");
  REQUIRE(resource);
  CHECK(resource->name == "file:///a");
  CHECK(resource->definition == R"({"name":"a"})");
  CHECK_FALSE(resource->idempotent);
  CHECK(read_item(COLLET_RESOURCE_TEMPLATE, R"({"uriTemplate":"f://{x}","name":"a"})")->name == "f://{x}");
}

TEST_CASE("what cannot be offered says why") {
  CHECK_FALSE(read_item(COLLET_TOOL, R"(7)"));
  CHECK_FALSE(read_item(COLLET_TOOL, R"({"title":"no name"})"));
  CHECK_FALSE(read_item(COLLET_TOOL, R"({"name":7})"));
  CHECK_FALSE(read_item(COLLET_TOOL,
                        R"({"name":"t","inputSchema":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}})"));
  const auto of_size = [](std::size_t size) {
    const std::string frame = R"({"description":""})";
    return R"({"name":"t","description":")" + std::string(size - frame.size(), 'd') + "\"}";
  };
  CHECK(read_item(COLLET_TOOL, of_size(limits::kDefinitionBytesMax)));
  CHECK_FALSE(read_item(COLLET_TOOL, of_size(limits::kDefinitionBytesMax + 1)));
}

TEST_CASE("a changed definition is shown by what has changed in it") {
  CHECK(
      json_diff(R"({"a":1,"b":{"type":"string","x":[1]}})", R"({"a":1,"b":{"type":"number","x":[1]},"c":true})") ==
      "/b/type: \"string\" → \"number\"\n/c: nothing → true");
  CHECK(json_diff("{}", "{}").empty());
}

TEST_CASE("a schema that is none costs the member, and the schema of arguments says that they are an object") {
  const auto definition = [](const std::string& members) {
    const auto item = read_item(COLLET_TOOL, "{\"name\":\"t\"," + members + "}");
    REQUIRE(item);
    return std::pair(item->definition, item->mended);
  };
  CHECK(definition(R"("outputSchema":null,"title":"T")") ==
        std::pair<std::string, std::string>(R"({"title":"T"})", "its outputSchema is no object and is left out"));
  CHECK(definition(R"("inputSchema":[])") ==
        std::pair<std::string, std::string>("{}", "its inputSchema is no object and is left out"));
  CHECK(definition(R"("inputSchema":{})").first == R"({"inputSchema":{"type":"object"}})");
  CHECK(definition(R"("inputSchema":{ "properties":{}})").first ==
        R"({"inputSchema":{"type":"object","properties":{}}})");
  CHECK(definition(R"("inputSchema":{"type":"object"},"outputSchema":{"anyOf":[]})").first ==
        R"({"inputSchema":{"type":"object"},"outputSchema":{"anyOf":[]}})");
}
