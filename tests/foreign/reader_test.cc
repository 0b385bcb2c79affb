#include "foreign/reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "config/config.h"
#include "support/catch.h"

using namespace collet;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

foreign::Findings found(std::string_view text, const fs::path& file = "a.json") {
  auto findings = foreign::read_remotes(text, file, "/srv/project");
  INFO((findings ? "" : findings.message()));
  REQUIRE(findings.ok());
  return *std::move(findings);
}

foreign::Remote only(std::string_view server) {
  const foreign::Findings findings = found(fmt::format(R"({{"mcpServers":{{"a":{}}}}})", server));
  INFO((findings.left_out.empty() ? "" : findings.left_out.front().message));
  REQUIRE(findings.remotes.size() == 1);
  return findings.remotes.front();
}

std::string refusal(std::string_view text, const fs::path& file = "a.json") {
  const auto findings = foreign::read_remotes(text, file);
  return findings ? "accepted" : findings.message();
}

// Why that one server is left out.
std::string left_out(std::string_view server) {
  const foreign::Findings findings = found(fmt::format(R"({{"mcpServers":{{"a":{}}}}})", server));
  CHECK(findings.remotes.empty());
  REQUIRE(findings.left_out.size() == 1);
  return findings.left_out.front().message;
}

std::string listed(const char* what, const std::vector<config::Problem>& problems) {
  std::string out;
  for (const auto& [at, message] : problems)
    out += fmt::format("# {} {}:{}: {}\n", what, at.line, at.column, message);
  return out;
}

std::string described(const foreign::Findings& findings) {
  std::string out;
  for (const foreign::Remote& remote : findings.remotes) out += to_toml(remote, foreign::Secrets::shown) + "\n";
  out += listed("note", findings.notes) + listed("left out", findings.left_out);
  for (const foreign::Remote& remote : findings.remotes) {
    for (const std::string& variable : remote.needs) out += fmt::format("# needs {}: {}\n", remote.name, variable);
  }
  return out;
}

std::string many_inputs(unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i) text += fmt::format(R"({}{{"id":"{}"}})", i ? "," : "", i);
  return R"({"servers":{},"inputs":[)" + text + "]}";
}

std::string many_servers(unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i) text += fmt::format(R"({}"s{}":{{"command":"x"}})", i ? "," : "", i);
  return R"({"mcpServers":{)" + text + "}}";
}

}  // namespace

TEST_CASE("what each client's file says is taken over, and the rest reported, as the samples expect") {
  unsigned samples = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(COLLET_SOURCE_DIR) / "tests/foreign/samples")) {
    if (entry.path().extension() == ".expected") continue;
    ++samples;
    const fs::path expected = fs::path(entry.path()).replace_extension(".expected");
    INFO(entry.path());
    const foreign::Findings findings = found(contents(entry.path()), entry.path());
    CHECK(described(findings) == contents(expected));
    std::string tables;
    for (const foreign::Remote& remote : findings.remotes) tables += to_toml(remote, foreign::Secrets::shown);
    const auto config = config::parse(tables, "collet.toml");
    INFO((config ? "" : config.message()));
    CHECK((config && config->remote.size() == findings.remotes.size()));
  }
  CHECK(samples == 13);
}

TEST_CASE("the format follows from the name of the file, else from its first character") {
  CHECK(found("[mcp_servers.a]\ncommand = 'x'", "config").remotes.size() == 1);
  CHECK(found("// c\n{\"servers\":{\"a\":{\"command\":\"x\"}}}", "config").remotes.size() == 1);
  CHECK(found("\xef\xbb\xbf{\"servers\":{\"a\":{\"command\":\"x\"}}}", "config").remotes.size() == 1);
  CHECK_THAT(refusal("[mcp_servers.a]\n"), Catch::StartsWith("a.json:1:2: not JSON: "));
  CHECK_THAT(refusal("a = {", "dir/b.toml"), Catch::StartsWith("dir/b.toml:1:"));
  CHECK_THAT(refusal("mcpServers:\n  - name: x\n", "config.yaml"), Catch::StartsWith("config.yaml:1:"));
}

TEST_CASE("a file without servers says where they were looked for") {
  CHECK_THAT(refusal("{}"),
             Catch::StartsWith("cannot import a.json: there are no MCP servers in it: none of mcpServers"));
  CHECK_THAT(refusal("", "a.toml"), Catch::Contains("mcp_servers (Codex)"));
  CHECK(found(R"({"mcpServers":{}})").remotes.empty());
  CHECK(listed("", found(R"({"mcpServers":"x"})").left_out) == "#  1:15: the servers must be a table\n");
}

TEST_CASE("${workspaceFolder} is the folder of the file, or above it if that is hidden") {
  const auto folder_by = [](const fs::path& file) {
    const auto findings = foreign::read_remotes(R"({"servers":{"a":{"command":"${workspaceFolder}"}}})", file);
    REQUIRE(findings.ok());
    return findings->remotes.front().command;
  };
  CHECK(folder_by("/srv/project/.vscode/mcp.json") == "/srv/project");
  CHECK(folder_by("/srv/project/.mcp.json") == "/srv/project");
  CHECK(folder_by(".mcp.json") == fs::current_path());
  CHECK(folder_by("/srv/${x}/.mcp.json") == "/srv/${dollar}{x}");
}

