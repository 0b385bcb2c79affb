#include "protocol/calls/input.h"

#include "protocol/error.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kElicitationSince = "2025-06-18";

// A client that declares elicitation without saying which modes has forms (2025-11-25, client/elicitation).
bool can_elicit(const json::Value& elicitation, const json::Value& request) {
  const json::Value* params = json::find(request, "params");
  const bool url = params && json::find_string(*params, "mode") == "url";
  if (url) return json::find(elicitation, "url");
  return json::find(elicitation, "form") || !json::find(elicitation, "url");
}

}  // namespace

std::optional<std::string_view> lacking_capability(const std::vector<registry::InputRequest>& requests,
                                                   const json::Value* capabilities, std::string_view version) {
  for (const registry::InputRequest& asked : requests) {
    json::Document request;
    if (json::parse(asked.request, request)) return std::nullopt;
    const mcp::InputNames* input = mcp::input_by(json::find_string(request, "method").value_or(""));
    if (!input) return std::nullopt;
    const json::Value* declared = capabilities ? json::find(*capabilities, input->capability) : nullptr;
    if (!declared) return input->capability;
    if (input != &mcp::kElicitation) continue;
    if (version < kElicitationSince || !can_elicit(*declared, request)) return input->capability;
  }
  return std::string_view();
}

std::optional<rpc::Error> check_capabilities(const registry::Traits& traits, const Context& context) {
  if (context.era == Era::legacy) return std::nullopt;
  for (const mcp::InputNames& input : mcp::kInputTable) {
    const bool lacks = traits.*input.needed && !json::find(*context.capabilities, input.capability);
    if (lacks) return missing_capability(input.capability);
  }
  return std::nullopt;
}

}  // namespace collet::protocol
