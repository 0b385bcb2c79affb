#include "cli/plugin_template.h"

#include "support/catch.h"

using namespace collet::cli;

TEST_CASE("a plugin's name is good for its library, its target and its tool") {
  const std::string longest(64, 'a');
  for (const std::string& name : {std::string("a"), std::string("weather-2_x"), longest}) {
    CAPTURE(name);
    CHECK(is_plugin_name(name));
  }
  for (const std::string& name : {std::string(), std::string("2x"), std::string("-x"), std::string("Weather"), std::string("a b"),
                                 std::string("a\"b"), std::string("test"), std::string("all"), longest + 'a'}) {
    CAPTURE(name);
    CHECK_FALSE(is_plugin_name(name));
  }
}

TEST_CASE("the files of a plugin know its name and nothing else of it") {
  for (const PluginLanguage language : {PluginLanguage::c, PluginLanguage::cpp}) {
    for (const TemplateFile& file : plugin_template(language, "weather")) {
      CAPTURE(file.path, file.text);
      CHECK(file.text.find('@') == std::string::npos);
      if (file.path == "CMakeLists.txt") {
        CHECK(file.text.find(language == PluginLanguage::c ? "weather.c)" : "weather.cc)") != std::string::npos);
      }
    }
  }
}
