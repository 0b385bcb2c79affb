#include "schema/idna.h"

#include <re2/re2.h>

#include <cstdint>

#include "base/text.h"
#include "schema/char_set.h"

namespace collet::schema::idna {
namespace {

// Punycode's parameters (RFC 3492 §5).
constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kTMin = 1;
constexpr std::uint32_t kTMax = 26;
constexpr std::uint32_t kSkew = 38;
constexpr std::uint32_t kDamp = 700;
constexpr std::uint32_t kInitialBias = 72;
constexpr std::uint32_t kInitialN = 128;
constexpr std::size_t kLabelCharsMax = 63;  // more do not fit into an A-label

std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > ((kBase - kTMin) * kTMax) / 2; k += kBase) delta /= kBase - kTMin;
  return k + (kBase - kTMin + 1) * delta / (delta + kSkew);
}

std::uint32_t threshold(std::uint32_t k, std::uint32_t bias) {
  return k <= bias ? kTMin : k >= bias + kTMax ? kTMax : k - bias;
}

std::optional<std::u32string> decode_punycode(std::string_view text) {
  std::u32string out;
  if (const std::size_t hyphen = text.rfind('-'); hyphen != std::string_view::npos) {
    for (char c : text.substr(0, hyphen)) out += static_cast<unsigned char>(c);
    text.remove_prefix(hyphen + 1);
  }
  std::uint32_t n = kInitialN;
  std::uint32_t i = 0;
  std::uint32_t bias = kInitialBias;
  while (!text.empty()) {
    const std::uint32_t start = i;
    std::uint64_t weight = 1;
    for (std::uint32_t k = kBase;; k += kBase) {
      if (text.empty()) return std::nullopt;
      const char c = text.front();
      text.remove_prefix(1);
      const std::uint32_t digit = c >= '0' && c <= '9' ? static_cast<std::uint32_t>(c - '0') + 26
                                                       : static_cast<std::uint32_t>((c | 0x20) - 'a');
      const std::uint64_t sum = i + digit * weight;
      if (digit >= kBase || sum > kCodePointMax * (kLabelCharsMax + 1)) return std::nullopt;
      i = static_cast<std::uint32_t>(sum);
      const std::uint32_t t = threshold(k, bias);
      if (digit < t) break;
      weight *= kBase - t;
    }
    const auto points = static_cast<std::uint32_t>(out.size()) + 1;
    bias = adapt(i - start, points, start == 0);
    n += i / points;
    i %= points;
    if (n > kCodePointMax || points > kLabelCharsMax) return std::nullopt;
    out.insert(out.begin() + i++, n);
  }
  return out;
}

