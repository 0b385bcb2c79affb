// An element of a remote's list: any bytes are an item or a reason, an item that is written is read as the same,
// and what a call of it repeats in headers can stand there. The input is the element's text, a line end, a call's
// arguments.
#include <collet/json.hpp>

#include <cstdint>

#include "client/limits.h"
#include "client/mcp/message.h"
#include "client/offer/imported_item.h"
#include "require.h"

using namespace collet::client;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view element = text.substr(0, text.find('\n'));
  const std::string_view arguments = text.substr(std::min(element.size() + 1, text.size()));
  for (const std::uint32_t kind : {COLLET_TOOL, COLLET_RESOURCE, COLLET_RESOURCE_TEMPLATE, COLLET_PROMPT}) {
    const auto item = read_item(kind, element);
    if (!item) {
      require(!item.message().empty());
      continue;
    }
    require(!item->name.empty() && item->definition.size() <= limits::kDefinitionBytesMax);
    require(for_each_member(item->definition, [](auto, auto) {}));
    const auto again = read_item(kind, list_element(*item));
    require(again && again->name == item->name && json_diff(item->definition, again->definition).empty());
    for (const HttpHeader& header : mirrored_headers(item->mirrored, arguments)) {
      require(is_header_name(header.name) && is_header_value(header.value));
    }
    json_diff(item->definition, arguments);
  }
  return 0;
}
