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

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto kBase64Values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(0xff);
  for (std::uint8_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(kBase64[i])] = i;
  return table;
}();

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

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, p += 3) {
    const unsigned triple = static_cast<unsigned>(p[0]) << 16 | static_cast<unsigned>(p[1]) << 8 | p[2];
    *to++ = kBase64[triple >> 18];
    *to++ = kBase64[triple >> 12 & 63];
    *to++ = kBase64[triple >> 6 & 63];
    *to++ = kBase64[triple & 63];
  }
  if (left == 0) return;
  const unsigned triple = static_cast<unsigned>(p[0]) << 16 | (left == 2 ? static_cast<unsigned>(p[1]) << 8 : 0);
  *to++ = kBase64[triple >> 18];
  *to++ = kBase64[triple >> 12 & 63];
  *to++ = left == 2 ? kBase64[triple >> 6 & 63] : '=';
  *to++ = '=';
}

std::optional<std::string> from_base64(std::string_view encoded) {
  if (encoded.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < encoded.size() && encoded[encoded.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = encoded.substr(0, encoded.size() - padding);
  std::string out;
  out.reserve(digits.size() / 4 * 3 + 2);
  unsigned bits = 0;
  unsigned held = 0;
  for (char c : digits) {
    const std::uint8_t value = kBase64Values[static_cast<unsigned char>(c)];
    if (value == 0xff) return std::nullopt;
    held = held << 6 | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(held >> bits & 0xff);
    }
  }
  if (held & ((1u << bits) - 1)) return std::nullopt;  // stray bits: two texts would decode to the same bytes
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

// It takes no more steps than the product of their lengths: each * takes as little as it can, and is not gone back to once a later one
// has been reached.
bool is_like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resumed = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resumed = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resumed;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kMarks.find(c) != kMarks.npos;
  });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  for (std::size_t i = a.size(); i-- > 0;) {  // names that differ do so at their end: Mcp-Method, Mcp-Name
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string in_quotes(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted;
}

}  // namespace collet::text
