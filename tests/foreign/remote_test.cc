#include "foreign/remote.h"

#include "config/config.h"
#include "support/catch.h"

using namespace collet;

namespace {

foreign::Remote command_of(std::vector<std::string> args) {
  foreign::Remote remote;
  remote.name = "a";
  remote.command = "run";
  remote.args = std::move(args);
  return remote;
}

foreign::Remote url_of(std::string url) {
  foreign::Remote remote;
  remote.name = "a";
  remote.url = std::move(url);
  return remote;
}

}  // namespace

TEST_CASE("TOML that is written comes back as it was, whatever the texts are") {
  foreign::Remote remote = command_of({"", "\"", "\\", "\n\t\x1b\x7f", "ä€😀", "'''", "${env:A}"});
  remote.env = {{"with.dot", "1"}, {"with \"quotes\"", "2"}};
  const auto config = config::parse(to_toml(remote, foreign::Secrets::shown), "collet.toml");
  INFO((config ? "" : config.message()));
  REQUIRE(config.ok());
  CHECK(
      config->remote.front().json ==
      "{\"name\":\"a\",\"command\":\"run\",\"args\":[\"\",\"\\\"\",\"\\\\\",\"\\n\\t\\u001b\x7f\",\"ä€😀\",\"'''\","
      "\"${env:A}\"],\"env\":{\"with.dot\":\"1\",\"with \\\"quotes\\\"\":\"2\"}}");
}

TEST_CASE("each key that is written is one that a remote has") {
  foreign::Remote command = command_of({"a"});
  command.enabled = false;
  command.transport = "stdio";
  command.cwd = "/";
  command.env = command.variables = {{"A", "b"}};
  foreign::Remote url = url_of("https://a/");
  url.transport = "http";
  url.headers = {{"X-A", "b"}};
  url.hide = url.auth.scopes = {"a"};
  url.only = url.hide;
  url.timeout_ms = url.start_timeout_ms = url.auth.redirect_port = 1;
  url.ca = url.client_certificate = url.client_key = "/f";
  url.auth.type = url.auth.client_id = url.auth.client_secret = url.auth.resource = "a";
  for (const foreign::Remote& remote : {command, url}) {
    const auto config = config::parse(to_toml(remote, foreign::Secrets::shown), "collet.toml");
    CHECK((config ? "" : config.message()).empty());
  }
}

TEST_CASE("on screen there are no secrets, but the references to them") {
  foreign::Remote remote =
      command_of({"--api-key", "abc", "--token=abc", "-e", "API_KEY=abc", "-H", "X: abc", "sk-abc", "--verbose",
                  "https://me:abc@h/p?a=abc&b&c=${env:C}", "--key", "${env:K:-abc}"});
  remote.env = {{"A_KEY", "abc"},
                {"B_KEY", "${env:B}"},
                {"C_AUTH", "Bearer abc"},
                {"D_AUTH", "Bearer ${env:D:-abc}"},
                {"E", "abcabcabcabcabc12345"},
                {"MODE", "fast"},
                {"DB", "pg://me:abc@h/db"}};
  remote.headers = {{"X", "abc${env:E}abc"}};
  remote.auth.client_secret = "abc";
  const std::string toml = to_toml(remote, foreign::Secrets::redacted);
  CHECK(
      toml ==
      "[remote.a]\n"
      "command = \"run\"\n"
      "args = [\"--api-key\", \"***\", \"--token=***\", \"-e\", \"API_KEY=***\", \"-H\", \"***\", \"***\", "
      "\"--verbose\", "
      "\"https://***@h/p?a=***&b&c=${env:C}\", \"--key\", \"${env:K:-***}\"]\n"
      "env = { A_KEY = \"***\", B_KEY = \"${env:B}\", C_AUTH = \"Bearer ***\", D_AUTH = \"Bearer ${env:D:-***}\", "
      "E = \"***\", MODE = \"***\", DB = \"***\" }\n"
      "headers = { X = \"***${env:E}***\" }\n"
      "auth.client_secret = \"***\"\n");
  CHECK(summary(remote).find("abc") == std::string::npos);
  CHECK(summary(url_of("https://abc@h/?k=abc")) == "connects to https://***@h/?k=***");
  CHECK(summary(url_of("https://h/a@b")) == "connects to https://h/a@b");
}

TEST_CASE("a secret is hidden wherever it stands in an argument") {
  const std::vector<std::vector<std::string>> cases = {
      {"-c", "curl https://me:hunter2@h/x?a=1&key=hunter2"},
      {"-c", "curl -H 'Authorization: Bearer hunter2' https://h"},
      {"-c", "TOKEN=hunter2 run"},
      {"--env=MODE_X=hunter2"},
      {"-e", "PLAIN=hunter2"},
      {"--env", "PLAIN=hunter2"},
      {"-p", "hunter2"},
      {"-k", "hunter2"},
      {"Server=h;User=u;Password=hunter2;"},
      {"--url", "https://h/?a=1&key=hunter2"},
  };
  for (const auto& args : cases) {
    CAPTURE(args);
    CHECK(summary(command_of(args)).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("what would run is shown as a shell would want it, and nothing in it can hide") {
  foreign::Remote remote = command_of({"-c", "rm -rf ~; echo 'x'", ""});
  remote.cwd = "/srv/a b";
  remote.env = {{"A", "${env:A}"}};
  CHECK(summary(remote) == R"(runs A='${env:A}' run -c 'rm -rf ~; echo '\''x'\''' '' in '/srv/a b')");
  CHECK(summary(command_of({"a\x1b[2K\rb\n", "\xe2\x80\xaex", "\xc2\x9b", "\xef\xbb\xbf", "ä€"})) ==
        R"(runs run 'a\x1b[2K\x0db\x0a' \xe2\x80\xaex \xc2\x9b \xef\xbb\xbf ä€)");
}

TEST_CASE("what might be run is shown even where a secret is expected") {
  foreign::Remote remote =
      command_of({"-c", "credential.helper=!evil", "--auth-helper", "/tmp/evil", "--key", "a;b"});
  remote.env = {{"LD_PRELOAD", "/tmp/evil.so"}, {"SSH_AUTH_COMMAND", "a|b"}};
  CHECK(summary(remote) ==
        "runs LD_PRELOAD=/tmp/evil.so SSH_AUTH_COMMAND='a|b' run -c 'credential.helper=!evil' --auth-helper "
        "/tmp/evil --key "
        "'a;b'");
}
