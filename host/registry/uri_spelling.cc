#include "registry/uri_spelling.h"

#include <algorithm>
#include <vector>

namespace collet::registry {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that is encoded at `at`, or -1.
int encoded_byte(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_reserved(char c) { return std::string_view(":/?#[]@!$&'()*+,;=").find(c) != std::string_view::npos; }

void append_encoded(std::string& out, unsigned char byte) {
  constexpr char kHex[] = "0123456789ABCDEF";
  out += '%';
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

void lower_case(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] | 0x20);
  }
}

// Where scheme and authority end: behind the colon, or behind what follows its two slashes.
struct Origin {
  std::size_t scheme_end = 0;  // 0: it has none
  std::size_t host_begin = 0;
  std::size_t end = 0;
};

Origin origin_of(std::string_view uri) {
  Origin origin;
  const std::size_t colon = uri.find_first_of(":/?#");
  if (colon == std::string_view::npos || uri[colon] != ':') return origin;
  origin.scheme_end = origin.host_begin = origin.end = colon + 1;
  if (!uri.substr(origin.end).starts_with("//")) return origin;
  origin.end = std::min(uri.find_first_of("/?#", colon + 3), uri.size());
  const std::size_t at = uri.substr(0, origin.end).rfind('@');
  origin.host_begin = at == std::string_view::npos ? colon + 3 : at + 1;
  return origin;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = encoded_byte(text, i);
    out += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return out;
}

std::string normalised_encoding(std::string_view part) {
  std::string out;
  out.reserve(part.size());
  for (std::size_t i = 0; i < part.size(); ++i) {
    const int byte = encoded_byte(part, i);
    const char c = byte < 0 ? part[i] : static_cast<char>(byte);
    if (is_unreserved(c) || (byte < 0 && is_reserved(c))) {
      out += c;
    } else {
      append_encoded(out, static_cast<unsigned char>(c));
    }
    if (byte >= 0) i += 2;
  }
  return out;
}

void lower_case_origin(std::string& uri) {
  const Origin origin = origin_of(uri);
  lower_case(uri, 0, origin.scheme_end);
  lower_case(uri, origin.host_begin, origin.end);
}

std::string normalised_uri(std::string_view uri) {
  std::string out = normalised_encoding(uri);
  lower_case_origin(out);
  Origin origin = origin_of(out);
  const bool plain = out.starts_with("http://"), secure = out.starts_with("https://");
  if (!plain && !secure) return out;
  for (const std::string_view port : {plain ? ":80" : ":443", ":"}) {
    if (!std::string_view(out).substr(0, origin.end).ends_with(port)) continue;
    out.erase(origin.end - port.size(), port.size());
    origin.end -= port.size();
    break;
  }
  if (origin.end == out.size() || out[origin.end] != '/') out.insert(origin.end, 1, '/');
  return out;
}

std::string watched_uri(std::string_view uri) {
  std::string out = normalised_uri(uri);
  const std::size_t query = out.find('?'), fragment = std::min(out.find('#'), out.size());
  if (query >= fragment) return out;
  std::vector<std::string> pairs;
  for (std::size_t at = query; at < fragment;) {
    const std::size_t end = std::min(out.find('&', at + 1), fragment);
    pairs.push_back(out.substr(at + 1, end - at - 1));
    at = end;
  }
  std::sort(pairs.begin(), pairs.end());
  std::string ordered;
  for (const std::string& pair : pairs) ordered += (ordered.empty() ? '?' : '&') + pair;
  return out.replace(query, fragment - query, ordered);
}

}  // namespace collet::registry
