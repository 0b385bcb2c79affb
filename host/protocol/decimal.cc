#include "protocol/decimal.h"

#include <charconv>

namespace collet::protocol {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_exponent(std::string_view& text) {
  if (!take(text, 'e') && !take(text, 'E')) return 0;
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  const std::string_view digits = take_digits(text);
  std::int32_t exponent = 0;
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (bad != std::errc()) return std::nullopt;
  return negative ? -exponent : exponent;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Decimal out;
  out.negative = take(text, '-');
  const std::string_view whole = take_digits(text);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return std::nullopt;
  std::string_view fraction;
  if (take(text, '.') && (fraction = take_digits(text)).empty()) return std::nullopt;
  const auto exponent = take_exponent(text);
  if (!exponent || !text.empty()) return std::nullopt;

  out.digits.append(whole).append(fraction);
  out.exponent = *exponent - static_cast<std::int64_t>(fraction.size());
  const std::size_t last = out.digits.find_last_not_of('0');
  if (last == std::string::npos) return Decimal();
  out.exponent += static_cast<std::int64_t>(out.digits.size() - last - 1);
  out.digits.erase(last + 1);
  out.digits.erase(0, out.digits.find_first_not_of('0'));
  return out;
}

}  // namespace collet::protocol
