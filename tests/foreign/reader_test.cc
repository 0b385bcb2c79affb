#include "foreign/reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "config/config.h"
#include "support/catch.h"
#include "support/contents.h"

using namespace collet;
using test::contents;
namespace fs = std::filesystem;

namespace {

foreign::Findings found(std::string_view text, const fs::path& file = "a.json") {
  auto findings = foreign::read_remotes(text, {.file = file, .workspace = "/srv/project"});
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
  const auto findings = foreign::read_remotes(text, {.file = file});
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
  CHECK(samples == 20);
}

TEST_CASE("the format follows from the name of the file, else from its first character") {
  CHECK(found("[mcp_servers.a]\ncommand = 'x'", "config").remotes.size() == 1);
  CHECK(found("// c\n{\"servers\":{\"a\":{\"command\":\"x\"}}}", "config").remotes.size() == 1);
  CHECK(found("\xef\xbb\xbf{\"servers\":{\"a\":{\"command\":\"x\"}}}", "config").remotes.size() == 1);
  CHECK_THAT(refusal("[mcp_servers.a]\n"), Catch::StartsWith("a.json:1:1: not a JSON object"));
  CHECK_THAT(refusal("a = {", "dir/b.toml"), Catch::StartsWith("dir/b.toml:1:"));
  CHECK_THAT(refusal("mcpServers:\n  - name: [\n", "config.yaml"),
             Catch::StartsWith("config.yaml:3:1: not YAML: "));
}

TEST_CASE("a file without servers says where they were looked for") {
  CHECK_THAT(refusal("{}"),
             Catch::StartsWith("cannot import a.json: there are no MCP servers in it: none of mcpServers"));
  CHECK_THAT(refusal("", "a.toml"), Catch::Contains("mcp_servers (Codex)"));
  CHECK(listed("", found("{\n\"mcpServers\":{}}").notes) == "#  2:14: there are no servers in it\n");
  CHECK(listed("", found(R"({"mcpServers":"x"})").left_out) == "#  1:15: the servers must be a table\n");
}

TEST_CASE("${workspaceFolder} is the folder of the file, or above it if that is hidden") {
  const auto folder_by = [](const fs::path& file) {
    const auto findings =
        foreign::read_remotes(R"({"servers":{"a":{"command":"${workspaceFolder}"}}})", {.file = file});
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
  CHECK(argument("a${{ secrets.X_1 }}b") == "a${env:X_1}b");
  CHECK(argument("${A") == "${A");
  CHECK(argument("a${/}b${pathSeparator}c") == "a/b/c");
  for (const char* bad : {"${}", "${A B}", "${1}", "${env:}", "${{ inputs.X }}", "${A:-${B}}", "${A:-${A}}",
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
  CHECK(left_out(R"({"command":"x","args":[{}]})") == "a: args must be a string, not null or an empty table");
  CHECK(left_out(R"({"command":"x","env":{"K":["y"]}})") == "a: env.K must be a string, not an array");
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

TEST_CASE("headers that Collet sets itself are left out, with a note") {
  const foreign::Findings findings = found(
      R"({"mcpServers":{"a":{"url":"http://h","headers":{"content-type":"application/json","Accept":"*/*","X-Team":"7"}}}})");
  REQUIRE(findings.remotes.size() == 1);
  CHECK(findings.remotes.front().headers == foreign::Pairs{{"X-Team", "7"}});
  REQUIRE(findings.notes.size() == 2);
  CHECK(findings.notes.front().message == "a: headers.content-type is not taken over: Collet sets it itself");
}

TEST_CASE("what is not JSON is told with its place") {
  CHECK(refusal("{\n  \"a\": 1,\n  b}").starts_with("a.json:3:3: not JSON: "));
  CHECK(refusal("{} /* no end") == "a.json:1:4: a comment that does not end");
  CHECK(refusal("[]") == "a.json:1:1: not a JSON object");
  CHECK(refusal("") == "a.json:1:1: not JSON: the document is empty");
  CHECK(refusal(std::string("{\"a\":\0}", 7)) == "a.json:1:6: not JSON: NUL byte");
  CHECK(refusal("{\"mcp\": \"\xff\"}").starts_with("a.json:1:10: not JSON: not valid UTF-8"));
}

TEST_CASE("nesting has a limit") {
  const auto nested = [](unsigned depth) {
    return R"({"mcpServers":{},"mcp":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
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

TEST_CASE("a server that was added in a hundred projects is one") {
  std::string projects;
  for (unsigned i = 0; i < 2 * limits::kForeignRemotesMax; ++i) {
    projects +=
        fmt::format(R"({}"/home/ada/p{}":{{"history":[null,null],"mcpServers":{{"docs":{{"command":"x"}}}}}})",
                    i ? "," : "", i);
  }
  const foreign::Findings findings = found(R"({"projects":{)" + projects + "}}");
  CHECK(findings.left_out.empty());
  REQUIRE(findings.remotes.size() == 1);
  CHECK(findings.remotes[0].name == "docs");
}

TEST_CASE("UTF-16 is read, with a mark or without, split at any byte") {
  const std::string_view text = "{\"mcpServers\":\n{\"\xf0\x9f\x98\x80 \xc3\xa4\":{\"command\":\"\xe2\x82\xac\"}}}";
  for (const bool is_little : {true, false}) {
    for (const bool is_marked : {true, false}) {
      std::string bytes;
      const auto add = [&](unsigned unit) {
        const char low = static_cast<char>(unit & 0xff), high = static_cast<char>(unit >> 8);
        bytes += is_little ? low : high;
        bytes += is_little ? high : low;
      };
      if (is_marked) add(0xfeff);
      for (const char16_t unit :
           std::u16string(u"{\"mcpServers\":\n{\"\xd83d\xde00 \u00e4\":{\"command\":\"\u20ac\"}}}"))
        add(unit);
      for (std::size_t split = 1; split < bytes.size(); ++split) {
        std::size_t at = 0;
        foreign::Source source([&](char* to, std::size_t room) -> Result<std::size_t> {
          const std::size_t end = at < split ? split : bytes.size();
          const std::size_t count = std::string_view(bytes).substr(at, end - at).copy(to, room);
          at += count;
          return count;
        });
        const auto findings = foreign::read_remotes(source, {.file = "a.json"});
        INFO(split << (findings ? "" : findings.message()));
        REQUIRE(findings.ok());
        REQUIRE(findings->remotes.size() == 1);
        CHECK(findings->remotes[0].command == "\xe2\x82\xac");
        CHECK(findings->remotes[0].at.line == 2);
        CHECK(findings->remotes[0].at.column == 8);
      }
    }
  }
  CHECK(found(text).remotes[0].at.column == 8);
}

TEST_CASE("what UTF-16 must not have becomes U+FFFD") {
  const std::string_view text(
      "{\0\"\0s\0e\0r\0v\0e\0r\0s\0\"\0:\0{\0\"\0a\0\"\0:\0{\0\"\0c\0o\0m\0m\0a\0n\0d\0\"\0:\0\"\0\0\xd8\"\0}\0}\0}"
      "\0",
      66);
  const foreign::Findings findings = found(text);
  REQUIRE(findings.remotes.size() == 1);
  CHECK(findings.remotes[0].command == "\xef\xbf\xbd");
}

TEST_CASE("who counts in seconds and who in milliseconds is known") {
  const auto timeout = [](const char* client, std::string_view given) {
    const auto findings =
        foreign::read_remotes(fmt::format(R"({{"mcpServers":{{"a":{{"command":"x","timeout":{}}}}}}})", given),
                              {.file = "a.json", .client = foreign::find_client(client)});
    return findings->remotes.at(0).timeout_ms.value_or(0);
  };
  CHECK(timeout("cline", "60") == 60'000);
  CHECK(timeout("gemini", "5000") == 5'000);
  CHECK(timeout("gemini", "30") == 0);
  CHECK(timeout("claude", "2000") == 2'000);
  CHECK(timeout("cursor", "1800") == 0);
  CHECK(timeout("cursor", "60000") == 60'000);
}

TEST_CASE("the client is told by where a file lies") {
  const auto name = [](const char* file) {
    const foreign::Client* client = foreign::client_of(file);
    return client ? client->name : "none";
  };
  CHECK(name("/home/ada/.gemini/settings.json") == "gemini");
  CHECK(name("/home/ada/.qwen/settings.json") == "qwen");
  CHECK(name("/home/ada/.claude.json") == "claude");
  CHECK(name("/srv/project/.mcp.json") == "claude");
  CHECK(name("/home/ada/.config/opencode/opencode.jsonc") == "opencode");
  CHECK(name("/srv/project/.continue/mcpServers/a.yaml") == "continue");
  CHECK(name("/home/ada/.codex/config.toml") == "codex");
  CHECK(name("/srv/settings.json") == "none");
}

TEST_CASE("of a server that is there twice the last is taken, and the other told") {
  const foreign::Findings findings = found(
      "{\"mcpServers\":{\n\"a\":{\"command\":\"x\"},\n\"b\":{\"command\":\"y\"},\n\"a\":{\"command\":\"z\"}}}");
  REQUIRE(findings.remotes.size() == 2);
  CHECK(findings.remotes[0].command == "z");
  CHECK(listed("", findings.left_out) == "#  2:1: \"a\" is there twice, and this one does not count\n");
}

TEST_CASE("a whole line as the command, and cmd of Windows, become programs that can be run") {
  CHECK(only(R"({"command":"npx -y @x/y --flag"})").args == std::vector<std::string>{"-y", "@x/y", "--flag"});
  CHECK(only(R"({"command":"npx -y @x/y --flag"})").command == "npx");
  CHECK(only(R"({"command":"/opt/a b/run"})").command == "/opt/a b/run");
  CHECK(only(R"({"command":"a b","args":["c"]})").command == "a b");
  CHECK(only(R"({"command":"a 'b c'"})").command == "a 'b c'");
  const foreign::Remote remote = only(R"({"command":"cmd","args":["/c","npx","-y","x"]})");
  CHECK(remote.command == "npx");
  CHECK(remote.args == std::vector<std::string>{"-y", "x"});
}

TEST_CASE("a null in a list costs its own server only") {
  for (const auto& [text, file] :
       {std::pair(R"({"mcpServers":{"a":{"command":"x","args":[null]},"b":{"command":"y"}}})", "a.json"),
        std::pair("mcpServers:\n  a:\n    command: x\n    args: [~]\n  b:\n    command: y\n", "a.yaml")}) {
    const foreign::Findings findings = found(text, file);
    REQUIRE(findings.remotes.size() == 1);
    CHECK(findings.remotes.front().name == "b");
    REQUIRE(findings.left_out.size() == 1);
    CHECK(findings.left_out.front().message == "a: args must be a string, not null or an empty table");
  }
}

TEST_CASE("a file whose name says nothing is read as its client has it, or as it looks") {
  const std::string_view text = "# mine\nextensions:\n  a:\n    cmd: x\n    type: stdio\n";
  const auto by_client =
      foreign::read_remotes(text, {.file = "saved", .client = foreign::find_client("goose")});
  REQUIRE(by_client.ok());
  CHECK(by_client->remotes.size() == 1);
  CHECK(found(text, "saved").remotes.size() == 1);
  CHECK(found("# mine\nmodel = \"a: b\"\n[mcp_servers.a]\ncommand = \"x\"\n", "saved").remotes.size() == 1);
}
