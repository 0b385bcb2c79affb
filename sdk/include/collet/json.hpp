// JSON for plugins: text in, text out, no tree in between and no dependency.
//
// JsonReader is a strict RFC 8259 pull reader: UTF-8 is checked, nesting is bounded, integers are exact. Whatever
// is wrong is thrown as collet::Error that names the place as a JSON Pointer: "/scale: expected number, got
// string".
#ifndef COLLET_JSON_HPP
#define COLLET_JSON_HPP

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <collet/kit/plain.hpp>

namespace collet::inline v1 {

// What went wrong, in words for the caller. Thrown by a tool it becomes a result with isError; thrown while the
// plugin is created it is the reason why it does not load.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// JSON text that is passed on as it is.
struct Json {
  std::string text;

  friend bool operator==(const Json& a, const Json& b) { return a.text == b.text; }
};

inline constexpr unsigned kJsonDepthMax = 128;

// ---- writing -------------------------------------------------------------------------------------------------

namespace detail {

// The length of the UTF-8 sequence at `p`, which has `size` > 0 bytes left; 0 if it is none (RFC 3629).
inline std::size_t utf8_sequence(const char* p, std::size_t size) {
  const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > size) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
  if (first == 0xED && byte(1) >= 0xA0) return 0;  // a surrogate
  if (first == 0xF0 && byte(1) < 0x90) return 0;   // overlong
  if (first == 0xF4 && byte(1) >= 0x90) return 0;  // past U+10FFFF
  return length;
}

inline void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6), put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12), put(0x80 | (code_point >> 6 & 0x3F)), put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18), put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F)), put(0x80 | (code_point & 0x3F));
  }
}

inline void append_escape(std::string& out, char c) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '\\';
  if (const auto at = kNamed.find(c); at != kNamed.npos) {
    out += kLetters[at];
  } else {
    out += "u00";
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

}  // namespace detail

// Appends `bytes` as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD.
inline void append_json(std::string& out, std::string_view bytes) {
  out += '"';
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t begin = i;
    i = static_cast<std::size_t>(kit::skip_plain_ascii(&bytes[i], bytes.data() + bytes.size()) - bytes.data());
    out.append(bytes, begin, i - begin);
    if (i == bytes.size()) break;
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      detail::append_escape(out, bytes[i++]);
    } else if (const std::size_t length = detail::utf8_sequence(&bytes[i], bytes.size() - i)) {
      out.append(bytes, i, length);
      i += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  out += '"';
}
inline void append_json(std::string& out, const std::string& text) { append_json(out, std::string_view(text)); }
inline void append_json(std::string& out, const char* text) { append_json(out, std::string_view(text)); }

inline void append_json(std::string& out, bool value) { out += value ? "true" : "false"; }

