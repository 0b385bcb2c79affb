#include "files/utf8.h"

namespace files {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// How many bytes a character that starts with `lead` has; 0 if none does.
std::size_t length_of(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xc2) return 0;
  if (byte < 0xe0) return 2;
  if (byte < 0xf0) return 3;
  return byte < 0xf5 ? 4 : 0;
}

}  // namespace

std::size_t decode_utf8(std::string_view bytes, char32_t& character) {
  constexpr char32_t kFirst[] = {0, 0, 0x80, 0x800, 0x10000};  // the least character of each length
  const std::size_t length = length_of(bytes[0]);
  if (length == 0 || length > bytes.size()) return 0;
  character = static_cast<unsigned char>(bytes[0]);
  if (length == 1) return 1;
  character &= 0x7fu >> length;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(bytes[i])) return 0;
    character = character << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3f);
  }
  const bool is_surrogate = character >= 0xd800 && character < 0xe000;
  return character < kFirst[length] || is_surrogate || character > 0x10ffff ? 0 : length;
}

bool is_utf8(std::string_view bytes) {
  char32_t character;
  while (!bytes.empty()) {
    const std::size_t length = decode_utf8(bytes, character);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

bool is_text(std::string_view bytes) { return bytes.find('\0') == bytes.npos && is_utf8(bytes); }

std::string_view whole_characters(std::string_view bytes) {
  for (int i = 0; i < 3 && !bytes.empty() && is_continuation(bytes.front()); ++i) bytes.remove_prefix(1);
  for (std::size_t tail = 1; tail <= 3 && tail <= bytes.size(); ++tail) {
    const char byte = bytes[bytes.size() - tail];
    if (is_continuation(byte)) continue;
    if (length_of(byte) > tail) bytes.remove_suffix(tail);
    break;
  }
  return bytes;
}

}  // namespace files
