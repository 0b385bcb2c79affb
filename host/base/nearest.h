// Slips of the pen.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace collet::text {

// The word that `word` looks like a slip for, or empty.
std::string_view nearest(std::string_view word, std::span<const std::string> words);

}  // namespace collet::text
