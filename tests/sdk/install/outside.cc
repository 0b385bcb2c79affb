// A plugin as one would write it elsewhere; std::regex and make_shared bring in what must not be exported.
#include <collet/plugin.hpp>
#include <memory>
#include <regex>

struct Match {
  std::string text, pattern;
};

COLLET_PLUGIN("org.example.outside", "1.0.0", plugin) {
  plugin.tool<Match>("match", "Match a text against a regular expression", [](const Match& in) {
    const auto pattern = std::make_shared<std::regex>(in.pattern);
    return std::regex_search(in.text, *pattern);
  });
}