std::string encode_punycode(const std::u32string& label) {
  std::string out;
  for (char32_t c : label) {
    if (c < kInitialN) out += static_cast<char>(c);
  }
  const auto basic = static_cast<std::uint32_t>(out.size());
  std::uint32_t handled = basic;
  if (basic > 0) out += '-';
  std::uint32_t n = kInitialN;
  std::uint32_t delta = 0;
  std::uint32_t bias = kInitialBias;
  const auto put = [&](std::uint32_t digit) {
    out += static_cast<char>(digit < 26 ? 'a' + digit : '0' + digit - 26);
  };
  while (handled < label.size()) {
    std::uint32_t next = kCodePointMax;
    for (char32_t c : label) {
      if (c >= n && c < next) next = c;
    }
    delta += (next - n) * (handled + 1);
    n = next;
    for (char32_t c : label) {
      if (c < n) ++delta;
      if (c != n) continue;
      std::uint32_t q = delta;
      for (std::uint32_t k = kBase;; k += kBase) {
        const std::uint32_t t = threshold(k, bias);
        if (q < t) break;
        put(t + (q - t) % (kBase - t));
        q = (q - t) / (kBase - t);
      }
      put(q);
      bias = adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta, ++n;
  }
  return out;
}

bool matches(const RE2& set, char32_t c) {
  std::string text;
  append_utf8(text, c);
  return RE2::FullMatch(text, set);
}

// RFC 5892 §2.6: what the general rule would decide otherwise.
bool is_exception_valid(char32_t c) {
  return c == 0xdf || c == 0x3c2 || c == 0x6fd || c == 0x6fe || c == 0xf0b || c == 0x3007;
}
bool is_exception_disallowed(char32_t c) {
  return c == 0x640 || c == 0x7fa || c == 0x302e || c == 0x302f || (c >= 0x3031 && c <= 0x3035) || c == 0x303b;
}

// §2.1, less what case folding and compatibility mapping change; the latter is not decided here.
bool is_letter_digit(char32_t c) {
  static const RE2 set("[\\p{Ll}\\p{Lo}\\p{Lm}\\p{Mn}\\p{Mc}\\p{Nd}]");
  static const RE2 compatibility(
      "[\\x{1100}-\\x{11ff}\\x{a960}-\\x{a97c}\\x{d7b0}-\\x{d7fb}\\x{fb00}-\\x{fdff}"
      "\\x{fe70}-\\x{fefc}\\x{ff00}-\\x{ffef}\\x{aa}\\x{ba}]");
  return matches(set, c) && !matches(compatibility, c);
}

bool has_script(std::u32string_view label, const RE2& script) {
  for (char32_t c : label) {
    if (matches(script, c)) return true;
  }
  return false;
}

bool has_between(std::u32string_view label, char32_t first, char32_t last) {
  for (char32_t c : label) {
    if (c >= first && c <= last) return true;
  }
  return false;
}

bool is_virama(char32_t c) {
  static const RE2 set(
      "[\\x{94d}\\x{9cd}\\x{a4d}\\x{acd}\\x{b4d}\\x{bcd}\\x{c4d}\\x{ccd}\\x{d3b}\\x{d3c}\\x{d4d}\\x{dca}\\x{e3a}"
      "\\x{eba}\\x{f84}\\x{1039}\\x{103a}\\x{1714}\\x{1734}\\x{17d2}\\x{1a60}\\x{1b44}\\x{1baa}\\x{1bab}\\x{1bf2}"
      "\\x{1bf3}\\x{2d7f}\\x{a806}\\x{a8c4}\\x{a953}\\x{a9c0}\\x{aaf6}\\x{abed}]");
  return matches(set, c);
}

// Appendix A.1: between Arabic letters, the only joining script whose letters are told apart from the rest here.
bool joins(std::u32string_view label, std::size_t at) {
  static const RE2 joining("[\\p{Arabic}\\p{Syriac}\\p{Nko}\\p{Mongolian}]");
  static const RE2 transparent("\\p{Mn}");
  std::size_t before = at;
  while (before > 0 && matches(transparent, label[before - 1])) --before;
  std::size_t behind = at + 1;
  while (behind < label.size() && matches(transparent, label[behind])) ++behind;
  return before > 0 && behind < label.size() && matches(joining, label[before - 1]) &&
         matches(joining, label[behind]);
}

// RFC 5892 appendix A: characters allowed only where their context is right. Nothing if `at` is none of them.
std::optional<bool> obeys_context(std::u32string_view label, std::size_t at) {
  static const RE2 greek("\\p{Greek}");
  static const RE2 hebrew("\\p{Hebrew}");
  static const RE2 japanese("[\\p{Hiragana}\\p{Katakana}\\p{Han}]");
  const char32_t c = label[at];
  const char32_t before = at > 0 ? label[at - 1] : 0;
  const char32_t behind = at + 1 < label.size() ? label[at + 1] : 0;
  if (c == 0x200d) return is_virama(before);
  if (c == 0x200c) return is_virama(before) || joins(label, at);
  if (c == 0xb7) return before == 'l' && behind == 'l';
  if (c == 0x375) return matches(greek, behind);
  if (c == 0x5f3 || c == 0x5f4) return matches(hebrew, before);
  if (c == 0x30fb) return has_script(label, japanese);
  if (c >= 0x660 && c <= 0x669) return !has_between(label, 0x6f0, 0x6f9);
  if (c >= 0x6f0 && c <= 0x6f9) return !has_between(label, 0x660, 0x669);
  return std::nullopt;
}

bool is_allowed(std::u32string_view label, std::size_t at) {
  const char32_t c = label[at];
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  if (is_exception_valid(c)) return true;
  if (is_exception_disallowed(c)) return false;
  if (const auto decided = obeys_context(label, at)) return *decided;
  return is_letter_digit(c);
}

bool is_u_label(std::u32string_view label) {
  static const RE2 mark("\\p{M}");
  if (label.empty() || label.size() > kLabelCharsMax || label.front() == '-' || label.back() == '-') return false;
  if ((label.size() >= 4 && label.substr(2, 2) == U"--") || matches(mark, label.front())) return false;
  bool ascii = true;
  for (std::size_t at = 0; at < label.size(); ++at) {
    if (!is_allowed(label, at)) return false;
    ascii &= label[at] < 0x80;
  }
  return !ascii;
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) out += next_code_point(text, at);
  return out;
}

