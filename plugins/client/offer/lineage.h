// Which gateway this is, and by which others something has come here, so that one that leads to itself is found.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/net/child.h"

namespace collet::client {

// This process, in a word that is no other's.
const std::string& gateway_id();

// The gateways that offer an item which they have from somewhere else, the one that was asked for it last at the
// end; of the item's definition.
std::vector<std::string> via_of(std::string_view definition);
// The definition with one more of them.
std::string with_via(std::string_view definition, std::string_view gateway);

// Members of a call's _meta: how many gateways it has come through.
inline constexpr std::string_view kHops = "collet/hops";

// Why a child must not be started: it would be this gateway again, itself or with others in between; empty: it may.
std::string leads_back(const Command& command);
// The variable that tells a child how it was started, and its parents were.
std::pair<std::string, std::string> ancestry(const Command& command);

}  // namespace collet::client
