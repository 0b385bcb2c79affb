#include "schema/number.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace collet::schema {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t magnitude(std::int64_t i) {
  return i < 0 ? ~static_cast<std::uint64_t>(i) + 1 : static_cast<std::uint64_t>(i);
}

Decimal shortest(double d) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, std::fabs(d), std::chars_format::scientific).ptr;
  Decimal decimal;
  const char* p = text;
  for (bool fraction = false; *p != 'e'; ++p) {
    if (*p == '.') {
      fraction = true;
      continue;
    }
    decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*p - '0');
    decimal.exponent -= fraction;
  }
  int exponent = 0;
  std::from_chars(p[1] == '+' ? p + 2 : p + 1, end, exponent);
  decimal.exponent += exponent;
  return decimal;
}

// digits × 10^exponent mod modulus, for exponent >= 0.
std::uint64_t scaled_modulo(std::uint64_t digits, int exponent, std::uint64_t modulus) {
  Wide result = digits % modulus;
  Wide base = 10 % modulus;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = result * base % modulus;
    base = base * base % modulus;
  }
  return static_cast<std::uint64_t>(result);
}

// The 64-bit integer that is nearest to a whole number.
std::int64_t clamp(long double whole) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (whole <= static_cast<long double>(Limits::min())) return Limits::min();
  if (whole >= static_cast<long double>(Limits::max())) return Limits::max();
  return static_cast<std::int64_t>(whole);
}

}  // namespace

Decimal Decimal::of(const json::Value& number) {
  if (number.IsInt64()) return {magnitude(number.GetInt64()), 0};
  if (number.IsUint64()) return {number.GetUint64(), 0};
  return shortest(number.GetDouble());
}

Divisor::Divisor(const json::Value& number) : decimal_(Decimal::of(number)) {
  if (number.IsInt64() || number.IsUint64()) integer_ = decimal_.digits;
}

bool Divisor::divides(const json::Value& number) const {
  const Decimal value = Decimal::of(number);
  if (integer_ != 0 && value.exponent == 0) return value.digits % integer_ == 0;
  int shift = value.exponent - decimal_.exponent;
  if (shift >= 0) return scaled_modulo(value.digits, shift, decimal_.digits) == 0;
  std::uint64_t digits = value.digits;
  for (; shift < 0 && digits != 0; ++shift) {
    if (digits % 10 != 0) return false;
    digits /= 10;
  }
  return digits % decimal_.digits == 0;
}

std::string Divisor::to_text() const {
  if (decimal_.exponent == 0) return std::to_string(decimal_.digits);
  return fmt::format("{}", std::strtod(fmt::format("{}e{}", decimal_.digits, decimal_.exponent).c_str(), nullptr));
}

Range::Range(Bound min, Bound max, Bound exclusive_min, Bound exclusive_max)
    : minimum(min), maximum(max), exclusive_minimum(exclusive_min), exclusive_maximum(exclusive_max) {
  const auto at_least = [&](long double whole) { lowest_ = std::max(lowest_, clamp(whole)); };
  const auto at_most = [&](long double whole) { highest_ = std::min(highest_, clamp(whole)); };
  if (min) at_least(std::ceil(*min));
  if (exclusive_min) at_least(std::floor(*exclusive_min) + 1);
  if (max) at_most(std::floor(*max));
  if (exclusive_max) at_most(std::ceil(*exclusive_max) - 1);
  // Clamping must not let the outermost integers in where even they are out of range.
  if (!has(static_cast<long double>(lowest_)) || !has(static_cast<long double>(highest_))) {
    lowest_ = 1;
    highest_ = 0;
  }
}

bool Range::has(long double number) const {
  return !(minimum && number < *minimum) && !(maximum && number > *maximum) &&
         !(exclusive_minimum && number <= *exclusive_minimum) &&
         !(exclusive_maximum && number >= *exclusive_maximum);
}

std::string to_text(long double number) {
  constexpr long double kBeyondIntegers = 18446744073709551616.0L;  // 2^64
  if (std::fabs(number) < kBeyondIntegers && std::truncl(number) >= number && std::truncl(number) <= number) {
    return fmt::format("{:.0f}", number);
  }
  return fmt::format("{}", static_cast<double>(number));
}

}  // namespace collet::schema
