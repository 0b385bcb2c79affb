#include "client/config.h"

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

TEST_CASE("in a pattern * stands for any text, and everything else for itself") {
  for (const auto& [pattern, name] : {std::pair("", ""),
                                      {"*", ""},
                                      {"*", "a"},
                                      {"a", "a"},
                                      {"a*", "a"},
                                      {"a*", "abc"},
                                      {"*c", "abc"},
                                      {"a*c", "ac"},
                                      {"a*c", "abcbc"},
                                      {"a*b*c", "aXbYbZc"},
                                      {"**", "a"},
                                      {"*aab", "aaaab"},
                                      {"file:///{path*}", "file:///{path*}"},
                                      {"a.?[", "a.?["}}) {
    INFO(pattern << " " << name);
    CHECK(fits(pattern, name));
  }
  for (const auto& [pattern, name] : {std::pair("", "a"),
                                      {"a", ""},
                                      {"a", "A"},
                                      {"a", "ab"},
                                      {"*c", "abcd"},
                                      {"a*", "ba"},
                                      {"a*c", "abcb"},
                                      {"a*a", "a"},
                                      {"a?c", "abc"},
                                      {"a.c", "abc"}}) {
    INFO(pattern << " " << name);
    CHECK_FALSE(fits(pattern, name));
  }
  const std::string many(200, 'a');
  CHECK_FALSE(fits("*a*a*a*a*a*a*a*a*a*a*b", many));  // in a moment
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
