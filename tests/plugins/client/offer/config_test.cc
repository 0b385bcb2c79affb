#include "client/offer/config.h"

#include <cstdlib>

#include "support/catch.h"

using namespace collet::client;

TEST_CASE("a remote without more than an address has the defaults") {
  const ClientConfig config =
      read_config(R"({"remotes":[{"name":"a","url":"http://a/"}],"name_bytes_max":32,"version":"1"})");
  REQUIRE(config.remotes.size() == 1);
  const RemoteConfig& remote = config.remotes[0];
  CHECK(remote.enabled);
  CHECK(remote.transport == "auto");
  CHECK(remote.on_clash == "prefix");
  CHECK(remote.when_down == "fail");
  CHECK_FALSE(remote.prefix);
  CHECK_FALSE(remote.auth);
  CHECK(config.name_bytes_max == 32);
}

TEST_CASE("a configuration that cannot be meant is refused") {
  CHECK_THROWS(read_config(R"({"remotes":[{"name":"a"}]})"));
  CHECK_THROWS(read_config(R"({"remotes":[{"name":"a","url":"http://a/","command":"b"}]})"));
  CHECK_THROWS(read_config(R"({"remotes":[{"name":"a","url":"http://a/","on_clash":"maybe"}]})"));
  CHECK_THROWS(read_config(R"({"remotes":[{"name":"a","url":"http://a/","colour":"red"}]})"));
}

TEST_CASE("what is offered is named in only, if that is set, and not in hide") {
  RemoteConfig remote;
  CHECK(remote.offers("read_all"));
  remote.hide = {"*_all"};
  CHECK_FALSE(remote.offers("read_all"));
  CHECK(remote.offers("read_one"));
  remote.only = {"read_*", "list"};
  CHECK_FALSE(remote.offers("read_all"));
  CHECK(remote.offers("read_one"));
  CHECK(remote.offers("list"));
  CHECK_FALSE(remote.offers("lists"));
  remote.only->clear();
  CHECK_FALSE(remote.offers("read_one"));
  CHECK(read_config(R"({"remotes":[{"name":"a","url":"http://a/","only":[]}]})").remotes[0].only->empty());
}

TEST_CASE("variables come from the environment, the table and the caller, and nowhere else") {
  RemoteConfig remote;
  remote.name = "r";
  remote.variables = {{"tenant", "t-${env:COLLET_TEST_SET}"}, {"loop", "${loop}"}};
  remote.forward_headers = {"X-Team"};
  setenv("COLLET_TEST_SET", "7", 1);
  unsetenv("COLLET_TEST_UNSET");
  CHECK(*expand("a${tenant}b${env:COLLET_TEST_SET}", remote) == "at-7b7");
  CHECK(*expand("${env:COLLET_TEST_UNSET:-else}", remote) == "else");
  CHECK(*expand("no $variable {here} ${", remote) == "no $variable {here} ${");
  CHECK_THAT(expand("${env:COLLET_TEST_UNSET}", remote).message(), Catch::Contains("COLLET_TEST_UNSET is not set"));
  CHECK_THAT(expand("${other}", remote).message(), Catch::Contains("[remote.r.variables]"));
  CHECK_FALSE(expand("${loop}", remote));

  CHECK_FALSE(is_constant("${header:X-Team}"));
  CHECK_FALSE(is_constant("as ${principal}"));
  CHECK(is_constant("${tenant}"));
  CHECK_FALSE(expand("${principal}", remote));
  const CallerLookup caller{[](std::string_view key) -> std::optional<std::string> {
    if (key == "principal") return "alice";
    if (key == "header:x-team") return "blue";
    return std::nullopt;
  }};
  CHECK(*expand("${principal}/${header:x-team}", remote, caller) == "alice/blue");
  CHECK_THAT(expand("${header:Cookie}", remote, caller).message(),
             Catch::Contains("not listed in forward_headers"));
}

TEST_CASE("a command is expanded as a whole, and names what it lacks") {
  RemoteConfig remote;
  remote.name = "r";
  remote.command = "run";
  remote.args = {"--root", "${root}"};
  remote.env = {{"KEY", "${env:COLLET_TEST_KEY}"}};
  remote.variables = {{"root", "/srv"}};
  unsetenv("COLLET_TEST_KEY");
  CHECK_THAT(command_of(remote).message(), Catch::Contains("COLLET_TEST_KEY"));
  setenv("COLLET_TEST_KEY", "k", 1);
  const auto command = command_of(remote);
  REQUIRE(command);
  CHECK(command->arguments == std::vector<std::string>{"--root", "/srv"});
  CHECK(command->environment == std::vector<std::pair<std::string, std::string>>{{"KEY", "k"}});
}

TEST_CASE("a remote has minutes to start and to list, unless its configuration says otherwise") {
  const auto usual = read_config(R"({"remotes":[{"name":"r","url":"http://r/"}]})").remotes[0];
  CHECK(usual.start_timeout_ms == 300'000);
  CHECK(usual.list_timeout_ms == 120'000);
  CHECK(usual.restart_timeout_ms == 5'000);
  CHECK_FALSE(usual.strict);
  const auto said =
      read_config(R"({"remotes":[{"name":"r","url":"http://r/","start_timeout_ms":1,"list_timeout_ms":2,)"
                  R"("restart_timeout_ms":3,"strict":true}]})")
          .remotes[0];
  CHECK(said.start_timeout_ms == 1);
  CHECK(said.list_timeout_ms == 2);
  CHECK(said.restart_timeout_ms == 3);
  CHECK(said.strict);
}

TEST_CASE("final names are what clients accept, and a function of the name alone") {
  RemoteConfig remote;
  remote.name = "git";
  CHECK(final_name(remote, "log", 64) == "git__log");
  CHECK(final_name(remote, "a/b c", 64) == "git__a_b_c");
  remote.prefix = "";
  CHECK(final_name(remote, "log", 64) == "log");
  remote.rename = {{"log", "history"}};
  CHECK(final_name(remote, "log", 64) == "history");
  const std::string longest(64, 'n'), longer(65, 'n');
  const std::string other = longest + "m";
  CHECK(final_name(remote, longest, 64) == longest);
  const std::string cut = final_name(remote, longer, 64);
  CHECK(cut.size() == 64);
  CHECK(cut == final_name(remote, longer, 64));
  CHECK(cut != final_name(remote, other, 64));
}

TEST_CASE("inherit_env takes the place of the variables that a command gets by default") {
  ::setenv("COLLET_INHERIT_ONE", "1", 1);
  ::setenv("COLLET_INHERIT_TWO", "2", 1);
  const auto inherited = [](const std::string& patterns) {
    const auto config = read_config(R"({"remotes":[{"name":"r","command":"c")" + patterns + "}]}");
    auto names = command_of(config.remotes[0])->inherited;
    std::sort(names.begin(), names.end());
    return names;
  };
  CHECK(inherited(R"(,"inherit_env":["COLLET_INHERIT_*","NOT_SET"])") ==
        std::vector<std::string>{"COLLET_INHERIT_ONE", "COLLET_INHERIT_TWO"});
  CHECK(inherited(R"(,"inherit_env":[])").empty());
  const auto all = inherited(R"(,"inherit_env":["*"])");
  CHECK(std::count(all.begin(), all.end(), "COLLET_INHERIT_ONE") == 1);
  CHECK(std::count(all.begin(), all.end(), "PATH") == 1);
  const auto usual = inherited("");
  CHECK(std::count(usual.begin(), usual.end(), "COLLET_INHERIT_ONE") == 0);
  CHECK(std::count(usual.begin(), usual.end(), "PATH") == 1);
  ::unsetenv("COLLET_INHERIT_ONE");
  ::unsetenv("COLLET_INHERIT_TWO");
}

TEST_CASE("a header that cannot be sent keeps its remote from being reached, and is named") {
  ::setenv("COLLET_TEST_KEY", "k\nX-Other: injected\n", 1);
  const auto headers = [](const std::string& json) {
    return constant_headers(
        read_config(R"({"remotes":[{"name":"r","url":"http://h","headers":)" + json + "}]}").remotes[0]);
  };
  CHECK_THAT(headers(R"({"X-Key":"${env:COLLET_TEST_KEY}"})").message(),
             Catch::Contains("X-Key") && Catch::Contains("line break"));
  ::setenv("COLLET_TEST_KEY", "k\n", 1);
  CHECK((*headers(R"({"X-Key":"${env:COLLET_TEST_KEY}"})"))[0].value == "k");
  CHECK_THAT(headers(R"({"X Key":"k"})").message(), Catch::Contains("'X Key' is no name of a header"));
  ::unsetenv("COLLET_TEST_KEY");
}

TEST_CASE("a file of authorities has to be one") {
  const auto tls = [](const std::string& members) {
    return tls_of(read_config(R"({"remotes":[{"name":"r","url":"https://h")" + members + "}]}").remotes[0]);
  };
  CHECK(*tls("") == nullptr);
  CHECK_THAT(tls(R"(,"ca":"/nonexistent")").message(), Catch::Contains("/nonexistent"));
  CHECK_THAT(tls(R"(,"ca":"/dev/null")").message(), Catch::Contains("/dev/null"));
  const auto own = tls(R"(,"client_certificate":"c.pem","client_key":"${env:COLLET_TEST_NONE:-k.pem}")");
  REQUIRE(own);
  CHECK((*own)->certificate == "c.pem");
  CHECK((*own)->key == "k.pem");
}
