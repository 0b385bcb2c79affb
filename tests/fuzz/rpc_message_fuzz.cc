// The JSON-RPC envelope: any bytes are a message or an error, and what is read of a message is text of that
// message.
#include "rpc/message.h"

#include <cstdint>

using namespace collet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static rpc::Arena arena;
  arena.clear();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  rpc::Message message;
  if (rpc::parse_message(text, arena, message)) return 0;
  if (message.arguments.data()) {
    COLLET_ASSERT(message.arguments.data() >= text.data());
    COLLET_ASSERT(message.arguments.data() + message.arguments.size() <= text.data() + text.size());
    COLLET_ASSERT(json::is_valid(message.arguments));
  }
  COLLET_ASSERT(message.id.empty() || json::is_valid(message.id.text()));
  for (const json::Value* part : {message.params, message.result, message.error}) {
    if (part) COLLET_ASSERT(json::is_valid(json::to_text(*part)));
  }
  return 0;
}
