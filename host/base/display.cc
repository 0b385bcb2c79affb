#include "base/display.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>


#include "base/text.h"
#include "collet/kit/text.hpp"

namespace collet::display {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kHidden = "***";

// The bytes at `at` that a terminal acts on without showing them, or 0: controls, and marks that are invisible or
// reverse what follows.
std::size_t steering_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at), second = byte(at + 1), third = byte(at + 2);
  if (first < 0x20 || first == 0x7f) return 1;
  if (first == 0xc2 && second >= 0x80 && second < 0xa0) return 2;                   // U+0080–009F
  if (first == 0xe2 && second == 0x80 && third >= 0x8b && third <= 0x8f) return 3;  // U+200B–200F
  if (first == 0xe2 && second == 0x80 && third >= 0xa8 && third <= 0xae) return 3;  // U+2028–202E
  if (first == 0xe2 && second == 0x81 && third >= 0xa0 && third <= 0xaf) return 3;  // U+2060–206F
  if (first == 0xd8 && second == 0x9c) return 2;                                    // U+061C
  return first == 0xef && second == 0xbb && third == 0xbf ? 3 : 0;                  // U+FEFF
}

bool is_layout(std::string_view text, std::size_t at) {
  return text[at] == '\n' || text[at] == '\t' || text.substr(at, 2) == "\r\n";
}

std::string shown(std::string_view text, bool keeps_layout) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = keeps_layout && is_layout(text, at) ? 0 : steering_size(text, at);
    for (std::size_t i = 0; i < size; ++i)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at + i]));
    if (size == 0) out += text[at];
    at += std::max<std::size_t>(size, 1);
  }
  return out;
}

template <std::size_t N>
bool contains_any(std::string_view text, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words), [&](auto word) { return text.find(word) != npos; });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high = text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[at + 2]);
    out += low < 0 ? text[at] : static_cast<char>(high * 16 + low);
    if (low >= 0) at += 2;
  }
  return out;
}

bool names_secret_parameter(std::string_view name) {
  constexpr std::string_view kMore[] = {"sig", "code"};
  const std::string plain = without_escapes(name);
  return names_secret(plain) || contains_any(kit::lower(plain), kMore);
}

// The end of the part that begins at `begin`: in front of the next separator, but not of one in a reference.
std::size_t part_end(std::string_view parts, std::size_t begin) {
  for (std::size_t at = begin; at < parts.size(); ++at) {
    if (parts.substr(at, 2) == "${") at = std::min(parts.find('}', at), parts.size() - 1);
    if (parts[at] == '&' || parts[at] == ';') return at;
  }
  return parts.size();
}

std::string redact_part(std::string_view part, Values hidden) {
  const std::size_t equals = part.find('=');
  if (equals == npos) return looks_secret(part) ? redact(part) : std::string(part);
  const std::string_view name = part.substr(0, equals), value = part.substr(equals + 1);
  const bool hide = hidden == Values::all || names_secret_parameter(name) || looks_secret(value);
  return std::string(part.substr(0, equals + 1)) + (hide ? redact(value) : std::string(value));
}

// NAME=VALUE parts, with the separators as they are.
std::string redact_parts(std::string_view parts, Values hidden) {
  std::string out;
  for (std::size_t begin = 0; begin <= parts.size();) {
    const std::size_t end = part_end(parts, begin);
    out += redact_part(parts.substr(begin, end - begin), hidden);
    if (end < parts.size()) out += parts[end];
    begin = end + 1;
  }
  return out;
}

// Scheme, authority and path.
std::string without_user(std::string_view url) {
  const std::size_t slashes = url.find("//");
  if (slashes == npos) return std::string(url);
  const std::size_t begin = slashes + 2;
  const std::string_view authority = url.substr(begin, url.find('/', begin) - begin);
  const std::size_t at = authority.rfind('@');
  if (at == npos) return std::string(url);
  return std::string(url.substr(0, begin)) + std::string(kHidden) + std::string(url.substr(begin + at));
}

}  // namespace

std::string printable(std::string_view text) { return shown(text, false); }

std::string printable_lines(std::string_view text) { return shown(text, true); }

std::string json_string(std::string_view text) {
  std::string quoted, out;
  text::append_json_string(quoted, text);
  for (std::size_t at = 0; at < quoted.size();) {
    const std::size_t size = steering_size(quoted, at);
    if (size == 0) {
      out += quoted[at++];
      continue;
    }
    unsigned code = static_cast<unsigned char>(quoted[at]) & (size == 1 ? 0x7fu : 0xffu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<unsigned char>(quoted[at + i]) & 0x3fu);
    out += fmt::format("\\u{:04x}", code);
    at += size;
  }
  return out;
}

std::string redact(std::string_view text) {
  std::string out;
  for (const std::string_view scheme : {"Bearer ", "Basic "}) {
    if (!text.starts_with(scheme)) continue;
    out = scheme;
    text.remove_prefix(scheme.size());
  }
  while (!text.empty()) {
    const std::size_t begin = text.find("${");
    const std::size_t end = begin == npos ? npos : text.find('}', begin);
    const bool plain = begin != 0 || end == npos;
    if (plain) out += kHidden;
    if (end == npos) break;
    const std::string_view reference = text.substr(begin, end + 1 - begin);
    const std::size_t otherwise = reference.find(":-");
    out += otherwise == npos ? std::string(reference)
                             : fmt::format("{}:-{}}}", reference.substr(0, otherwise), kHidden);
    text.remove_prefix(end + 1);
  }
  return out;
}

bool names_secret(std::string_view name) {
  constexpr std::string_view kWords[] = {"token", "secret", "pass",   "pwd",    "key",    "auth",
                                         "cred",  "header", "cookie", "bearer", "session"};
  return contains_any(kit::lower(name), kWords);
}

bool looks_secret(std::string_view text) {
  constexpr std::array<std::string_view, 9> kStarts = {"sk-", "ghp_", "gho_", "github_pat_", "glpat-",
                                                       "xox", "eyJ",  "AKIA", "collet_"};
  constexpr std::size_t kLong = 20;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_opaque = text.size() >= kLong && text.find_first_of(" /.:\\$") == npos &&
                         std::any_of(text.begin(), text.end(), is_digit) &&
                         !std::all_of(text.begin(), text.end(), is_digit);
  return is_opaque ||
         std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return text.starts_with(start); });
}

std::string redact_url(std::string_view url, Values hidden) {
  const std::size_t fragment = std::min(url.find('#'), url.size());
  const std::size_t query = std::min(url.find('?'), fragment);
  std::string out = without_user(url.substr(0, query));
  if (query < fragment) out += '?' + redact_parts(url.substr(query + 1, fragment - query - 1), hidden);
  if (fragment < url.size()) out += '#' + redact_parts(url.substr(fragment + 1), hidden);
  return out;
}

}  // namespace collet::display
