#include "foreign/client_config.h"

#include "foreign/client.h"
#include "foreign/reader.h"
#include "support/catch.h"

using namespace collet;

namespace {

const char* file_for(const std::string& client) {
  if (client == "codex") return "config.toml";
  return client == "goose" || client == "continue" ? "config.yaml" : "a.json";
}

foreign::Remote imported(const std::string& client, const foreign::Endpoint& endpoint) {
  INFO(client);
  const auto made = foreign::client_config(client, endpoint);
  REQUIRE(made.ok());
  const auto findings =
      foreign::read_remotes(made->text, {.file = file_for(client), .client = foreign::find_client(client)});
  INFO(made->text << (findings ? "" : findings.message()));
  REQUIRE(findings.ok());
  CHECK(findings->left_out.empty());
  CHECK(findings->notes.size() == (client == "vscode" && endpoint.needs_token ? 1 : 0));
  REQUIRE(findings->remotes.size() == 1);
  return findings->remotes.front();
}

}  // namespace

TEST_CASE("what a client is given to start us is imported as the same command") {
  const foreign::Endpoint endpoint{
      "my \"collet\"", "", false, "/opt/a b/collet", {"stdio", "--config", "/etc/\\c\x7f.toml"}};
  CHECK(foreign::clients().size() == 19);
  for (const foreign::Client& each : foreign::clients()) {
    const std::string client(each.name);
    foreign::Endpoint named = endpoint;
    named.name = "mine";
    const foreign::Remote remote = imported(client, named);
    CHECK(remote.name == "mine");
    CHECK(remote.command == endpoint.command);
    CHECK(remote.args == endpoint.args);
    CHECK(remote.url.empty());
    CHECK(foreign::client_config(client, endpoint).ok());
  }
}

TEST_CASE("what a client is given to connect to us is imported as the same URL and token") {
  const foreign::Endpoint endpoint{"collet", "https://mcp.example.org:8443/mcp", true, "", {}};
  for (const foreign::Client& each : foreign::clients()) {
    const std::string client(each.name);
    INFO(client);
    CHECK(foreign::is_stdio_only(client) == (client == "claude-desktop"));
    if (foreign::is_stdio_only(client)) {
      CHECK_THAT(foreign::client_config(client, endpoint).message(), Catch::Contains("--stdio"));
      continue;
    }
    const foreign::Remote remote = imported(client, endpoint);
    CHECK(remote.url == endpoint.url);
    CHECK(remote.command.empty());
    const bool has_variables =
        client != "cline" && client != "inspector" && client != "lm-studio" && client != "zed";
    const char* token = has_variables ? "Bearer ${env:COLLET_TOKEN}" : "Bearer <token>";
    CHECK(remote.headers == foreign::Pairs{{"Authorization", token}});
    foreign::Endpoint open = endpoint;
    open.needs_token = false;
    CHECK(imported(client, open).headers.empty());
  }
}

TEST_CASE("the text is what people would have written") {
  const foreign::Endpoint endpoint{"collet", "http://127.0.0.1:8765/mcp", true, "", {}};
  CHECK(foreign::client_config("claude", endpoint)->text == R"({
  "mcpServers": {
    "collet": {
      "type": "http",
      "url": "http://127.0.0.1:8765/mcp",
      "headers": {
        "Authorization": "Bearer ${COLLET_TOKEN}"
      }
    }
  }
}
)");
  CHECK(foreign::client_config("codex", endpoint)->text ==
        "[mcp_servers.collet]\nurl = \"http://127.0.0.1:8765/mcp\"\nbearer_token_env_var = \"COLLET_TOKEN\"\n");
}
