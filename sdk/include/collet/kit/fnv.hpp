// FNV-1a, of 64 bits: the same everywhere and for ever, which std::hash does not promise. No secret: whoever likes can find two texts
// with one hash.
//
// Threads: any. Errors: none.
#ifndef COLLET_KIT_FNV_HPP
#define COLLET_KIT_FNV_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace collet::kit {

constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// In sixteen hexadecimal digits.
inline std::string fnv1a_hex(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  const std::uint64_t hash = fnv1a(text);
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[hash >> shift & 15];
  return out;
}

}  // namespace collet::kit

#endif
