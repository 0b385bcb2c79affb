#include "schema/formats.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "schema/format_net.h"
#include "schema/regex_syntax.h"

namespace collet::schema {
namespace {

bool is_alnum(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

// Reads from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool ended() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (peek() != c || ended()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_any_case(char upper) { return take(upper) || take(static_cast<char>(upper | 0x20)); }
  // The number of digits taken.
  std::size_t digits() {
    std::size_t count = 0;
    for (; is_digit(peek()); ++count) rest_.remove_prefix(1);
    return count;
  }
  // Exactly two digits, or -1.
  int two_digits() {
    if (rest_.size() < 2 || !is_digit(rest_[0]) || !is_digit(rest_[1])) return -1;
    const int value = (rest_[0] - '0') * 10 + (rest_[1] - '0');
    rest_.remove_prefix(2);
    return value;
  }

 private:
  std::string_view rest_;
};

// RFC 3339 full-date.
bool read_date(Reader& in) {
  const int century = in.two_digits();
  const int years = in.two_digits();
  if (century < 0 || years < 0 || !in.take('-')) return false;
  const int month = in.two_digits();
  if (month < 1 || month > 12 || !in.take('-')) return false;
  const int year = century * 100 + years;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int day = in.two_digits();
  return day >= 1 && day <= kDays[month - 1] + (month == 2 && leap);
}

// RFC 3339 full-time.
bool read_time(Reader& in) {
  const int hour = in.two_digits();
  if (hour < 0 || hour > 23 || !in.take(':')) return false;
  const int minute = in.two_digits();
  if (minute < 0 || minute > 59 || !in.take(':')) return false;
  const int second = in.two_digits();
  if (second < 0 || second > 60) return false;
  if (in.take('.') && in.digits() == 0) return false;
  int offset = 0;
  if (!in.take_any_case('Z')) {
    const bool east = in.take('+');
    if (!east && !in.take('-')) return false;
    const int hours = in.two_digits();
    if (hours < 0 || hours > 23 || !in.take(':')) return false;
    const int minutes = in.two_digits();
    if (minutes < 0 || minutes > 59) return false;
    offset = (hours * 60 + minutes) * (east ? 1 : -1);
  }
  constexpr int kDay = 24 * 60;
  const int utc = (hour * 60 + minute - offset + 2 * kDay) % kDay;
  return second < 60 || utc == kDay - 1;  // a leap second ends the day
}

bool is_date(std::string_view text) {
  Reader in(text);
  return read_date(in) && in.ended();
}

bool is_time(std::string_view text) {
  Reader in(text);
  return read_time(in) && in.ended();
}

bool is_date_time(std::string_view text) {
  Reader in(text);
  return read_date(in) && in.take_any_case('T') && read_time(in) && in.ended();
}

// Takes amounts with the given units, in order and without a gap; the number taken, or -1.
int read_amounts(Reader& in, std::string_view units) {
  int count = 0;
  std::size_t next = 0;
  while (is_digit(in.peek())) {
    in.digits();
    const std::size_t unit = units.find(in.peek());
    if (in.ended() || unit == std::string_view::npos || unit < next || (count > 0 && unit != next)) return -1;
    in.take(units[unit]);
    next = unit + 1;
    ++count;
  }
  return count;
}

// RFC 3339 appendix A.
bool is_duration(std::string_view text) {
  if (text.size() > 2 && text.back() == 'W') {
    Reader weeks(text.substr(1, text.size() - 2));
    return text[0] == 'P' && weeks.digits() > 0 && weeks.ended();
  }
  Reader in(text);
  if (!in.take('P')) return false;
  const int days = read_amounts(in, "YMD");
  if (days < 0) return false;
  if (in.take('T')) return read_amounts(in, "HMS") > 0 && in.ended();
  return days > 0 && in.ended();
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

bool is_relative_json_pointer(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  const std::string_view rest = text.substr(digits);
  return rest == "#" || is_json_pointer(rest);
}

bool is_regex(std::string_view text) { return translate_regex(text).ok(); }

bool is_percent_triplet(std::string_view text, std::size_t at) {
  return text.size() - at >= 3 && is_hex(text[at + 1]) && is_hex(text[at + 2]);
}

// RFC 6570: one name with its modifier.
bool is_template_variable(std::string_view text) {
  if (!text.empty() && text.back() == '*') {
    text.remove_suffix(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view length = text.substr(colon + 1);
    if (length.empty() || length.size() > 4 || length[0] == '0') return false;
    for (char c : length) {
      if (!is_digit(c)) return false;
    }
    text = text.substr(0, colon);
  }
  bool dot_allowed = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (!std::exchange(dot_allowed, false)) return false;
      continue;
    }
    dot_allowed = true;
    if (text[i] == '%') {
      if (!is_percent_triplet(text, i)) return false;
      i += 2;
    } else if (!is_alnum(text[i]) && text[i] != '_') {
      return false;
    }
  }
  return dot_allowed;
}

bool is_template_expression(std::string_view text) {
  constexpr std::string_view kOperators = "+#./;?&=,!@|";
  if (!text.empty() && kOperators.find(text[0]) != std::string_view::npos) text.remove_prefix(1);
  while (true) {
    const std::size_t comma = text.find(',');
    if (!is_template_variable(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool is_uri_template(std::string_view text) {
  constexpr std::string_view kForbidden = "\"<>\\^`|} ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos || !is_template_expression(text.substr(i + 1, end - i - 1))) return false;
      i = end;
    } else if (c == '%') {
      if (!is_percent_triplet(text, i)) return false;
      i += 2;
    } else if (c < 0x20 || c == 0x7f || kForbidden.find(text[i]) != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

struct Known {
  std::string_view name;
  FormatCheck check;
};

constexpr Known kKnown[] = {{"date-time", is_date_time},
                            {"date", is_date},
                            {"time", is_time},
                            {"duration", is_duration},
                            {"email", is_email},
                            {"idn-email", is_idn_email},
                            {"hostname", is_hostname},
                            {"idn-hostname", is_idn_hostname},
                            {"ipv4", is_ipv4},
                            {"ipv6", is_ipv6},
                            {"uri", is_uri},
                            {"uri-reference", is_uri_reference},
                            {"iri", is_iri},
                            {"iri-reference", is_iri_reference},
                            {"uri-template", is_uri_template},
                            {"uuid", is_uuid},
                            {"json-pointer", is_json_pointer},
                            {"relative-json-pointer", is_relative_json_pointer},
                            {"regex", is_regex}};

}  // namespace

FormatCheck find_format(std::string_view name) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.check;
  }
  return nullptr;
}

}  // namespace collet::schema
