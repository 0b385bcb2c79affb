// What must hold of an item's definition before clients see it, and the schemas in it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/item.h"
#include "registry/uri_template.h"
#include "schema/schema.h"

namespace collet::registry {

// A compiled schema is shared by the tools that have the same text.
using SchemaPtr = std::shared_ptr<const schema::Schema>;

// A tool's parameter that clients repeat in a header: x-mcp-header in inputSchema (2026-07-28, streamable-http,
// Custom Headers from Tool Parameters).
struct MirroredParameter {
  std::string header;             // "Mcp-Param-Region"
  std::vector<std::string> path;  // from the arguments down
};

// What is compiled of an item.
struct Compiled {
  SchemaPtr input;  // of a tool; null where it has none
  SchemaPtr output;
  std::vector<MirroredParameter> mirrored;
  std::string unread;  // of a tool whose arguments others check: what of its schemas cannot be read; or empty
  bool output_unread = false;               // that is so of outputSchema
  std::optional<UriTemplate> uri_template;  // of a resource template
  std::vector<std::string> left_out;        // of its definition, each with the reason
  unsigned hints = mcp::kReadOnly;          // mcp::Hint
  std::string methods;  // of a route: those of HTTP that it takes, "GET, HEAD"
  std::size_t streamed_bytes_max = 0;  // of a route that takes bodies as they come: that one may have; 0: it takes them whole
};

// By the schema's text.
using SchemaCache = std::map<std::string, SchemaPtr, std::less<>>;

// The definition is a JSON object without the members that the host writes; a tool's inputSchema and outputSchema
// compile, inputSchema is of "type": "object"; a template's text is understood; a route's path is one, its methods are names, and the bodies that it takes as they come have a size. A schema that is no good costs a
// tool whose arguments others check nothing but that schema. Members that clients would not understand are taken out
// of `def`. A validation by the schemas may take `schema_steps_max` steps.
Result<Compiled> read_definition(ItemDef& def, SchemaCache& cache, std::int64_t schema_steps_max);

// What a model should be told of arguments that do not fit, or nothing. `arguments` may be null: absent, checked as
// {}.
std::optional<std::string> check_arguments(const Compiled& compiled, const ItemDef& def, std::string_view tool,
                                           const json::Value* arguments);

// Why a prompt cannot be made of these arguments, which may be null; or nothing. They are strings, and the ones that it needs are
// there.
std::optional<std::string> check_prompt_arguments(const ItemDef& def, const json::Value* arguments);

// What is wrong with a tool's structured content, JSON text that may be empty for none; or nothing.
std::optional<std::string> check_structured(const schema::Schema& output, std::string_view structured);

}  // namespace collet::registry
