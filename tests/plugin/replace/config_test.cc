#include "house.h"

using namespace collet;
using namespace collet::plugin;
using registry::Kind;
using Done = LoadReport::Done;

namespace {

PluginSpec configured_as(const std::string& module, std::string config) {
  PluginSpec spec;
  spec.id = "p";
  spec.library = module_path(module);
  spec.config = std::move(config);
  spec.config_places = ConfigPlaces("plugin.p.config", "c.toml");
  spec.config_places.add("", {4, 1}, {4, 1});
  spec.config_places.add("/limit", {5, 1}, {5, 9});
  spec.placement = kTestPlacement;
  return spec;
}

const std::string kMistakes =
    ": its config is not as its configSchema says:\n"
    "c.toml:4:1: plugin.p.config.path is missing: What it reads\n"
    "c.toml:5:9: plugin.p.config.limit must be an integer from 1 to 10, not 11";

}  // namespace

TEST_CASE("a config that is not as the plugin states it keeps it from being created, with every mistake in its place") {
  House house;
  const LoadReport report = house.loader.load({configured_as("configured", R"({"limit":11})")}).at(0);
  CHECK(report.done == Done::failed);
  CHECK(report.error == "cannot load " + module_path("configured") + kMistakes);
  CHECK(house.loader.status().at(0).problem == report.error);
  contains(report.info, R"("title":"Configured")");
  contains(report.info, "configSchema");

  const PluginSpec good = configured_as("configured", R"({"path":"/a","limit":10})");
  CHECK(house.loader.apply({good}, false).at(0).error == "");
  contains(house.call_tool("config").content, "/a");
}

TEST_CASE("a plugin that takes a new config itself is not given one that is not as it states") {
  House house;
  PluginSpec spec = configured_as("configured", R"({"path":"/a"})");
  REQUIRE(house.loader.load({spec}).at(0).ok());
  spec.config = R"({"path":"/b","limit":1})";
  CHECK(house.loader.apply({spec}, false).at(0).done == Done::reconfigured);
  contains(house.call_tool("config").content, "/b");
  const LoadReport refused = house.loader.apply({configured_as("configured", R"({"limit":11})")}, false).at(0);
  CHECK(refused.done == Done::failed);
  CHECK(refused.error == "cannot load " + module_path("configured") + kMistakes);
  contains(house.call_tool("config").content, "/b");
}

TEST_CASE("a config that stands elsewhere in its file is the same") {
  House house;
  PluginSpec spec = configured_as("configured", R"({"path":"/a"})");
  REQUIRE(house.loader.load({spec}).at(0).ok());
  spec.config_places = ConfigPlaces("plugin.p.config", "c.toml");
  spec.config_places.add("", {40, 1}, {40, 1});
  CHECK(house.loader.apply({spec}, false).empty());
}

TEST_CASE("a configSchema that is none keeps its plugin from being created") {
  House house;
  const LoadReport report = house.loader.load({configured_as("configured_badly", "{}")}).at(0);
  CHECK(report.done == Done::failed);
  contains(report.error, ": its configSchema is no good: schema ");
}

TEST_CASE("what a create() throws is why its plugin is not there") {
  House house;
  const LoadReport report = house.loader.load({configured_as("configured", R"({"path":"/nowhere"})")}).at(0);
  contains(report.error, "its create() returned COLLET_E_INTERNAL (-5): cannot open /nowhere: there is nothing");
  CHECK(house.loader.status().at(0).problem == report.error);
}
