#include "cli/typed_arguments.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/json_members.h"
#include "base/json_pointer.h"
#include "base/text.h"
#include "cli/argument_schema.h"
#include "cli/input.h"
#include "cli/output.h"

namespace collet::cli {
namespace {

constexpr std::size_t kNamesShown = 12;
constexpr std::size_t kStepsMax = 64;  // from the arguments to what a name leads to
constexpr unsigned kBracketsMax = 4;  // around one value, for a schema of arrays of arrays

// What was typed of one name.
struct Typed {
  std::string name;
  struct Value {
    std::string text;
    bool is_json = false;
  };
  std::vector<Value> values;
};

Result<std::vector<Typed>> read_words(std::span<const std::string> words) {
  std::vector<Typed> all;
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos || sign == 0 || word.starts_with(":="))
      return error("{} is no argument: say NAME=VALUE, NAME:=JSON or --args JSON", text::in_quotes(word));
    const bool is_json = word[sign - 1] == ':';
    const std::string name = word.substr(0, is_json ? sign - 1 : sign);
    const auto known = std::find_if(all.begin(), all.end(), [&](const Typed& each) { return each.name == name; });
    Typed& typed = known == all.end() ? all.emplace_back(Typed{name, {}}) : *known;
    typed.values.push_back({word.substr(sign + 1), is_json});
    json::Document parsed;
    const std::string& value = typed.values.back().text;
    if (!is_json) continue;
    if (const auto wrong = json::parse(value, parsed)) return error("argument {}: {}", name, describe(value, *wrong));
  }
  return all;
}

// The object with a member of its own or of one in it; what stands in the way is replaced.
std::string with_member(std::string_view object, std::span<const std::string> path, const std::string& value) {
  std::vector<json::TextMember> members;
  if (!json::split_object(object, members)) members.clear();
  json::ObjectText out;
  bool done = false;
  const auto inner = [&](std::string_view old) { return path.size() == 1 ? value : with_member(old, path.subspan(1), value); };
  for (const json::TextMember& member : members) {
    const bool is_it = member.key == path.front();
    out.add(member.key, is_it ? inner(member.value) : std::string(member.value));
    done = done || is_it;
  }
  if (!done) out.add(path.front(), inner("{}"));
  return out.take();
}

// What a text may stand for, as JSON, in the order in which schemas say it.
class Candidates {
 public:
  Candidates(const ArgumentSchema& schemas, const std::string& text, unsigned brackets = 0)
      : schemas_(schemas), text_(text), brackets_(brackets) {
    is_json_ = !json::parse(text, parsed_);
  }

  // Of no schema: any value.
  std::vector<std::string> of(const json::Value* schema) {
    bool says_something = false;
    if (schema) {
      for (const json::Value* choice : schemas_.choices(*schema)) says_something = add_choice(*choice) || says_something;
    }
    if (!says_something && is_json_) add(text_);
    add_string();  // which is wrong where a string does not fit, and is told as what was typed
    return std::move(found_);
  }

 private:
  void add(const std::string& json) {
    if (std::find(found_.begin(), found_.end(), json) == found_.end()) found_.push_back(json);
  }
  void add_string() { add(text::json_string(text_)); }

  bool add_choice(const json::Value& schema) {
    if (const json::Value* values = json::find(schema, "enum"); values && values->IsArray()) {
      for (const json::Value& value : values->GetArray()) add_constant(value);
      return true;
    }
    if (const json::Value* value = json::find(schema, "const")) return add_constant(*value), true;
    const json::Value* types = json::find(schema, "type");
    if (!types) return false;
    if (types->IsString()) add_type(json::view(*types), schema);
    if (types->IsArray()) {
      for (const json::Value& type : types->GetArray()) {
        if (type.IsString()) add_type(json::view(type), schema);
      }
    }
    return true;
  }

  void add_constant(const json::Value& value) {
    const bool is_it = value.IsString() ? json::view(value) == text_ : json::to_text(value) == text_;
    if (is_it) add(json::to_text(value));
  }

  void add_type(std::string_view type, const json::Value& schema) {
    if (type == "string") return add_string();
    const bool fits = is_json_ && ((type == "null" && parsed_.IsNull()) || (type == "boolean" && parsed_.IsBool()) ||
                                   (type == "number" && parsed_.IsNumber()) || (type == "integer" && is_integer()) ||
                                   (type == "object" && parsed_.IsObject()) || (type == "array" && parsed_.IsArray()));
    if (fits) return add(text_);
    if (type != "array" || brackets_ == kBracketsMax) return;
    for (const std::string& item : Candidates(schemas_, text_, brackets_ + 1).of(schemas_.item(schema, 0))) add('[' + item + ']');
  }

  bool is_integer() const {
    return parsed_.IsInt64() || parsed_.IsUint64() ||
           (parsed_.IsDouble() && std::trunc(parsed_.GetDouble()) == parsed_.GetDouble());  // JSON Schema: 1.0 is one
  }

  const ArgumentSchema& schemas_;
  const std::string& text_;
  const unsigned brackets_;  // that stand around it already
  json::Document parsed_;
  bool is_json_ = false;
  std::vector<std::string> found_;
};

