// The server that a client's file has at a place, whichever way the file is written.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "config/document.h"
#include "foreign/json_edit.h"
#include "foreign/source.h"

namespace collet::foreign {

enum class Format : std::uint8_t { json, toml, yaml };
// As its name ends; JSON if that says nothing.
Format format_of(const std::filesystem::path& file);

// Reads the whole document. Nothing if the member is not there. Fails if that is none of the format.
Result<std::optional<config::Value>> read_member(Source& source, Format format, const MemberPlace& place);

// Whatever the order of members is.
bool same_value(const config::Value& one, const config::Value& other);

}  // namespace collet::foreign
