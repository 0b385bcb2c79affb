#include "registry/names.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/limits.h"
#include "registry/uri_spelling.h"

namespace collet::registry {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-';
}

// One part of a path, between slashes: once it is decoded neither nothing, "." nor "..", and no path itself.
bool is_segment(std::string_view segment) {
  const std::string decoded = percent_decoded(segment);
  return !decoded.empty() && decoded != "." && decoded != ".." &&
         decoded.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

}  // namespace

bool NameRules::hides(std::string_view name) const {
  return std::find(hide.begin(), hide.end(), name) != hide.end();
}

std::string NameRules::final_name(Kind kind, std::string_view source, const std::string& name) const {
  if (kind == Kind::route) return fmt::format("{}{}{}", kRoutesPath, source, name);
  if (mcp::has_uri_name(kind)) return name;
  if (const auto renamed = rename.find(name); renamed != rename.end()) return renamed->second;
  return prefix + name;
}

bool is_route_path(std::string_view path) {
  if (!path.starts_with('/') || path.find_first_of("?#[]") != path.npos || normalised_encoding(path) != path) return false;
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (!is_segment(path.substr(0, end))) return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

Result<void> check_name(Kind kind, std::string_view name, std::size_t bytes_max) {
  if (name.empty()) return error("its name is empty");
  if (mcp::has_uri_name(kind)) {
    const bool clean =
        std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
    if (!clean) return error("its URI has blanks or control characters");
    if (name.size() > limits::kUriBytesMax) return error("its URI has over {} bytes", limits::kUriBytesMax);
    return {};
  }
  if (kind == Kind::route) {
    if (name.size() > limits::kUriBytesMax) return error("its path has over {} bytes", limits::kUriBytesMax);
    return {};
  }
  if (!std::all_of(name.begin(), name.end(), is_name_character)) {
    return error("its name has characters other than A-Z a-z 0-9 _ . -");
  }
  if (name.size() > bytes_max) {
    return error("its name has {} characters, {} are allowed: shorten it with `rename` or a shorter `prefix`",
                 name.size(), bytes_max);
  }
  return {};
}

}  // namespace collet::registry
