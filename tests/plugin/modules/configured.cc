// A plugin with a configSchema: of a key that it needs, and of one that it may do without.
#include <collet/plugin.hpp>
#include <stdexcept>
#include <string>

namespace {

std::string config_schema() {
#ifdef BROKEN
  return R"({"type":"object","properties":{"path":{"type":"strng"}}})";
#else
  return R"({"type":"object","properties":{"path":{"type":"string","description":"What it reads"},)"
         R"("limit":{"type":"integer","minimum":1,"maximum":10,"default":3}},"required":["path"],"additionalProperties":false})";
#endif
}

}  // namespace

COLLET_PLUGIN("org.example.configured", "1.0.0", plugin, .title = "Configured", .config_schema = config_schema) {
  auto& config = plugin.keep<std::string>(plugin.config_json());
  if (config.find("/nowhere") != std::string::npos) throw std::runtime_error("cannot open /nowhere: there is nothing");
  plugin.on_reconfigure([&config](std::string_view json) { config = json; });
  plugin.tool("config", "What it was given", [&config] { return config; });
}
