// What model providers refuse or drop although MCP and JSON Schema allow it. One such tool can make a provider
// refuse the whole request, with every other tool in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace collet::schema {

struct Lint {
  std::string location;  // JSON Pointer into the input schema; empty: the tool's name, or the schema as a whole
  std::string message;   // what to change, and for whom
};

// At most one warning for each rule and location. The schema may be any JSON.
std::vector<Lint> lint_tool(std::string_view name, const json::Value& input_schema);

}  // namespace collet::schema