class Arguments {
 public:
  Arguments(const json::Value& schema, const schema::Schema* compiled, std::string_view given)
      : schemas_(schema), compiled_(compiled), text_(given) {}

  Result<void> add(const Typed& typed) {
    auto place = place_of(typed.name);
    if (!place) return place.failure();
    if (typed.values.size() == 1) return set(typed.name, place->path, place->schema, "", typed.values.front());
    if (place->schema && !schemas_.takes_arrays(*place->schema))
      return error("argument {} is said {} times, and is no array", typed.name, typed.values.size());
    set_text(place->path, "[]");
    std::string items;
    for (std::size_t i = 0; i < typed.values.size(); ++i) {
      const json::Value* schema = place->schema ? schemas_.item(*place->schema, i) : nullptr;
      if (auto set_item = set(typed.name, place->path, schema, items, typed.values[i], i); !set_item) return set_item;
      items += (i > 0 ? "," : "") + chosen_;
    }
    return {};
  }

  std::string take() { return std::move(text_); }

 private:
  struct Place {
    std::vector<std::string> path;
    const json::Value* schema = nullptr;  // null: nothing is said of it
  };

  // The longest name that the schema knows comes first, then what stands in front of a dot.
  Result<Place> place_of(const std::string& name) const {
    Place place{.path = {}, .schema = &schemas_.root()};
    for (std::string rest = name; !rest.empty();) {
      const json::Value* object = place.schema;
      const std::vector<std::string> known = object ? schemas_.names(*object) : std::vector<std::string>();
      const bool is_known = std::find(known.begin(), known.end(), rest) != known.end();
      const std::size_t dot = is_known ? std::string::npos : rest.find('.');
      const std::string step = rest.substr(0, dot);
      rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
      if (step.empty() || (dot != std::string::npos && rest.empty()) || place.path.size() == kStepsMax)
        return error("argument {} is no name", text::in_quotes(name));
      const bool is_said = std::find(known.begin(), known.end(), step) != known.end();
      if (object && !is_said && !schemas_.takes_others(*object)) return unknown(place.path, step, known);
      place.schema = object ? schemas_.property(*object, step) : nullptr;
      place.path.push_back(step);
    }
    return place;
  }

  static Error unknown(const std::vector<std::string>& path, const std::string& step, const std::vector<std::string>& known) {
    std::string whole;
    for (const std::string& each : path) whole += each + '.';
    const std::string meant = suggestion(step, known);
    if (!meant.empty() || known.empty() || known.size() > kNamesShown)
      return error("there is no argument {}{}{}", whole, step, meant);
    return error("there is no argument {}{}; say {}", whole, step, text::either(known));
  }

  // With `items` before it, if it is the item of an array.
  Result<void> set(const std::string& name, const std::vector<std::string>& path, const json::Value* schema,
                   const std::string& items, const Typed::Value& value, std::optional<std::size_t> index = {}) {
    const std::vector<std::string> candidates =
        value.is_json ? std::vector<std::string>{value.text} : Candidates(schemas_, value.text).of(schema);
    std::optional<std::string> first_wrong;
    for (const std::string& candidate : candidates) {
      const std::string before = items.empty() ? "" : items + ',';
      const std::string text = with_member(text_, path, index ? '[' + before + candidate + ']' : candidate);
      const std::optional<std::string> wrong = problem(text, path, index);
      if (!wrong) {
        text_ = text;
        chosen_ = candidate;
        return {};
      }
      if (!first_wrong) first_wrong = wrong;
    }
    return error("argument {}: {}", name, *first_wrong);
  }

  void set_text(const std::vector<std::string>& path, const std::string& value) { text_ = with_member(text_, path, value); }

  // What is wrong there, or in there.
  std::optional<std::string> problem(const std::string& text, const std::vector<std::string>& path,
                                     std::optional<std::size_t> index) const {
    json::Document arguments;
    if (json::parse(text, arguments)) return "it is nested too deeply";
    if (!compiled_) return std::nullopt;
    std::string pointer;
    for (const std::string& step : path) json::append_pointer_token(pointer, step);
    if (index) json::append_pointer_token(pointer, std::to_string(*index));
    for (const schema::Violation& violation : compiled_->explain(arguments).violations) {
      if (violation.instance == pointer) return fmt::format("{}, got {}", violation.demand(), violation.got);
      if (violation.instance.starts_with(pointer + '/')) return violation.to_message();
    }
    return std::nullopt;
  }

  const ArgumentSchema schemas_;
  const schema::Schema* const compiled_;
  std::string text_;
  std::string chosen_;
};

}  // namespace

Result<std::string> typed_arguments(const json::Value& schema, const schema::Schema* compiled, std::string_view given,
                                    std::span<const std::string> words) {
  const auto typed = read_words(words);
  if (!typed) return typed.failure();
  Arguments arguments(schema, compiled, given);
  for (const Typed& each : *typed) {
    if (auto added = arguments.add(each); !added) return added.failure();
  }
  return arguments.take();
}

}  // namespace collet::cli
