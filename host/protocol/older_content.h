// Content blocks that a client of an older revision does not know, said in such as it does.
#pragma once

#include <string>
#include <string_view>

#include "registry/item.h"

namespace collet::protocol {

// The blocks of a tool's result or the messages of a prompt, separated by commas, as `version` has them: a
// resource_link is text before 2025-06-18, audio is an embedded resource before 2025-03-26. Nothing if they can
// stay as they are.
std::string older_content(std::string_view version, registry::CallKind kind, std::string_view content);

}  // namespace collet::protocol
