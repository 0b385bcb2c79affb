// Text as it lies in the columns of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace collet::cli {

inline constexpr std::size_t kAnyWidth = 0;  // as many columns as a line needs: nobody looks at it on a terminal

// One for each character.
std::size_t columns_of(std::string_view text);
// With blanks behind it.
std::string padded(std::string_view text, std::size_t columns);
// One line of so many columns at most, the last of them "…" if something is cut off.
std::string shortened(std::string_view line, std::size_t width);
// Broken between words into lines of so many columns, unless a word has more; `indent` blanks stand before all lines but the
// first, and are counted to no line.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace collet::cli
