#include "config/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <tuple>

#include "base/limits.h"
#include "base/text.h"

// toml++ 3.3 asserts that a table header starts with a key ("[,"), and promises the compiler so under NDEBUG;
// without either it finds the mistake a few lines later.
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

namespace collet::config {
namespace {

static_assert(TOML_MAX_NESTED_VALUES == limits::kConfigDepthMax);

Position position(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

Value convert(const toml::node& node);

std::vector<Value::Member> convert_members(const toml::table& table) {
  std::vector<Value::Member> members;
  members.reserve(table.size());
  for (const auto& [key, node] : table) {
    members.push_back({std::string(key.str()), position(key.source()), convert(node)});
  }
  std::stable_sort(members.begin(), members.end(), [](const Value::Member& a, const Value::Member& b) {
    return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
  });
  return members;
}

template <class T>
std::string printed(const toml::value<T>& value) {
  std::ostringstream out;
  out << value.get();
  return std::move(out).str();
}

Value convert(const toml::node& node) {
  Value value;
  value.at = position(node.source());
  if (const auto* table = node.as_table()) {
    value.members = convert_members(*table);
  } else if (const auto* array = node.as_array()) {
    value.type = Value::Type::array;
    for (const toml::node& item : *array) value.items.push_back(convert(item));
  } else if (const auto* string = node.as_string()) {
    value.type = Value::Type::string;
    value.text = string->get();
  } else if (const auto* integer = node.as_integer()) {
    value.type = Value::Type::integer;
    value.integer = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.type = Value::Type::number;
    value.number = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.type = Value::Type::boolean;
    value.boolean = boolean->get();
  } else {
    value.type = Value::Type::date_time;
    if (const auto* date = node.as_date()) value.text = printed(*date);
    if (const auto* time = node.as_time()) value.text = printed(*time);
    if (const auto* date_time = node.as_date_time()) value.text = printed(*date_time);
  }
  return value;
}

// Behind the TOML string that begins at `begin`.
std::size_t string_end(std::string_view text, std::size_t begin) {
  const std::string_view thrice = text.substr(begin, 3);
  const bool lines = thrice == "\"\"\"" || thrice == "'''";
  const std::string_view quotes = text.substr(begin, lines ? 3 : 1);
  for (std::size_t i = begin + quotes.size(); i < text.size(); ++i) {
    if (text.substr(i, quotes.size()) == quotes) return i + quotes.size();
    if (text[i] == '\n' && !lines) return i;
    if (text[i] == '\\' && quotes[0] == '"') ++i;
  }
  return text.size();
}

// toml++ bounds what is nested by brackets but not by dots, and its destructors recurse: a key of a million dots
// would end the process.
std::optional<Problem> find_deep_key(std::string_view text) {
  unsigned dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
      case '\'':
        i = string_end(text, i) - 1;
        break;
      case '#':
        i = std::min(text.find('\n', i), text.size()) - 1;
        break;
      case '.':
        if (++dots < limits::kConfigDepthMax) break;
        return Problem{position_of(text, i), fmt::format("nested too deeply: a key may have {} parts", dots)};
      case '\n':
      case '=':
      case ',':
      case '[':
      case ']':
      case '{':
      case '}':
        dots = 0;
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

Position position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::string_view line = before.substr(before.rfind('\n') + 1);  // 0 if there is no line before
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return {static_cast<unsigned>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<unsigned>(std::count_if(line.begin(), line.end(), starts_character)) + 1};
}

std::string_view type_name(Value::Type type) {
  switch (type) {
    case Value::Type::string:
      return "a string";
    case Value::Type::integer:
      return "an integer";
    case Value::Type::number:
      return "a number";
    case Value::Type::boolean:
      return "a boolean";
    case Value::Type::date_time:
      return "a date or time";
    case Value::Type::array:
      return "an array";
    case Value::Type::table:
      return "a table";
  }
  return "a value";
}

std::variant<Value, Problem> parse_document(std::string_view text) {
  if (auto problem = find_deep_key(text)) return *std::move(problem);
  const toml::parse_result parsed = toml::parse(text);
  if (parsed.failed()) {
    return Problem{position(parsed.error().source()), std::string(parsed.error().description())};
  }
  return convert(parsed.table());
}

void append_json(std::string& out, const Value& value) {
  switch (value.type) {
    case Value::Type::string:
    case Value::Type::date_time:
      text::append_json_string(out, value.text);
      break;
    case Value::Type::integer:
      out += fmt::format("{}", value.integer);
      break;
    case Value::Type::number:
      out += fmt::format("{}", value.number);
      break;
    case Value::Type::boolean:
      out += value.boolean ? "true" : "false";
      break;
    case Value::Type::array:
      out += '[';
      for (const Value& item : value.items) {
        if (&item != &value.items.front()) out += ',';
        append_json(out, item);
      }
      out += ']';
      break;
    case Value::Type::table:
      out += '{';
      for (const Value::Member& member : value.members) {
        if (&member != &value.members.front()) out += ',';
        text::append_json_string(out, member.key);
        out += ':';
        append_json(out, member.value);
      }
      out += '}';
      break;
  }
}

// JSON's, but for one more character that has to be escaped.
std::string toml_string(std::string_view text) {
  std::string json, out;
  text::append_json_string(json, text);
  for (const char c : json) c == '\x7f' ? out.append("\\u007f") : out.append(1, c);
  return out;
}

}  // namespace collet::config
