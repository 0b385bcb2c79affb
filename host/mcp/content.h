// Blocks of content as text, where the host writes them itself.
#pragma once

#include <string>
#include <string_view>

namespace collet::mcp {

// What an embedded resource is called that can be read nowhere: its bytes travel inside, and a URI must name it.
inline constexpr std::string_view kEmbeddedUri = "collet:embedded";

// {"type":"text","text":"…"} (2026-07-28, server/tools, Text Content).
void append_text_block(std::string& out, std::string_view text);
std::string text_block(std::string_view text);

}  // namespace collet::mcp
