// Numbers as text, compared exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace collet::protocol {

// digits × 10^exponent, without zeros at either end: what is equal has equal members. Zero has no digits.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  // Of a JSON number (RFC 8259 §6), of any size and precision; nothing of other text.
  static std::optional<Decimal> parse(std::string_view text);
  bool operator==(const Decimal&) const = default;
};

}  // namespace collet::protocol
