// What a remote says in JSON-RPC, alone or in a batch: any bytes are messages or a reason, and what is read of one
// is text of it, or of what it is when it has been put right.
#include <collet/json.hpp>

#include <cstdint>

#include "client/mcp/broken_text.h"
#include "client/mcp/message.h"
#include "require.h"

using namespace collet::client;

namespace {

bool is_within(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

bool is_json(std::string_view text) {
  bool any = false;
  return for_each_element("[" + std::string(text) + "]", [&](std::string_view) { any = true; }) && any;
}

void check(const Message& message, std::string_view text) {
  require(message.method.data() || message.is_response());
  require(!(message.result.data() && message.error.data()));
  for (const std::string_view part : {message.id, message.params, message.result, message.error}) {
    if (part.data()) require(is_within(part, text) && is_json(part));
  }
  if (message.method.data()) require(is_within(message.method, text));
  if (message.result.data()) {
    if (const auto part = find_member(message.result, "capabilities"); part.data()) require(is_json(part));
    for_each_element(find_member(message.result, "tools"), [](std::string_view tool) { require(is_json(tool)); });
    find_unsigned(message.result, "ttlMs");
  }
  if (message.error.data()) {
    const RpcError error = read_error(message.error);
    require(error.data.empty() || is_json(error.data));
    std::string quoted;
    collet::append_json(quoted, error.message);
    require(to_string(quoted) == error.message);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = mended(text);
  require(mended(whole) == whole);
  require(whole == text || !parse_message(text));
  examine(text);
  const auto read = for_each_message(text, [&](const Message& message, std::string_view part) {
    require(is_within(part, text) || whole != text);
    check(message, part);
  });
  require(read || !read.message().empty());
  return 0;
}
