// Another program's configuration: any bytes are remotes that our configuration can have, or a message; and what is
// shown of them steers no terminal.
#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "config/config.h"
#include "foreign/jsonc.h"
#include "foreign/reader.h"

using namespace collet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = foreign::parse_jsonc(text);
  if (const auto* problem = std::get_if<config::Problem>(&parsed)) COLLET_ASSERT(problem->at.line > 0);
  const auto findings = foreign::read_remotes(text, "mcp", "/srv/project");
  if (!findings) return 0;
  std::string tables;
  for (const foreign::Remote& remote : findings->remotes) {
    tables += to_toml(remote, foreign::Secrets::shown);
    const std::string shown = summary(remote);
    COLLET_ASSERT(std::none_of(shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
  }
  const auto config = config::parse(tables, "collet.toml");
  COLLET_ASSERT(config && config->remote.size() == findings->remotes.size());
  return 0;
}
