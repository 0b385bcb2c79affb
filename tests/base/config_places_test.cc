#include "base/config_places.h"

#include "base/limits.h"
#include "support/catch.h"

using namespace collet;
using Place = ConfigPlaces::Place;
using Of = ConfigPlaces::Of;

TEST_CASE("a place is found by its pointer, or that of what is around it, also after it has gone to another process") {
  ConfigPlaces places("plugin.a.config", "c.toml");
  CHECK(places.find("/a", Of::key) == Place{});
  places.add("", {1, 1}, {2, 1});
  places.add("/a", {3, 1}, {3, 5});
  for (const ConfigPlaces& each : {places, ConfigPlaces::of_text(places.to_text())}) {
    CHECK(each.table() == "plugin.a.config");
    CHECK(each.file() == "c.toml");
    CHECK(each.find("/a", Of::key) == Place{3, 1});
    CHECK(each.find("/a", Of::value) == Place{3, 5});
    CHECK(each.find("/a/0/b", Of::value) == Place{3, 5});
    CHECK(each.find("/b", Of::value) == Place{2, 1});
  }
  CHECK(ConfigPlaces::of_text("").find("/a", Of::key) == Place{});
}

TEST_CASE("so many places are kept, and no more") {
  ConfigPlaces places("t", "c.toml");
  for (unsigned i = 0; i <= limits::kConfigPlacesMax; ++i) places.add('/' + std::to_string(i), {i + 1, 1}, {i + 1, 1});
  CHECK(places.find('/' + std::to_string(limits::kConfigPlacesMax - 1), Of::key).line == limits::kConfigPlacesMax);
  CHECK(places.find('/' + std::to_string(limits::kConfigPlacesMax), Of::key) == Place{});
}
