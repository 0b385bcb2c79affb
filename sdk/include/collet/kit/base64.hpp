// Base64 as RFC 4648 has it: the standard alphabet with padding (§4), and that for URLs and file names without (§5). Reading is strict:
// of all texts that could stand for some bytes, only that which is written here is taken.
//
// Threads: any. Errors: reading gives nothing for what is no base64.
#ifndef COLLET_KIT_BASE64_HPP
#define COLLET_KIT_BASE64_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace collet::kit {
namespace detail {

struct Base64Alphabet {
  std::array<char, 64> digits{};
  std::array<std::uint8_t, 256> values{};  // 0xff: no digit
  bool padded = false;
};

constexpr Base64Alphabet base64_alphabet(std::string_view digits, bool padded) {
  Base64Alphabet alphabet;
  alphabet.padded = padded;
  alphabet.values.fill(0xff);
  for (std::uint8_t i = 0; i < 64; ++i) {
    alphabet.digits[i] = digits[i];
    alphabet.values[static_cast<unsigned char>(digits[i])] = i;
  }
  return alphabet;
}

inline constexpr Base64Alphabet kBase64 =
    base64_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
inline constexpr Base64Alphabet kBase64Url =
    base64_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);

template <const Base64Alphabet& alphabet>
void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + (alphabet.padded ? (bytes.size() + 2) / 3 * 4 : (bytes.size() * 4 + 2) / 3));
  char* to = out.data() + start;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, p += 3) {
    const unsigned triple = static_cast<unsigned>(p[0]) << 16 | static_cast<unsigned>(p[1]) << 8 | p[2];
    *to++ = alphabet.digits[triple >> 18];
    *to++ = alphabet.digits[triple >> 12 & 63];
    *to++ = alphabet.digits[triple >> 6 & 63];
    *to++ = alphabet.digits[triple & 63];
  }
  if (left == 0) return;
  const unsigned triple = static_cast<unsigned>(p[0]) << 16 | (left == 2 ? static_cast<unsigned>(p[1]) << 8 : 0);
  *to++ = alphabet.digits[triple >> 18];
  *to++ = alphabet.digits[triple >> 12 & 63];
  if (left == 2) *to++ = alphabet.digits[triple >> 6 & 63];
  if (!alphabet.padded) return;
  if (left == 1) *to++ = '=';
  *to++ = '=';
}

// Digits alone, without padding.
template <const Base64Alphabet& alphabet>
std::optional<std::string> from_base64(std::string_view digits) {
  if (digits.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(digits.size() / 4 * 3 + 2);
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : digits) {
    const std::uint8_t value = alphabet.values[static_cast<unsigned char>(c)];
    if (value == 0xff) return std::nullopt;
    held = held << 6 | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(held >> bits & 0xff);
    }
  }
  if (held & ((1u << bits) - 1)) return std::nullopt;  // stray bits: two texts would stand for the same bytes
  return out;
}

}  // namespace detail

// RFC 4648 §4, with padding.
inline void append_base64(std::string& out, std::string_view bytes) { detail::append_base64<detail::kBase64>(out, bytes); }

inline std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

// §5, without padding.
inline std::string base64url(std::string_view bytes) {
  std::string out;
  detail::append_base64<detail::kBase64Url>(out, bytes);
  return out;
}

// Nothing unless `encoded` is exactly what base64() would give.
inline std::optional<std::string> from_base64(std::string_view encoded) {
  if (encoded.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < encoded.size() && encoded[encoded.size() - 1 - padding] == '=') ++padding;
  return detail::from_base64<detail::kBase64>(encoded.substr(0, encoded.size() - padding));
}

// The same of base64url().
inline std::optional<std::string> from_base64url(std::string_view encoded) {
  return detail::from_base64<detail::kBase64Url>(encoded);
}

}  // namespace collet::kit

#endif
