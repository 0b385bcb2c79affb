#include "foreign/jsonc.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "config/section.h"
#include "foreign/json_lexer.h"

namespace collet::foreign {
namespace {

using config::Position;
using config::Problem;
using config::Value;

class JsoncParser {
 public:
  explicit JsoncParser(Source& source) : lexer_(source) {}

  std::variant<Value, Problem> parse(const std::vector<Wanted>& wanted) {
    Value value;
    if (lexer_.skip_blanks() && lexer_.peek() == Source::kEnd) fail("the document is empty");
    if (good() && lexer_.peek() != '{') lexer_.fail_at(lexer_.position(), "not a JSON object");
    if (good() && read_value(value, &wanted) && lexer_.skip_blanks() && lexer_.peek() != Source::kEnd)
      fail("the end of the file is expected");
    if (!good()) return *lexer_.problem();
    return value;
  }

  std::vector<Problem> take_replaced() { return std::move(replaced_); }

 private:
  // These return false if there is a problem.

  // Of a table the members that are `wanted`; all of it if that is null or empty.
  bool read_value(Value& value, const std::vector<Wanted>* wanted) {
    value.at = lexer_.position();
    switch (lexer_.peek()) {
      case '{':
        return descend([&] { return read_members(value, wanted); });
      case '[':
        return descend([&] { return read_items(value); });
      case '"':
        value.type = Value::Type::string;
        is_null_ = false;
        return lexer_.read_string(value.text) && keep(value.text.size());
      default:
        return read_word(value);
    }
  }

  template <class Read>
  bool descend(Read&& read) {
    if (depth_ == limits::kJsonDepthMax) return fail("nested too deeply");
    ++depth_;
    lexer_.take();
    const bool done = read();
    --depth_;
    is_null_ = false;
    return done;
  }

  bool read_members(Value& value, const std::vector<Wanted>* wanted) {
    std::map<std::string, std::size_t> places;  // of members, by their keys
    return read_list('}', [&] {
      const Position at = lexer_.position();
      std::string key;
      if (!lexer_.read_name(key)) return false;
      const std::vector<Wanted>* below = nullptr;
      if (wanted && !wanted->empty()) {
        const auto matches = [&](const Wanted& each) { return each.key == key || each.key == "*"; };
        const auto found = std::find_if(wanted->begin(), wanted->end(), matches);
        if (found == wanted->end()) return lexer_.skip_value();
        below = &found->below;
      }
      Value member;
      if (!read_value(member, below)) return false;
      const bool holds_nothing =
          below && !below->empty() && member.type == Value::Type::table && member.members.empty();
      if (is_null_ || holds_nothing) return true;
      const auto [place, is_new] = places.emplace(key, value.members.size());
      if (is_new) {
        value.members.push_back({std::move(key), at, std::move(member)});
      } else {
        Value::Member& before = value.members[place->second];
        replaced_.push_back({before.at, config::in_quotes(key) + " is there twice, and this one does not count"});
        before = {std::move(key), at, std::move(member)};
      }
      return keep(sizeof(Value::Member) + value.members[place->second].key.size());
    });
  }

  bool read_items(Value& value) {
    value.type = Value::Type::array;
    return read_list(']', [&] {
      Value item;
      if (!read_value(item, nullptr)) return false;
      value.items.push_back(std::move(item));
      return keep(sizeof(Value));
    });
  }

  // What stands between commas, up to `closing`, which is passed.
  template <class Read>
  bool read_list(char closing, Read&& read) {
    while (lexer_.skip_blanks()) {
      if (lexer_.peek() == closing) return lexer_.take(), true;
      if (!read() || !lexer_.skip_blanks()) return false;
      if (lexer_.peek() == ',') {
        lexer_.take();
      } else if (lexer_.peek() != closing) {
        return fail(fmt::format("a comma, or {}, is expected", closing));
      }
    }
    return false;
  }

  // A number, true, false or null.
  bool read_word(Value& value) {
    std::string word;
    while (JsonLexer::is_word(lexer_.peek()) && word.size() < kWordBytesMax)
      word += static_cast<char>(lexer_.take());
    json::Document parsed;
    if (word.empty() || json::parse(word, parsed)) {
      return lexer_.fail_at(value.at,
                            "not JSON: a value is expected: an object, an array, a string in double quotes, a "
                            "number, true, false or null");
    }
    is_null_ = parsed.IsNull();
    if (parsed.IsBool()) {
      value.type = Value::Type::boolean;
      value.boolean = parsed.GetBool();
    } else if (parsed.IsInt64()) {
      value.type = Value::Type::integer;
      value.integer = parsed.GetInt64();
    } else if (parsed.IsNumber()) {
      value.type = Value::Type::number;
      value.number = parsed.GetDouble();
    }
    return true;
  }

  bool keep(std::size_t bytes) {
    kept_ += bytes;
    return kept_ <= limits::kForeignConfigBytesMax ||
           lexer_.fail_at(lexer_.position(),
                          fmt::format("its servers take more than {} bytes", limits::kForeignConfigBytesMax));
  }

  bool good() const { return !lexer_.problem(); }
  bool fail(std::string_view expected) { return lexer_.fail(expected); }

  static constexpr std::size_t kWordBytesMax = 400;  // the longest doubles have some more than 300 digits

  JsonLexer lexer_;
  std::vector<Problem> replaced_;
  std::size_t kept_ = 0;
  unsigned depth_ = 0;
  bool is_null_ = false;  // the last value
};

}  // namespace

std::variant<Value, Problem> parse_jsonc(Source& source, const std::vector<Wanted>& wanted,
                                         std::vector<Problem>* replaced) {
  JsoncParser parser(source);
  auto parsed = parser.parse(wanted);
  if (replaced) *replaced = parser.take_replaced();
  return parsed;
}

}  // namespace collet::foreign
