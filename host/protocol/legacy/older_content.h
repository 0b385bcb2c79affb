// What a client of an older revision does not know, said in such a way that it does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "registry/item.h"

namespace collet::protocol {

// The blocks of a tool's result or the messages of a prompt, separated by commas, as `version` has them: a
// resource_link is text before 2025-06-18, audio is an embedded resource before 2025-03-26. Nothing if they can
// stay as they are.
std::string older_content(std::string_view version, registry::CallKind kind, std::string_view content);

// A tool's structured content as `version` has it: before 2026-07-28 it is an object, or there is none.
std::string_view older_structured(std::string_view version, std::string_view structured);

// A tool's definition as revisions before 2026-07-28 have it: the root of an outputSchema is of "type": "object",
// and the schema of a property is no boolean. Nothing if it can stay as it is.
std::optional<std::string> older_definition(std::string_view definition, const json::Value& parsed);

}  // namespace collet::protocol
