#include "base/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/scan.h"

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

// What a byte becomes inside a JSON string: 0 as it is, 'u' a \u escape, else that letter after a backslash.
constexpr auto kEscapes = [] {
  std::array<char, 256> table{};
  for (unsigned i = 0; i < 0x20; ++i) table[i] = 'u';
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

constexpr std::size_t kEscapeBytesMax = 6;
constexpr std::size_t kEscapedBlocks = 32;  // at a time: what is made of them stays near the processor

// Writes the escape of `byte`, which has one; where it ends.
char* write_escape(char* to, char byte) {
  const char escape = kEscapes[static_cast<unsigned char>(byte)];
  *to++ = '\\';
  if (escape != 'u') {
    *to++ = escape;
    return to;
  }
  constexpr char kHex[] = "0123456789abcdef";
  to = std::copy_n("u00", 3, to);
  *to++ = kHex[static_cast<unsigned char>(byte) >> 4];
  *to++ = kHex[byte & 15];
  return to;
}

// Writes one block with the escapes of the bytes that are marked, and as much as a block of anything behind it; where the block ends.
char* write_block(char* to, const char* block, std::uint64_t marks) {
  char bytes[2 * Scanner::kBlockBytes] = {};  // so that each run is copied by as many as one can have, which takes no call
  std::memcpy(bytes, block, Scanner::kBlockBytes);
  std::size_t at = 0;
  for (; marks != 0; marks &= marks - 1) {
    const auto marked = static_cast<std::size_t>(std::countr_zero(marks));
    std::memcpy(to, bytes + at, Scanner::kBlockBytes);
    to = write_escape(to + (marked - at), bytes[marked]);
    at = marked + 1;
  }
  std::memcpy(to, bytes + at, Scanner::kBlockBytes);
  return to + (Scanner::kBlockBytes - at);
}

// Appends whole blocks of UTF-8, at most kEscapedBlocks.
void append_blocks(std::string& out, const char* bytes, std::size_t blocks) {
  std::uint64_t marks[kEscapedBlocks];
  if (!scanner().mark_escapes(bytes, blocks, marks)) {
    out.append(bytes, blocks * Scanner::kBlockBytes);
    return;
  }
  char written[(kEscapedBlocks * kEscapeBytesMax + 1) * Scanner::kBlockBytes];
  char* end = written;
  for (std::size_t i = 0; i < blocks; ++i) end = write_block(end, bytes + i * Scanner::kBlockBytes, marks[i]);
  out.append(written, end);
}

// Appends UTF-8.
void append_escaped(std::string& out, std::string_view text) {
  while (text.size() >= Scanner::kBlockBytes) {
    const std::size_t blocks = std::min(text.size() / Scanner::kBlockBytes, kEscapedBlocks);
    append_blocks(out, text.data(), blocks);
    text.remove_prefix(blocks * Scanner::kBlockBytes);
  }
  const char* plain = text.data();  // start of the run that needs no escape
  const char* const end = plain + text.size();
  for (const char* p = plain; p < end; ++p) {
    if (kEscapes[static_cast<unsigned char>(*p)] == 0) continue;
    char escape[kEscapeBytesMax];
    out.append(plain, p).append(escape, write_escape(escape, *p));
    plain = p + 1;
  }
  out.append(plain, end);
}

}  // namespace

bool is_utf8(std::string_view bytes) { return utf8_prefix(bytes) == bytes.size(); }

std::size_t utf8_prefix(std::string_view bytes) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = begin + bytes.size();
  const auto* p = begin + (bytes.size() < Scanner::kBlockBytes ? 0 : scanner().utf8_blocks(bytes));
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
  constexpr std::size_t kPart = kEscapedBlocks * Scanner::kBlockBytes;  // checked and then, while it is at hand, written
  out += '"';
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPart);
    const std::size_t good = utf8_prefix(part);
    append_escaped(out, part.substr(0, good));
    bytes.remove_prefix(good);
    if (good == part.size()) continue;
    // Cut off by the part's end, or not UTF-8.
    const auto* const p = reinterpret_cast<const unsigned char*>(bytes.data());
    const std::size_t length = sequence_length(p, p + bytes.size());
    out.append(length > 0 ? bytes.substr(0, length) : kReplacement);
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
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

std::string bare_or_quoted(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string(key) : in_quotes(key);
}

}  // namespace collet::text
