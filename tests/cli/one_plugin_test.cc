#include "cli/one_plugin.h"

#include "support/catch.h"

using namespace collet;

namespace {

config::Plugin plugin(std::string id, std::string library) {
  config::Plugin made;
  made.id = std::move(id);
  made.library = std::move(library);
  made.config = R"({"of":")" + made.id + "\"}";
  return made;
}

config::Config configuration() {
  config::Config config;
  config.plugin = {plugin("a", "/nowhere/one.so"), plugin("b", "/proc/self/exe")};
  config.plugin[1].enabled = false;
  config.remote.push_back({"r", "{}", {}});
  return config;
}

const config::Plugin& only(const Result<config::Config>& config) {
  REQUIRE(config);
  REQUIRE(config->plugin.size() == 1);
  CHECK(config->remote.empty());
  CHECK(config->plugins.paths.empty());
  CHECK(config->plugin[0].enabled);
  return config->plugin[0];
}

}  // namespace

TEST_CASE("a plugin is found by its id, by its file, or by its file's name") {
  const config::Config config = configuration();
  CHECK(only(cli::only_plugin(config, "a")).library == "/nowhere/one.so");
  CHECK(only(cli::only_plugin(config, "b")).config == R"({"of":"b"})");
  CHECK(only(cli::only_plugin(config, "/proc/../proc/self/exe")).id == "b");
  const auto built = cli::only_plugin(config, "build/a.so");
  CHECK(only(built).config == R"({"of":"a"})");
  CHECK(only(built).library == "build/a.so");
}

TEST_CASE("a file that no plugin of the configuration has is a plugin without a config") {
  const auto other = cli::only_plugin(configuration(), "./c.so");
  CHECK(only(other).id == "c");
  CHECK(only(other).config == "{}");
  CHECK(only(other).config_places.table() == "plugin.c.config");
  CHECK(only(cli::only_plugin(config::Config(), "c")).library == "c");
}

TEST_CASE("an id that no plugin has is an error") {
  const auto none = cli::only_plugin(configuration(), "c");
  REQUIRE_FALSE(none);
  CHECK_THAT(none.message(), Catch::StartsWith("there is no plugin c"));
}
