// JSON numbers, exactly: 64-bit integers, and doubles for the rest.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/json.h"

namespace collet::schema {

static_assert(std::numeric_limits<long double>::digits >= 64, "holds every int64, uint64 and double exactly");

inline long double exact(const json::Value& number) {
  if (number.IsInt64()) return static_cast<long double>(number.GetInt64());
  if (number.IsUint64()) return static_cast<long double>(number.GetUint64());
  return static_cast<long double>(number.GetDouble());
}

inline bool is_integral(double d) {
  constexpr double kAllIntegral = 9007199254740992.0;  // 2^53
  if (d >= kAllIntegral || d <= -kAllIntegral) return true;
  const double whole = static_cast<double>(static_cast<std::int64_t>(d));
  return !(whole < d) && !(whole > d);
}

// 1, 1.0 and 1e0 are the same integer.
inline bool is_integer(const json::Value& number) {
  return number.IsInt64() || number.IsUint64() || is_integral(number.GetDouble());
}

// digits × 10^exponent, without the sign.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;

  // Of a double: the shortest decimal that reads back as the same double, which is what its author wrote.
  static Decimal of(const json::Value& number);
};

// The divisor of multipleOf; not zero.
class Divisor {
 public:
  explicit Divisor(const json::Value& number);
  bool divides(const json::Value& number) const;
  std::string to_text() const;

 private:
  Decimal decimal_;
  std::uint64_t integer_ = 0;  // the divisor itself, if it is a 64-bit integer
};

// As a person would write it.
std::string to_text(long double number);

}  // namespace collet::schema
