#include "config/header_name.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace collet::config {
namespace {

constexpr std::string_view kOwn[] = {
    "Accept",  "Connection", "Content-Length",    "Content-Type", "Expect",   "Host",       "Keep-Alive",
    "TE",      "Trailer",    "Transfer-Encoding", "Upgrade",      "Mcp-Name", "Mcp-Method", "Mcp-Protocol-Version",
    "Mcp-Session-Id"};

}  // namespace

bool is_own_header(std::string_view name) {
  return std::any_of(std::begin(kOwn), std::end(kOwn),
                     [&](std::string_view own) { return text::equals_ignoring_case(own, name); });
}

}  // namespace collet::config
