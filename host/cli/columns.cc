#include "cli/columns.h"

#include <algorithm>

namespace collet::cli {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }  // of UTF-8

std::string broken_line(std::string_view line, std::size_t width, const std::string& margin) {
  std::string out;
  std::size_t used = 0;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    const std::size_t columns = columns_of(word);
    const bool breaks = used > 0 && used + 1 + columns > width;
    if (breaks) out.append(1, '\n').append(margin);
    if (!breaks && !out.empty()) out += ' ';
    used = breaks || out.empty() ? columns : used + 1 + columns;
    out += word;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t has = columns_of(text);
  return std::string(text) + std::string(has < columns ? columns - has : 0, ' ');
}

std::string shortened(std::string_view line, std::size_t width) {
  if (width == kAnyWidth || columns_of(line) <= width) return std::string(line);
  std::size_t end = 0, columns = 0;
  for (; end < line.size(); ++end) {
    if (begins_character(line[end]) && columns++ == width - 1) break;
  }
  return std::string(line.substr(0, end)) + "…";
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string out;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    out += width == kAnyWidth ? std::string(line) : broken_line(line, width, margin);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    out.append(1, '\n').append(text.empty() ? "" : margin);
  }
  return out;
}

}  // namespace collet::cli
