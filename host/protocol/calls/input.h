// What a plugin asks of the client while it is suspended, and whether the client can: elicitation, sampling, roots.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "protocol/context.h"
#include "registry/item.h"
#include "rpc/error.h"

namespace collet::protocol {

// The client capability that one of the requests needs and the client has not declared, or that its protocol
// version does not know: "elicitation", "sampling", "roots"; empty if all can be asked. Nothing if one of them is
// none of the three requests there are.
std::optional<std::string_view> lacking_capability(const std::vector<registry::InputRequest>& requests,
                                                   const json::Value* capabilities, std::string_view version);

// What a modern client would have to be able to do for such an item and has not declared. A legacy client declares
// its abilities once, in initialize, and is asked when the need arises.
std::optional<rpc::Error> check_capabilities(const registry::Traits& traits, const Context& context);

}  // namespace collet::protocol
