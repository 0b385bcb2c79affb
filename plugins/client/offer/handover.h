// What one generation of this plugin hands over to the next, so that what remotes offer is there without a gap: it
// holds until the remote itself has been asked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "client/mcp/transport.h"
#include "client/offer/imported_item.h"

namespace collet::client {

// What is known of a remote before it has answered.
struct Known {
  RemoteItems items;
  std::optional<Era> era;
  std::string instructions;
};

inline constexpr std::uint32_t kHandoverVersion = 1;

// One remote's part: a JSON object. The whole are all parts with commas between.
std::string write_handover(std::string_view remote, const Known& known);
// By name of the remote. What cannot be read is left out.
std::map<std::string, Known> read_handover(std::string_view parts);

}  // namespace collet::client
