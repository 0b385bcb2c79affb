// What holds every message of these tests against its schema can refuse one. Passes where there are no schemas.
#include "support/wire_schema.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

// Why the schema refuses the answer to that request, in that revision.
std::string refused(std::string_view revision, std::string_view request, std::string_view answer) {
  Conversation conversation(revision);
  conversation.client_sent(request);
  return conversation.server_sent(answer);
}

constexpr std::string_view kModernCall =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call",)"
    R"("params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})";
constexpr std::string_view kLegacyCall = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}})";

}  // namespace

TEST_CASE("an answer is refused that its request's result is not like") {
  if (!WireSchema::is_there()) return;
  CHECK(refused("2025-11-25", kLegacyCall, R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})") == "");
  CHECK(refused("2025-11-25", kLegacyCall, R"({"jsonrpc":"2.0","id":1,"result":{"contents":[]}})") ==
        "CallToolResult of 2025-11-25 refuses it:\n"
        "(root) [required] must have property \"content\", got only \"contents\"\n"
        R"({"jsonrpc":"2.0","id":1,"result":{"contents":[]}})");
  const std::string link =
      R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource_link","uri":"x:","name":"n"}]}})";
  CHECK(refused("2025-06-18", kLegacyCall, link) == "");
  CHECK(refused("2025-03-26", kLegacyCall, link) != "");
  CHECK(refused("2025-11-25", kModernCall, R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})") != "");
  CHECK(refused("", kModernCall, R"({"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}})") ==
        "");
  CHECK(refused("", kModernCall,
                R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{}}}})") !=
        "");
}

TEST_CASE("a result is refused to a request that its revision does not have") {
  if (!WireSchema::is_there()) return;
  const std::string_view ping = R"({"jsonrpc":"2.0","id":"a","method":"ping"})";
  const std::string_view pong = R"({"jsonrpc":"2.0","id":"a","result":{}})";
  CHECK(refused("2025-11-25", ping, pong) == "");
  CHECK(refused("2026-07-28", ping, pong) != "");
}

TEST_CASE("an error is refused that lacks what its code promises") {
  if (!WireSchema::is_there()) return;
  const auto error = [](std::string inner) { return R"({"jsonrpc":"2.0","id":1,"error":{)" + inner + "}}"; };
  CHECK(refused("", kModernCall, error(R"("code":-32022,"message":"m","data":{"supported":[],"requested":"x"})")) ==
        "");
  CHECK(refused("", kModernCall, error(R"("code":-32022,"message":"m")")) != "");
  CHECK(refused("", kModernCall, error(R"("code":-32602)")) != "");
  CHECK(refused("2024-11-05", kLegacyCall, error(R"("code":"-32602","message":"m")")) != "");
  CHECK(refused("2024-11-05", "?", R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}})") == "");
}

TEST_CASE("a server sends the requests and notifications of its revision, and no others") {
  if (!WireSchema::is_there()) return;
  const std::string_view question =
      R"({"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}})";
  CHECK(Conversation("2025-06-18").server_sent(question) == "");
  CHECK(Conversation("2025-03-26").server_sent(question) != "");
  CHECK(Conversation("2026-07-28").server_sent(question) != "");
  const std::string_view progress =
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":"much"}})";
  CHECK(Conversation("2025-06-18").server_sent(progress) != "");
  CHECK(Conversation("2025-06-18").server_sent(R"({"jsonrpc":"2.0","method":"notifications/initialized"})") != "");
  CHECK(Conversation("2025-06-18").server_sent("{") != "");
  CHECK(Conversation("2025-06-18").server_sent("[]") != "");
  CHECK(Conversation("2025-03-26").server_sent(R"([{"jsonrpc":"2.0","id":1,"result":{}}])") == "");
  CHECK(Conversation("2025-03-26").server_sent(R"([{"jsonrpc":"2.0","id":1}])") != "");
}

TEST_CASE("a revision's own examples fit its schema") {
  namespace fs = std::filesystem;
  if (!WireSchema::is_there()) return;
  const char* named = std::getenv("COLLET_MCP_SCHEMA_DIR");
  const fs::path folder = fs::path(named ? named : COLLET_MCP_SCHEMA_DIR) / "2026-07-28/examples";
  for (const auto& example : fs::recursive_directory_iterator(folder)) {
    if (!example.is_regular_file()) continue;
    std::ifstream in(example.path());
    json::Document document;
    REQUIRE_FALSE(json::parse(std::string(std::istreambuf_iterator<char>(in), {}), document));
    INFO(example.path());
    CHECK(WireSchema::of("2026-07-28")->check(example.path().parent_path().filename().string(), document) == "");
  }
}
