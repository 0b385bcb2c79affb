// Arguments that are strings to MCP: those of a prompt, and the variables of a resource template.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "registry/registry.h"

namespace collet::cli {

// Their schema, which MCP does not have: of such strings and no others. It is of the prompt whose definition that is.
std::string prompt_schema(const json::Value& definition);

// Of a prompt or of a resource template.
std::vector<std::string> string_argument_names(const registry::Item& item);

// What completion/complete is asked of the item: {"argument":{"name":…,"value":…},"context":…}. The words are the argument, the
// beginning of its value, which may be missing, and NAME=VALUE of others.
Result<std::string> completion_arguments(const registry::Item& item, std::span<const std::string> words);

}  // namespace collet::cli
