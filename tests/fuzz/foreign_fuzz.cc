// Another program's configuration: any bytes are remotes that our configuration can have, or a message; what is
// shown of them steers no terminal; and what is put into it can be taken out.
#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "config/config.h"
#include "foreign/json_edit.h"
#include "foreign/jsonc.h"
#include "foreign/reader.h"

using namespace collet;

namespace {

void read(std::string_view text, const char* file) {
  const auto findings = foreign::read_remotes(text, {.file = file, .workspace = "/srv/project"});
  if (!findings) return;
  std::string tables;
  for (const foreign::Remote& remote : findings->remotes) {
    tables += to_toml(remote, foreign::Secrets::shown);
    const std::string shown = summary(remote);
    COLLET_ASSERT(std::none_of(shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
  }
  const auto config = config::parse(tables, "collet.toml");
  COLLET_ASSERT(config && config->remote.size() == findings->remotes.size());
}

bool is_jsonc(const std::string& text) {
  foreign::Source source(text);
  return std::holds_alternative<config::Value>(foreign::parse_jsonc(source));
}

// What is put into good JSON leaves it good, and can be taken out again.
void edit(std::string_view text) {
  const foreign::MemberPlace place{{"mcpServers"}, "collet"};
  std::string edited(text);
  foreign::Source before(text);
  const auto added = foreign::add_member(before, place, "{\n}");
  if (!added) return;
  edited.insert(added->at, added->inserted);
  COLLET_ASSERT(is_jsonc(edited));
  foreign::Source after(edited);
  const auto removed = foreign::remove_member(after, place);
  COLLET_ASSERT(removed && *removed);
  COLLET_ASSERT(is_jsonc(std::string(edited).erase((*removed)->at, (*removed)->removed)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  foreign::Source source(text);
  const auto parsed = foreign::parse_jsonc(source);
  if (const auto* problem = std::get_if<config::Problem>(&parsed)) COLLET_ASSERT(problem->at.line > 0);
  if (std::holds_alternative<config::Value>(parsed)) edit(text);
  read(text, "mcp.yaml");
  read(text, "mcp");
  return 0;
}
