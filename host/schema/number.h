// JSON numbers, exactly: 64-bit integers, and doubles for the rest.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
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

// minimum, maximum, exclusiveMinimum and exclusiveMaximum of one schema.
class Range {
 public:
  using Bound = std::optional<long double>;

  Range(Bound minimum, Bound maximum, Bound exclusive_minimum, Bound exclusive_maximum);

  bool has(const json::Value& number) const {
    if (!number.IsInt64()) return has(exact(number));
    const std::int64_t i = number.GetInt64();
    return i >= lowest_ && i <= highest_;
  }
  // Whether there is no bound at all.
  bool is_open() const { return !minimum && !maximum && !exclusive_minimum && !exclusive_maximum; }

  Bound minimum;
  Bound maximum;
  Bound exclusive_minimum;
  Bound exclusive_maximum;

 private:
  bool has(long double number) const;

  // The 64-bit integers that are in range; none if they are out of order.
  std::int64_t lowest_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t highest_ = std::numeric_limits<std::int64_t>::max();
};

// As a person would write it.
std::string to_text(long double number);

}  // namespace collet::schema
