// Bytes that claim to be text: UTF-8, JSON strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "collet/kit/text.hpp"

namespace collet::text {

// RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view bytes);
// How many bytes at the beginning are that.
std::size_t utf8_prefix(std::string_view bytes);

// Without the byte order mark that some editors and libraries put first (RFC 8259 §8.1 lets a reader ignore it).
std::string_view without_byte_order_mark(std::string_view text);

// A borrowed text that is UTF-8: each byte of `bytes` that is not has become U+FFFD, in a copy.
class Utf8 {
 public:
  explicit Utf8(std::string_view bytes);
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;

  std::string_view view() const { return view_; }

 private:
  std::string mended_;
  std::string_view view_;
};

// Appends `bytes` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view bytes);
// The same by itself, as a string stands in a configuration; for messages.
std::string in_quotes(std::string_view text);
// A key of a configuration as it may stand in a dotted name.
std::string bare_or_quoted(std::string_view key);
// "a, b or c", of texts.
template <class Texts>
std::string either(const Texts& texts) {
  std::string list;
  std::size_t left = std::size(texts);
  for (const auto& text : texts) {
    list += text;
    if (--left > 0) list += left > 1 ? ", " : " or ";
  }
  return list;
}
// A JSON array of strings.
std::string json_strings(std::span<const std::string> strings);
std::string json_string(std::string_view bytes);

// "api.example.com:443", "[::1]:80" in two, without brackets; nothing if it is not that.
struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<HostAndPort> split_host_and_port(std::string_view text);

using kit::equals_ignoring_case;
using kit::is_like;
// Of the token (RFC 9110 §5.6.2) that the text begins with: what names fields and methods. 0: with none.
std::size_t token_size(std::string_view text);
inline bool is_token(std::string_view text) { return !text.empty() && token_size(text) == text.size(); }

}  // namespace collet::text
