// Schemas of servers from before MCP had a dialect (2025-11-25, SEP-1613): without $schema they follow whatever draft
// their SDK made.
#pragma once

#include <string>
#include <string_view>

namespace collet::client {

// Whether a server of that version of MCP means 2020-12 by a schema without $schema.
inline bool has_dialect(std::string_view version) { return version >= "2025-11-25"; }

// A schema without $schema as 2020-12 says what draft-04 to draft-07 meant: a tuple of `items` and its
// `additionalItems`, and an `exclusiveMinimum` or `exclusiveMaximum` that is true or false. The same text if it has a
// $schema, has none of these, refers to a part that would get another name, or is no JSON.
std::string as_2020_12(std::string_view schema);

}  // namespace collet::client
