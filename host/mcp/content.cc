#include "mcp/content.h"

#include "base/text.h"

namespace collet::mcp {

void append_text_block(std::string& out, std::string_view text) {
  out += R"({"type":"text","text":)";
  text::append_json_string(out, text);
  out += '}';
}

std::string text_block(std::string_view text) {
  std::string block;
  append_text_block(block, text);
  return block;
}

}  // namespace collet::mcp