bool has_prefix(std::string_view label) { return text::equals_ignoring_case(label.substr(0, 4), "xn--"); }

std::u32string unicode_of(std::string_view label) {
  if (!has_prefix(label)) return decode_utf8(label);
  return decode_punycode(label.substr(4)).value_or(std::u32string());
}

enum class Direction { left, right, arabic_number, european_number, mark, other };

Direction direction_of(char32_t c) {
  static const RE2 right(
      "[\\p{Hebrew}\\p{Arabic}\\p{Syriac}\\p{Thaana}\\p{Nko}\\p{Samaritan}\\p{Mandaic}\\p{Phoenician}\\p{Lydian}]");
  static const RE2 mark("\\p{Mn}");
  static const RE2 left("[\\p{L}\\p{Mc}\\p{Nd}]");
  if ((c >= '0' && c <= '9') || (c >= 0x6f0 && c <= 0x6f9)) return Direction::european_number;
  if (c >= 0x660 && c <= 0x669) return Direction::arabic_number;
  if (matches(mark, c)) return Direction::mark;
  if (matches(right, c)) return Direction::right;
  return matches(left, c) ? Direction::left : Direction::other;
}

}  // namespace

std::optional<std::string> to_a_label(std::string_view u_label) {
  const std::u32string label = decode_utf8(u_label);
  if (!is_u_label(label)) return std::nullopt;
  return "xn--" + encode_punycode(label);
}

bool is_a_label(std::string_view label) {
  if (!has_prefix(label)) return false;
  const auto decoded = decode_punycode(label.substr(4));
  if (!decoded || !is_u_label(*decoded)) return false;
  // One label, one spelling.
  if (!text::equals_ignoring_case(encode_punycode(*decoded), label.substr(4))) return false;
  return !is_right_to_left(label) || obeys_bidi_rule(label);
}

bool is_right_to_left(std::string_view label) {
  for (char32_t c : unicode_of(label)) {
    const Direction direction = direction_of(c);
    if (direction == Direction::right || direction == Direction::arabic_number) return true;
  }
  return false;
}

bool obeys_bidi_rule(std::string_view label) {
  const std::u32string text = unicode_of(label);
  if (text.empty()) return false;
  const Direction first = direction_of(text.front());
  const bool right = first == Direction::right;
  if (!right && first != Direction::left) return false;
  bool european = false;
  bool arabic = false;
  Direction last = first;
  for (char32_t c : text) {
    const Direction here = direction_of(c);
    european |= here == Direction::european_number;
    arabic |= here == Direction::arabic_number;
    if (here == (right ? Direction::left : Direction::right)) return false;
    if (!right && here == Direction::arabic_number) return false;
    if (here != Direction::mark) last = here;
  }
  if (right && european && arabic) return false;
  return last != Direction::other;
}

}  // namespace collet::schema::idna
