#include "foreign/json_lexer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace collet::foreign {
namespace {

using config::Position;
using config::Problem;

constexpr int kEnd = Source::kEnd;

}  // namespace

bool JsonLexer::is_word(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '-' || c == '.' || c >= 0x80;
}

bool JsonLexer::skip_blanks() {
  while (true) {
    const int next = source_.peek();
    if (next == ' ' || next == '\t' || next == '\r' || next == '\n') {
      source_.take();
    } else if (next == '/') {
      if (!skip_comment()) return false;
    } else {
      return source_.failure() ? fail(source_.failure()->message) : true;
    }
  }
}

bool JsonLexer::skip_comment() {
  const Position at = source_.position();
  source_.take();
  const int kind = source_.take();
  if (kind == '/') {
    source_.skip_to('\n', '\n');
    return true;
  }
  if (kind != '*') return fail_at(at, "not JSON: a comment begins with // or /*");
  for (int next = source_.take(); next != kEnd; next = source_.take()) {
    if (next == '*' && source_.peek() == '/') return source_.take(), true;
  }
  return fail_at(at, "a comment that does not end");
}

bool JsonLexer::read_name(std::string& name) {
  if (peek() != '"') return fail("a name in double quotes, or }, is expected");
  if (!read_string(name) || !skip_blanks()) return false;
  if (peek() != ':') return fail("a colon is expected");
  take();
  return skip_blanks();
}

bool JsonLexer::read_string(std::string& text) {
  const Position at = source_.position();
  std::string raw(1, static_cast<char>(source_.take()));
  bool is_plain = true;
  for (int next = source_.peek(); next != '"'; next = source_.peek()) {
    if (next == kEnd) return fail("a string does not end");
    if (raw.size() > limits::kForeignConfigBytesMax) return fail_at(at, "a string is too long");
    is_plain = is_plain && next != '\\' && next >= 0x20;
    raw += static_cast<char>(source_.take());
    if (next == '\\' && source_.peek() != kEnd) raw += static_cast<char>(source_.take());
  }
  raw += static_cast<char>(source_.take());
  if (is_plain && text::is_utf8(raw)) return text.assign(raw, 1, raw.size() - 2), true;
  json::Document parsed;
  if (const auto wrong = json::parse(raw, parsed)) {
    const Position within = config::position_of(raw, std::min(wrong->offset, raw.size()));
    const unsigned column = (within.line == 1 ? at.column : 1) + within.column - 1;
    return fail_at({at.line + within.line - 1, column}, "not JSON: " + wrong->message);
  }
  text = json::view(parsed);
  return true;
}

bool JsonLexer::skip_value() {
  if (source_.peek() != '"' && source_.peek() != '{' && source_.peek() != '[' && !is_word(source_.peek()))
    return fail("a value is expected");
  std::uint64_t depth = 0;
  do {
    switch (source_.peek()) {
      case kEnd:
        return fail("the file ends within a value");
      case '"':
        if (!skip_string()) return false;
        break;
      case '{':
      case '[':
        ++depth;
        source_.take();
        break;
      case '}':
      case ']':
        --depth;
        source_.take();
        break;
      default:
        if (is_word(source_.peek())) {
          while (is_word(source_.peek())) source_.take();
        } else {
          source_.take();
        }
    }
    if (depth > 0 && !skip_blanks()) return false;
  } while (depth > 0);
  return true;
}

bool JsonLexer::skip_string() {
  source_.take();
  while (true) {
    source_.skip_to('"', '\\');
    const int next = source_.take();
    if (next == '"') return true;
    if (next == kEnd || source_.take() == kEnd) return fail("a string does not end");
  }
}

bool JsonLexer::fail(std::string_view expected) {
  if (source_.failure()) return fail_at(source_.position(), source_.failure()->message);
  if (source_.peek() == 0) return fail_at(source_.position(), "not JSON: NUL byte");
  return fail_at(source_.position(), fmt::format("not JSON: {}", expected));
}

bool JsonLexer::fail_at(Position at, std::string message) {
  if (!problem_) problem_ = Problem{at, std::move(message)};
  return false;
}

}  // namespace collet::foreign
