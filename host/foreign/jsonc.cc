#include "foreign/jsonc.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/json.h"
#include "config/section.h"

namespace collet::foreign {
namespace {

using config::Position;
using config::Problem;
using config::Value;

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Behind the string that begins at `begin`.
std::size_t string_end(std::string_view text, std::size_t begin) {
  std::size_t at = begin + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// Overwrites with blanks what JSON does not know, so that everything else stays where it is.
class Strict {
 public:
  explicit Strict(std::string_view text) : text_(text), strict_(text) {}

  // Nothing if a comment does not end; then `failed_at` is where it begins.
  std::optional<std::string> text(std::size_t& failed_at) {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t end = comment_end(at);
      if (end == npos) {
        failed_at = at;
        return std::nullopt;
      }
      if (end > at) {
        blank(at, end);
        at = end;
      } else {
        at = note_token(at);
      }
    }
    return std::move(strict_);
  }

 private:
  // Behind the comment at `at`; `at` if there is none, npos if it does not end.
  std::size_t comment_end(std::size_t at) const {
    if (text_.substr(at, 2) == "//") return std::min(text_.find('\n', at), text_.size());
    if (text_.substr(at, 2) != "/*") return at;
    const std::size_t end = text_.find("*/", at + 2);
    return end == npos ? npos : end + 2;
  }

  // Passes one string or character; a comma between a value and a closing bracket is blanked.
  std::size_t note_token(std::size_t at) {
    const char c = text_[at];
    if (kBlanks.find(c) != npos) return at + 1;
    if ((c == '}' || c == ']') && comma_ != npos) blank(comma_, comma_ + 1);
    comma_ = c == ',' && ends_value_ ? at : npos;
    ends_value_ = std::string_view("[{,:").find(c) == npos;
    return c == '"' ? string_end(text_, at) : at + 1;
  }

  void blank(std::size_t begin, std::size_t end) { std::fill(&strict_[begin], &strict_[end], ' '); }

  const std::string_view text_;
  std::string strict_;
  std::size_t comma_ = npos;  // of the last token, if it is one behind a value
  bool ends_value_ = false;   // whether the last token may be the end of a value
};

// Walks through a text once, forwards. Finds its way in what Strict made of it, and counts in the text itself.
class Cursor {
 public:
  Cursor(std::string_view text, std::string_view strict) : text_(text), strict_(strict) {}
  explicit Cursor(std::string_view text) : Cursor(text, text) {}

  Position move_to(std::size_t offset) {
    for (; at_ < offset; ++at_) {
      if (text_[at_] == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((static_cast<unsigned char>(text_[at_]) & 0xc0) != 0x80) {
        ++position_.column;
      }
    }
    return position_;
  }
  // To the next character that is none of `skipped`.
  Position skip(std::string_view skipped) { return move_to(strict_.find_first_not_of(skipped, at_)); }
  // Behind the string, number or word here.
  void skip_scalar() {
    move_to(strict_[at_] == '"' ? string_end(strict_, at_)
                                : std::min(strict_.find_first_of(" \t\r\n,]}", at_), strict_.size()));
  }
  void skip_character() { move_to(at_ + 1); }

 private:
  const std::string_view text_;
  const std::string_view strict_;
  std::size_t at_ = 0;
  Position position_;
};

// Goes through the parsed values and the valid text that they came from side by side, which tells where each stood.
class Converter {
 public:
  explicit Converter(Cursor cursor) : cursor_(cursor) {}

  Value convert(const json::Value& from) {
    Value value;
    value.at = cursor_.skip(kBetween);
    if (from.IsObject()) {
      convert_members(from, value);
    } else if (from.IsArray()) {
      convert_items(from, value);
    } else {
      convert_scalar(from, value);
      cursor_.skip_scalar();
    }
    return value;
  }

  const std::optional<Problem>& problem() const { return problem_; }

 private:
  static constexpr std::string_view kBetween = " \t\r\n,:";

  void convert_members(const json::Value& from, Value& value) {
    std::set<std::string_view> keys;
    cursor_.skip_character();
    for (auto member = from.MemberBegin(); member != from.MemberEnd(); ++member) {
      const std::string_view key = json::view(member->name);
      const Position at = cursor_.skip(kBetween);
      cursor_.skip_scalar();
      if (!keys.insert(key).second && !problem_) problem_ = Problem{at, config::in_quotes(key) + " is there twice"};
      Value converted = convert(member->value);
      if (!member->value.IsNull()) value.members.push_back({std::string(key), at, std::move(converted)});
    }
    skip_bracket();
  }

  void convert_items(const json::Value& from, Value& value) {
    value.type = Value::Type::array;
    cursor_.skip_character();
    for (auto item = from.Begin(); item != from.End(); ++item) {
      value.items.push_back(convert(*item));
      if (item->IsNull() && !problem_) problem_ = Problem{value.items.back().at, "a list must not hold null"};
    }
    skip_bracket();
  }

  void skip_bracket() {
    cursor_.skip(kBlanks);
    cursor_.skip_character();
  }

  static void convert_scalar(const json::Value& from, Value& value) {
    if (from.IsString()) {
      value.type = Value::Type::string;
      value.text = json::view(from);
    } else if (from.IsBool()) {
      value.type = Value::Type::boolean;
      value.boolean = from.GetBool();
    } else if (from.IsInt64()) {
      value.type = Value::Type::integer;
      value.integer = from.GetInt64();
    } else if (from.IsNumber()) {
      value.type = Value::Type::number;
      value.number = from.GetDouble();
    }
  }

  Cursor cursor_;
  std::optional<Problem> problem_;
};

}  // namespace

std::variant<Value, Problem> parse_jsonc(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::size_t failed_at = 0;
  const std::optional<std::string> strict = Strict(text).text(failed_at);
  if (!strict) return Problem{Cursor(text).move_to(failed_at), "a comment that does not end"};
  json::Document document;
  if (const auto wrong = json::parse(*strict, document)) {
    return Problem{Cursor(text).move_to(std::min(wrong->offset, text.size())), "not JSON: " + wrong->message};
  }
  if (!document.IsObject()) return Problem{Cursor(text, *strict).skip(kBlanks), "not a JSON object"};
  Converter converter(Cursor(text, *strict));
  Value value = converter.convert(document);
  if (converter.problem()) return *converter.problem();
  return value;
}

}  // namespace collet::foreign
