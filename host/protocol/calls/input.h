// What a plugin asks of the client while it is suspended: elicitation, sampling, roots.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "registry/item.h"

namespace collet::protocol {

// The client capability that one of the requests needs and the client has not declared, or that its protocol
// version does not know: "elicitation", "sampling", "roots"; empty if all can be asked. Nothing if one of them is
// none of the three requests there are.
std::optional<std::string_view> lacking_capability(const std::vector<registry::InputRequest>& requests,
                                                   const json::Value* capabilities, std::string_view version);

}  // namespace collet::protocol