TEST_CASE("references become ours, and what is none is refused") {
  const auto argument = [](std::string_view text) {
    return only(fmt::format(R"({{"command":"x","args":["{}"]}})", text)).args.front();
  };
  CHECK(argument("${A}${B:-}-${env:C:-d e}") == "${env:A}${env:B:-}-${env:C:-d e}");
  CHECK(argument("$$${A}}") == "$$${env:A}}");
  CHECK(argument("${A") == "${A");
  CHECK(argument("a${/}b${pathSeparator}c") == "a/b/c");
  for (const char* bad : {"${}", "${A B}", "${1}", "${env:}", "${{ secrets.X }}", "${A:-${B}}", "${A:-${A}}",
                          "${input:A}", "${config:a.b}", "${:-x}"}) {
    CHECK_THAT(left_out(fmt::format(R"({{"command":"{}"}})", bad)), Catch::StartsWith("a: command: ${"));
  }
}

TEST_CASE("an input's default that refers to inputs is no endless story") {
  const foreign::Findings findings = found(
      R"({"inputs":[{"id":"a","default":"${input:b}"},{"id":"b","default":"${input:a}"},{"id":"A"},{"id":3},7],
          "servers":{"s":{"command":"x","args":["${input:a}","${input:b}","${input:A}"]}}})");
  REQUIRE(findings.remotes.size() == 1);
  CHECK(findings.remotes[0].args == std::vector<std::string>{"${env:A}", "${env:B}", "${env:A_}"});
}

TEST_CASE("long texts take time by their length only") {
  std::string references;
  for (unsigned i = 0; i < 50'000; ++i) references += "${";
  const foreign::Findings good = found("[mcp_servers.a]\nurl = 'http://h/?" + std::string(500'000, '&') +
                                           "'\nhttp_headers = { A = '" + references + "' }",
                                       "a.toml");
  REQUIRE(good.remotes.size() == 1);
  CHECK(good.remotes[0].headers[0].second.size() == 50'000 * std::string_view("${dollar}{").size());
  CHECK(summary(good.remotes[0]).size() > 500'000);
}

TEST_CASE("a server that is not as it should be is left out, with the reason, and the others are taken") {
  CHECK(left_out("7") == "a: a server must be a table, not an integer");
  CHECK(left_out("{}") == "a: remote.a.url: set either url or command");
  CHECK(left_out(R"({"command":"x","url":"http://h"})") == "a: remote.a.url: set either url or command");
  CHECK(left_out(R"({"command":[]})") == "a: command is empty");
  CHECK(left_out(R"({"command":"x","args":"y"})") == "a: args must be a list, not a string");
  CHECK(left_out(R"({"command":"x","args":[{}]})") == "a: args must be a string, not a table");
  CHECK(left_out(R"({"command":"x","env":["y"]})") == "a: env must be a table, not an array");
  CHECK(left_out(R"({"command":"x","env":{"":"y"}})") == "a: env has a name that is empty or holds a NUL");
  CHECK(left_out(R"({"command":"x\u0000y"})") == "a: command holds a NUL");
  CHECK(left_out(R"({"url":"http://h","headers":{"A":"1"},"env_http_headers":{"A":"B"}})").starts_with("a: "));
  CHECK(left_out(R"({"type":"ws","url":"wss://h"})") ==
        "a: type \"ws\" is not known; Collet speaks stdio, http and sse");
  CHECK(left_out(R"({"url":"ftp://h"})") == "a: remote.a.url must be an http:// or https:// URL");
  CHECK(left_out(R"({"command":"x","enabled":"yes"})") == "a: enabled must be true or false");
  CHECK(left_out(R"({"url":"http://h","bearer_token_env_var":"a b"})") ==
        "a: bearer_token_env_var must be the name of an environment variable");
  const auto both = found(R"({"mcpServers":{"bad":1,"good":{"command":"x"}}})");
  CHECK(both.remotes.size() == 1);
  CHECK(both.left_out.size() == 1);
}

TEST_CASE("what is not JSON is told with its place") {
  CHECK(refusal("{\n  \"a\": 1,\n  b}").starts_with("a.json:3:3: not JSON: "));
  CHECK(refusal("{} /* no end") == "a.json:1:4: a comment that does not end");
  CHECK(refusal("[]") == "a.json:1:1: not a JSON object");
  CHECK(refusal("") == "a.json:1:1: not JSON: The document is empty");
  CHECK(refusal(std::string("{\"a\":\0}", 7)) == "a.json:1:6: not JSON: NUL byte");
  CHECK(refusal("{\"a\":1,\n\"a\":2}") == "a.json:2:1: \"a\" is there twice");
  CHECK(refusal("{\"\xc3\xa4\": [null]}") == "a.json:1:8: a list must not hold null");
  CHECK(refusal("{\"a\": \"\xff\"}").starts_with("a.json:1:1: not JSON: not valid UTF-8"));
}

TEST_CASE("nesting has a limit") {
  const auto nested = [](unsigned depth) {
    return R"({"mcpServers":{},"x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  CHECK(refusal(nested(limits::kJsonDepthMax)) == "accepted");
  CHECK_THAT(refusal(nested(limits::kJsonDepthMax + 1)), Catch::Contains("nested too deeply"));
  CHECK_THAT(refusal(nested(1'000'000)), Catch::Contains("nested too deeply"));
}

TEST_CASE("the numbers of servers and inputs have a limit") {
  CHECK(refusal(many_inputs(limits::kForeignRemotesMax)) == "accepted");
  CHECK_THAT(refusal(many_inputs(limits::kForeignRemotesMax + 1)),
             Catch::Contains("more than 1000 servers or inputs"));
  CHECK(found(many_servers(limits::kForeignRemotesMax)).remotes.size() == limits::kForeignRemotesMax);
  CHECK_THAT(refusal(many_servers(limits::kForeignRemotesMax + 1)), Catch::Contains("more than 1000 servers"));
}
