// Letters and words, as headers, URLs and messages have them. ASCII; any thread.
#pragma once

#include <string>
#include <string_view>

#include <collet/kit/text.hpp>

namespace collet::client {

using kit::equals_ignoring_case;
using kit::lower;
using kit::trimmed;

inline std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace collet::client