template <std::integral T>
void append_json(std::string& out, T value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// Throws Error for an infinity or NaN, which JSON cannot say.
template <std::floating_point T>
void append_json(std::string& out, T value) {
  if (!std::isfinite(value)) throw Error("the result is not a finite number");
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// The members of an object in the making, without its braces.
struct JsonMembers {
  std::string text;

  // Begins a member; its value is to be appended to `text`.
  void key(std::string_view name) {
    if (!text.empty() && text.back() != '{') text += ',';
    append_json(text, name);
    text += ':';
  }
  template <class T>
  void add(std::string_view name, const T& value) {
    key(name);
    append_json(text, value);
  }
  void add_raw(std::string_view name, std::string_view json) {
    key(name);
    text += json;
  }
};

// ---- reading -------------------------------------------------------------------------------------------------

// Reads one text from front to back. A typed read takes the next value or throws.
class JsonReader {
 public:
  // `text` is borrowed. `root` is how messages call the whole: "config" gives "config/limit: …".
  explicit JsonReader(std::string_view text, std::string_view root = {})
      : at_(text.data()), begin_(at_), end_(at_ + text.size()), root_(root) {}

  // The type of the next value as JSON Schema names it: "object", "array", "string", "number", "boolean", "null".
  const char* peek() {
    skip_space();
    if (at_ == end_) fail_syntax("a value is missing");
    if (*at_ == '{') return "object";
    if (*at_ == '[') return "array";
    if (*at_ == '"') return "string";
    if (*at_ == '-' || (*at_ >= '0' && *at_ <= '9')) return "number";
    if (at_word("true") || at_word("false")) return "boolean";
    if (at_word("null")) return "null";
    fail_syntax("expected a value");
  }

  bool read_bool() {
    if (take_word("true")) return true;
    if (take_word("false")) return false;
    fail_type("boolean");
  }

  // True and taken if the next value is null.
  bool read_null() { return take_word("null"); }

  // Exact. 3.0 and 3e2 are integers too, as in JSON Schema.
  template <std::integral T>
  T read_integer() {
    const Decimal number = scan_integer();
    if (number.negative) {
      if constexpr (std::is_signed_v<T>) {
        const auto limit = static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + 1;
        if (number.magnitude <= limit) return static_cast<T>(-static_cast<std::int64_t>(number.magnitude - 1) - 1);
      }
      fail("must be at least " + std::to_string(std::numeric_limits<T>::min()));
    }
    if (number.magnitude > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
      fail("must be at most " + std::to_string(std::numeric_limits<T>::max()));
    }
    return static_cast<T>(number.magnitude);
  }

  template <std::floating_point T>
  T read_number() {
    const std::string_view token = scan_number("number");
    T value{};
    const auto [rest, status] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (status == std::errc{}) return value;
    // Out of range: too small is as good as zero, too large is not as good as anything.
    if (Scientific(token).whole <= 0) return token[0] == '-' ? -T{} : T{};
    fail("is too large for a number");
  }

  // A view of the text itself, or of `scratch` if there were escapes to undo.
  std::string_view read_string(std::string& scratch) {
    skip_space();
    if (at_ == end_ || *at_ != '"') fail_type("string");
    const char* const first = ++at_;
    skip_plain();
    if (at_ != end_ && *at_ == '"') return {first, static_cast<std::size_t>(at_++ - first)};
    scratch.assign(first, at_);
    while (true) {
      if (at_ == end_) fail_syntax("a string has no end");
      if (*at_ == '"') break;
      if (*at_ != '\\') fail_syntax("a control character in a string, or bytes that are not UTF-8");
      read_escape(scratch);
      const char* const run = at_;
      skip_plain();
      scratch.append(run, at_);
    }
    ++at_;
    return scratch;
  }

  // Calls on_member(key) for each member; it must take the value. `key` is valid until on_member returns.
  template <class OnMember>
  void read_object(OnMember&& on_member) {
    if (!open('{')) fail_type("object");
    Place place{place_, {}, 0};
    place_ = &place;
    std::string scratch;
    for (bool first = true; !close('}', first); first = false) {
      skip_space();
      if (at_ == end_ || *at_ != '"') fail_syntax("expected a member's name");
      place.key = read_string(scratch);
      skip_space();
      if (at_ == end_ || *at_++ != ':') fail_syntax("expected ':'");
      on_member(place.key);
    }
    place_ = place.parent;
  }

  // Calls on_item() for each element; it must take the value.
  template <class OnItem>
  void read_array(OnItem&& on_item) {
    if (!open('[')) fail_type("array");
    Place place{place_, {}, 0};
    place_ = &place;
    for (; !close(']', place.index == 0); ++place.index) on_item();
    place_ = place.parent;
  }

  // Takes any value and returns its text.
  std::string_view read_raw() {
    skip_space();
    const char* const first = at_;
    skip_value();
    return {first, static_cast<std::size_t>(at_ - first)};
  }

  // To be called last: nothing may follow.
  void read_end() {
    skip_space();
    if (at_ != end_) fail_syntax("something follows the value");
  }

  // Throws Error "PATH: message", where PATH is the value being read.
  [[noreturn]] void fail(const std::string& message) const {
    std::string path(root_);
    append_path(path, place_);
    throw Error(path.empty() ? message : path + ": " + message);
  }
  // Of a member of the object being read.
  [[noreturn]] void fail_at(std::string_view key, const std::string& message) const {
    const Place place{place_, key, 0};
    std::string path(root_);
    append_path(path, &place);
    throw Error(path + ": " + message);
  }
  [[noreturn]] void fail_type(const char* expected) {
    fail(std::string("expected ") + expected + ", got " + peek());
  }

 private:
  // Where the reader is: a chain of frames on the stack, outermost last.
  struct Place {
    const Place* parent;
    std::string_view key;  // of an object; no data: an array's element
    std::size_t index;
  };
  struct Decimal {
    bool negative;
    std::uint64_t magnitude;
  };

  static void append_path(std::string& out, const Place* place) {
    if (!place) return;
    append_path(out, place->parent);
    out += '/';
    if (!place->key.data()) {
      out += std::to_string(place->index);
      return;
    }
    for (const char c : place->key) {  // RFC 6901
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
  }

  [[noreturn]] void fail_syntax(const char* why) const {
    const std::string where = root_.empty() ? "not" : std::string(root_) + ": not";
    throw Error(where + " valid JSON at byte " + std::to_string(at_ - begin_) + ": " + why);
  }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  // Up to what needs attention: the closing quote, an escape, or bytes that may not be there.
  void skip_plain() {
    while ((at_ = kit::skip_plain_ascii(at_, end_)) != end_ && static_cast<unsigned char>(*at_) >= 0x80) {
      std::size_t length = 0;
      do {  // most sequences are beside others
        length = detail::utf8_sequence(at_, static_cast<std::size_t>(end_ - at_));
        if (length == 0) return;
        at_ += length;
      } while (at_ != end_ && static_cast<unsigned char>(*at_) >= 0x80);
    }
  }

  bool at_word(std::string_view word) const {
    return static_cast<std::size_t>(end_ - at_) >= word.size() && std::memcmp(at_, word.data(), word.size()) == 0;
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (!at_word(word)) return false;
    at_ += word.size();
    return true;
  }

  bool open(char bracket) {
    skip_space();
    if (at_ == end_ || *at_ != bracket) return false;
    if (++depth_ > kJsonDepthMax) fail("nested too deeply");
    ++at_;
    return true;
  }

  // True and taken at the closing bracket; else takes the comma before any but the first.
  bool close(char bracket, bool first) {
    skip_space();
    if (at_ != end_ && *at_ == bracket) {
      ++at_;
      --depth_;
      return true;
    }
    if (first) return false;
    if (at_ == end_ || *at_ != ',') fail_syntax(bracket == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    ++at_;
    return false;
  }

  void read_escape(std::string& out) {
    if (++at_ == end_) fail_syntax("a string has no end");
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (const auto at = kLetters.find(*at_); at != kLetters.npos) {
      out += kMeanings[at];
      ++at_;
      return;
    }
    if (*at_++ != 'u') fail_syntax("an unknown escape");
    std::uint32_t code = read_hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') fail_syntax("half of a surrogate pair");
      at_ += 2;
      const std::uint32_t low = read_hex4();
      if (low < 0xDC00 || low > 0xDFFF) fail_syntax("half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      fail_syntax("half of a surrogate pair");
    }
    detail::append_utf8(out, code);
  }

  std::uint32_t read_hex4() {
    std::uint32_t code = 0;
    if (end_ - at_ < 4 || std::from_chars(at_, at_ + 4, code, 16).ptr != at_ + 4)
      fail_syntax("\\u needs four hex digits");
    at_ += 4;
    return code;
  }

  bool take_digits() {
    const char* const first = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != first;
  }

  std::string_view scan_number(const char* expected) {
    skip_space();
    if (at_ == end_ || (*at_ != '-' && (*at_ < '0' || *at_ > '9'))) fail_type(expected);
    const char* const first = at_;
    if (*at_ == '-') ++at_;
    const bool zero = at_ != end_ && *at_ == '0';
    if (zero) ++at_;
    if (!zero && !take_digits()) fail_syntax("a number has no digits");
    if (at_ != end_ && *at_ == '.' && (++at_, !take_digits()))
      fail_syntax("a number has no digits after its point");
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      if (++at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!take_digits()) fail_syntax("a number has no digits in its exponent");
    }
    return {first, static_cast<std::size_t>(at_ - first)};
  }

  Decimal scan_integer() {
    std::string_view token = scan_number("integer");
    Decimal out{token[0] == '-', 0};
    if (out.negative) token.remove_prefix(1);
    const auto [rest, status] = std::from_chars(token.data(), token.data() + token.size(), out.magnitude);
    if (rest == token.data() + token.size() && status == std::errc{}) return normalised(out);
    return scan_decimal(token, out.negative);
  }

  // A number's digits without the zeros at either end, and how many places left of the point the first one stands:
  // 0.00120e3 is 12 and 1.
  struct Scientific {
    explicit Scientific(std::string_view token) {
      std::size_t i = token[0] == '-' ? 1 : 0;
      long exponent = 0;
      std::optional<std::size_t> point;
      for (; i < token.size(); ++i) {
        if (token[i] == '.') {
          point = digits.size();
        } else if (token[i] == 'e' || token[i] == 'E') {
          i += token[i + 1] == '+' ? 2 : 1;
          if (std::from_chars(&token[i], token.data() + token.size(), exponent).ec != std::errc{}) {
            exponent = token[i] == '-' ? -kExponentMax : kExponentMax;
          }
          break;
        } else {
          digits += token[i];
        }
      }
      whole = static_cast<long>(point.value_or(digits.size())) + std::clamp(exponent, -kExponentMax, kExponentMax);
      digits.erase(digits.find_last_not_of('0') + 1);
      const auto leading = std::min(digits.find_first_not_of('0'), digits.size());
      digits.erase(0, leading);
      whole -= static_cast<long>(leading);
    }

    std::string digits;
    long whole;
  };

  // The integer that digits, point and exponent amount to, exactly.
  Decimal scan_decimal(std::string_view token, bool negative) const {
    const Scientific number(token);
    if (number.digits.empty()) return {false, 0};
    if (number.whole < static_cast<long>(number.digits.size())) fail("expected integer, got a fraction");
    Decimal out{negative, 0};
    for (std::size_t i = 0; i < static_cast<std::size_t>(number.whole); ++i) {
      const auto digit = static_cast<std::uint64_t>(i < number.digits.size() ? number.digits[i] - '0' : 0);
      if (out.magnitude > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
        fail("is too large for an integer");
      out.magnitude = out.magnitude * 10 + digit;
    }
    return out;
  }
  static constexpr long kExponentMax = 1'000'000'000;

  static Decimal normalised(Decimal d) { return {d.negative && d.magnitude != 0, d.magnitude}; }

  void skip_value() {
    const std::string_view type = peek();
    if (type == "object") {
      read_object([this](std::string_view) { skip_value(); });
    } else if (type == "array") {
      read_array([this] { skip_value(); });
    } else if (type == "string") {
      std::string scratch;
      read_string(scratch);
    } else if (type == "number") {
      scan_number("number");
    } else if (!read_null()) {
      read_bool();
    }
  }

  const char* at_;
  const char* begin_;
  const char* end_;
  std::string_view root_;
  const Place* place_ = nullptr;
  unsigned depth_ = 0;
};

}  // namespace collet::inline v1

#endif
