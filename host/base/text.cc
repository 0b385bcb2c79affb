#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace collet::text {
namespace {

// The length of the well-formed sequence at `p`, or 0. `p < end`.
std::size_t sequence_length(const unsigned char* p, const unsigned char* end) {
  const auto continuation = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xbf) {
    return p + at < end && p[at] >= low && p[at] <= high;
  };
  const unsigned lead = p[0];
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return continuation(1) ? 2 : 0;
  if (lead < 0xf0) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continuation(1, low, high) && continuation(2) ? 3 : 0;
  }
  if (lead < 0xf5) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return continuation(1, low, high) && continuation(2) && continuation(3) ? 4 : 0;
  }
  return 0;
}

constexpr auto kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~0123456789")) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  return table;
}();

// What a byte becomes inside a JSON string: 0 as it is, 'u' a \u escape, 'x' part of a longer sequence.
constexpr auto kEscapes = [] {
  std::array<char, 256> table{};
  for (unsigned i = 0; i < 0x20; ++i) table[i] = 'u';
  for (unsigned i = 0x80; i < 0x100; ++i) table[i] = 'x';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}();

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

}  // namespace

bool is_utf8(std::string_view bytes) { return utf8_prefix(bytes) == bytes.size(); }

std::size_t utf8_prefix(std::string_view bytes) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* p = begin;
  const auto* const end = p + bytes.size();
  while (p < end) {
    while (end - p >= 8) {  // eight ASCII bytes at a time
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      if (word & 0x8080808080808080u) break;
      p += 8;
    }
    if (p == end) break;
    const std::size_t length = sequence_length(p, end);
    if (length == 0) break;
    p += length;
  }
  return static_cast<std::size_t>(p - begin);
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

Utf8::Utf8(std::string_view bytes) : view_(bytes) {
  if (is_utf8(bytes)) return;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = p + bytes.size();
  while (p < end) {
    if (const std::size_t length = sequence_length(p, end)) {
      mended_.append(reinterpret_cast<const char*>(p), length);
      p += length;
    } else {
      mended_ += kReplacement;
      ++p;
    }
  }
  view_ = mended_;
}

void append_json_string(std::string& out, std::string_view bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = p + bytes.size();
  const auto* plain = p;  // start of the run that needs no escape
  const auto flush = [&] { out.append(reinterpret_cast<const char*>(plain), static_cast<std::size_t>(p - plain)); };
  out += '"';
  while (p < end) {
    const char escape = kEscapes[*p];
    if (escape == 0) {
      ++p;
      continue;
    }
    if (escape == 'x') {
      if (const std::size_t length = sequence_length(p, end)) {
        p += length;
        continue;
      }
      flush();
      out += kReplacement;
    } else if (escape == 'u') {
      flush();
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00";
      out += kHex[*p >> 4];
      out += kHex[*p & 15];
    } else {
      flush();
      out += '\\';
      out += escape;
    }
    plain = ++p;
  }
  flush();
  out += '"';
}

std::string json_strings(std::span<const std::string> strings) {
  std::string out = "[";
  for (const std::string& string : strings) {
    if (out.size() > 1) out += ',';
    append_json_string(out, string);
  }
  return out + ']';
}

std::string json_string(std::string_view bytes) {
  std::string out;
  append_json_string(out, bytes);
  return out;
}

std::optional<HostAndPort> split_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of(in_brackets ? "[]" : "[]:") != std::string_view::npos) return std::nullopt;
  HostAndPort parts{std::string(host), 0};
  const auto read = std::from_chars(text.data() + colon + 1, text.data() + text.size(), parts.port);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || parts.port == 0) return std::nullopt;
  return parts;
}

std::size_t token_size(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), [](unsigned char c) { return kTokenBytes[c]; });
  return static_cast<std::size_t>(end - text.begin());
}

std::string in_quotes(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted;
}

}  // namespace collet::text
