#include "client/mcp/broken_text.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include <collet/json.hpp>

#include "client/mcp/message.h"

namespace collet::client {
namespace {

// The code unit of an escape \uXXXX that the text begins with; nothing if it is none.
std::optional<unsigned> code_unit(std::string_view text) {
  unsigned code = 0;
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  const auto [end, bad] = std::from_chars(text.data() + 2, text.data() + 6, code, 16);
  return bad == std::errc() && end == text.data() + 6 ? std::optional(code) : std::nullopt;
}

bool is_high(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// Appends the escape that `text` begins with, and returns its length.
std::size_t mend_escape(std::string_view text, std::string& out) {
  const auto unit = code_unit(text);
  std::size_t length = std::min<std::size_t>(text.size(), 2);
  if (unit && is_high(*unit)) {
    const auto next = code_unit(text.substr(6));
    length = next && is_low(*next) ? 12 : 6;
  }
  if (unit && (is_low(*unit) || length == 6)) {
    out += "\\ufffd";
    return 6;
  }
  out += text.substr(0, length);
  return length;
}

// The same for what is neither an escape nor the end of the string.
std::size_t mend_characters(std::string_view text, std::string& out) {
  const std::size_t length = std::min(text.find_first_of("\"\\"), text.size());
  std::string quoted;
  collet::append_json(quoted, text.substr(0, length));
  out.append(quoted, 1, quoted.size() - 2);
  return length;
}

// Goes through the members of one object without a look at what they hold.
class Examiner {
 public:
  explicit Examiner(std::string_view text) : rest_(text) {}

  Broken run() {
    skip_space();
    if (!rest_.starts_with('{')) return {};
    while (!rest_.empty() && !ended_) step();
    const bool cut_off = !ended_;
    const bool is_answer = id_ ? result_ || (protocol_ && cut_off) : result_ && cut_off;
    return {.is_answer = is_answer && !method_, .id = id_};
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  void step() {
    const char c = rest_[0];
    if (c == '"') return on_string();
    if (c == '{' || c == '[') ++depth_;
    if ((c == '}' || c == ']') && --depth_ == 0) ended_ = true;
    rest_.remove_prefix(1);
  }

  void on_string() {
    const std::string_view text = take_string();
    if (depth_ != 1) return;
    skip_space();
    if (!rest_.starts_with(':')) return;
    rest_.remove_prefix(1);
    if (text == "jsonrpc") protocol_ = true;
    if (text == "method") method_ = true;
    if (text == "result" || text == "error") result_ = true;
    if (text == "id") on_id();
  }

  std::string_view take_string() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    const std::string_view inside = rest_.substr(1, std::min(end, rest_.size()) - 1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return inside;
  }

  void on_id() {
    skip_space();
    const std::size_t end = rest_.find_first_of(",}");
    if (end == std::string_view::npos) return;  // there may be more of it
    const std::string_view text = rest_.substr(0, end);
    id_ = Message{.id = text.substr(0, text.find_last_not_of(" \t\r\n") + 1)}.number();
    rest_.remove_prefix(end);
  }

  std::string_view rest_;
  unsigned depth_ = 0;
  bool ended_ = false;
  bool protocol_ = false, method_ = false, result_ = false;
  std::optional<std::uint64_t> id_;
};

}  // namespace

std::string mended(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  while (!text.empty()) {
    std::size_t taken = 1;
    if (text[0] == '"') {
      in_string = !in_string;
      out += '"';
    } else if (!in_string) {
      taken = std::min(text.find('"'), text.size());
      out += text.substr(0, taken);
    } else {
      taken = text[0] == '\\' ? mend_escape(text, out) : mend_characters(text, out);
    }
    text.remove_prefix(taken);
  }
  return out;
}

Broken examine(std::string_view text) { return Examiner(text).run(); }

}  // namespace collet::client
