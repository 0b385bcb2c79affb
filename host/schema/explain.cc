#include "schema/explain.h"

#include <algorithm>
#include <tuple>

#include "base/json_pointer.h"
#include "base/text.h"
#include "schema/evaluator.h"

namespace collet::schema {
namespace {

using json::Value;

constexpr std::size_t kShownBytesMax = 80;
constexpr std::size_t kListedBytesMax = 400;
constexpr std::string_view kCut = "…";

// Cuts the text to so many bytes, between characters.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// Appends compact JSON until `out` has reached `end` bytes; false if something is missing then. Every level of
// nesting appends a byte, so that this bounds the recursion too.
bool append_until(std::string& out, const Value& value, std::size_t end) {
  if (out.size() >= end) return false;
  if (value.IsString()) {
    const std::string_view whole = json::view(value);
    const std::string_view part = cut(whole, end - out.size());
    text::append_json_string(out, part);
    return part.size() == whole.size();
  }
  if (value.IsArray()) {
    out += '[';
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      if (i > 0) out += ',';
      if (!append_until(out, value[i], end)) return false;
    }
    out += ']';
    return true;
  }
  if (value.IsObject()) {
    out += '{';
    for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
      if (member != value.MemberBegin()) out += ',';
      if (!append_until(out, member->name, end)) return false;
      out += ':';
      if (!append_until(out, member->value, end)) return false;
    }
    out += '}';
    return true;
  }
  json::append(out, value);
  return true;
}

std::string_view type_name(const Value& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return "null";
    case rapidjson::kTrueType:
    case rapidjson::kFalseType:
      return "boolean";
    case rapidjson::kObjectType:
      return "object";
    case rapidjson::kArrayType:
      return "array";
    case rapidjson::kStringType:
      return "string";
    case rapidjson::kNumberType:
      break;
  }
  return is_integer(value) ? "integer" : "number";
}

std::string counted(std::uint64_t count, std::string_view thing) {
  if (count == 1) return fmt::format("1 {}", thing);
  if (thing == "property") return fmt::format("{} properties", count);
  return fmt::format("{} {}s", count, thing);
}

// The names of an object's members, cut short.
std::string list_names(const Value& object) {
  std::string out;
  for (auto member = object.MemberBegin(); member != object.MemberEnd(); ++member) {
    if (out.size() > kShownBytesMax) return out.append(kCut);
    if (!out.empty()) out += ", ";
    text::append_json_string(out, cut(json::view(member->name), kShownBytesMax));
  }
  return out;
}

bool is_about_constants(const Violation& violation) {
  return violation.keyword == name(Keyword::enumeration) || violation.keyword == name(Keyword::constant);
}

// How far a branch is from taking the instance; less is closer. A branch that fails at the instance itself is of
// another kind altogether; a constant that differs marks the wrong variant of a tagged union.
std::tuple<bool, std::size_t, std::size_t> distance(const std::vector<Violation>& branch,
                                                    const std::string& instance) {
  const auto at_instance = [&](const Violation& v) {
    return v.instance == instance &&
           (v.keyword == name(Keyword::type) || is_about_constants(v) || v.keyword == kNever);
  };
  const bool other_kind = std::any_of(branch.begin(), branch.end(), at_instance);
  const auto constants = std::count_if(branch.begin(), branch.end(), is_about_constants);
  return {other_kind, static_cast<std::size_t>(constants), branch.size()};
}

// What any of the branches would have taken, all of them having failed at the instance itself.
std::string join_expectations(const std::vector<std::vector<Violation>>& branches) {
  std::vector<std::string_view> parts;
  std::size_t bytes = 0;
  for (const auto& branch : branches) {
    const std::string_view part = branch.front().expected;
    if (std::find(parts.begin(), parts.end(), part) != parts.end()) continue;
    if ((bytes += part.size()) > kListedBytesMax) {
      parts.push_back(kCut);
      break;
    }
    parts.push_back(part);
  }
  return text::either(parts);
}

}  // namespace

std::string pointer_of(const Path* path) {
  std::vector<const Path*> way;
  for (; path; path = path->outer) way.push_back(path);
  std::string out;
  for (auto step = way.rbegin(); step != way.rend(); ++step) {
    if ((*step)->name) {
      json::append_pointer_token(out, json::view(*(*step)->name));
    } else {
      out.append("/").append(std::to_string((*step)->index));
    }
  }
  return out;
}

std::string show(const Value& value) {
  std::string out;
  if (!append_until(out, value, kShownBytesMax)) out += kCut;
  return out;
}

Words expect_types(std::uint8_t types, const Value& got) {
  if (types == 0) return {std::string(kAbsent), show(got)};
  std::vector<std::string_view> names;
  if ((types & kNumber) == kNumber) {
    names.push_back("number");
  } else if (types & kInteger) {
    names.push_back("integer");
  }
  if (types & kString) names.push_back("string");
  if (types & kBoolean) names.push_back("boolean");
  if (types & kArray) names.push_back("array");
  if (types & kObject) names.push_back("object");
  if (types & kNull) names.push_back("null");
  return {text::either(names), got.IsNull() ? "null" : fmt::format("{} {}", type_name(got), show(got))};
}

Words expect_values(const Enumeration& wanted, const Value& got) {
  if (wanted.values().size() == 1) return {show(*wanted.values().front()), show(got)};
  std::string list = "one of [";
  for (const Value* value : wanted.values()) {
    if (list.size() > kListedBytesMax) {
      list += kCut;
      break;
    }
    if (list.back() != '[') list += ',';
    list += show(*value);
  }
  return {list + ']', show(got)};
}

Words expect_size(std::string_view things, std::uint32_t min, std::uint32_t max, std::size_t got) {
  std::string expected = min == max  ? "exactly " + counted(min, things)
                         : got < min ? "at least " + counted(min, things)
                                     : "at most " + counted(max, things);
  return {std::move(expected), counted(got, things)};
}

Keyword broken_bound(const Range& range, long double x) {
  if (range.minimum && x < *range.minimum) return Keyword::minimum;
  if (range.maximum && x > *range.maximum) return Keyword::maximum;
  if (range.exclusive_minimum && x <= *range.exclusive_minimum) return Keyword::exclusive_minimum;
  return Keyword::exclusive_maximum;
}

Words expect_bound(const Range& range, Keyword keyword, const Value& got) {
  switch (keyword) {
    case Keyword::minimum:
      return {"at least " + to_text(*range.minimum), show(got)};
    case Keyword::maximum:
      return {"at most " + to_text(*range.maximum), show(got)};
    case Keyword::exclusive_minimum:
      return {"more than " + to_text(*range.exclusive_minimum), show(got)};
    default:
      return {"less than " + to_text(*range.exclusive_maximum), show(got)};
  }
}

Words expect_property(std::string_view name, const Value& object) {
  std::string expected = "property ";
  text::append_json_string(expected, name);
  return {std::move(expected), object.ObjectEmpty() ? "{}" : "only " + list_names(object), std::string(name)};
}

Words expect_no_property(const ObjectRule& rule, const Value& got) {
  std::string allowed;
  for (std::uint32_t key = 0; key < rule.keys.size(); ++key) {
    if (rule.properties[key].node == kNone) continue;
    if (allowed.size() > kListedBytesMax) {
      allowed.append(", ").append(kCut);
      break;
    }
    if (!allowed.empty()) allowed += ", ";
    text::append_json_string(allowed, rule.keys[key]);
  }
  if (allowed.empty()) return {"no other properties are allowed here", show(got)};
  return {"allowed here: " + allowed, show(got)};
}

void Findings::add(const Path* path, std::uint32_t location, Keyword keyword, Words words) {
  if (full()) return;
  const bool never = words.expected == kAbsent;  // the schema `false` has no keyword
  Violation violation;
  violation.instance = pointer_of(path);
  violation.schema = program_.pointer(location, never ? std::string_view{} : name(keyword));
  violation.keyword = never ? kNever : name(keyword);
  violation.expected = std::move(words.expected);
  violation.got = std::move(words.got);
  violation.missing = std::move(words.missing);
  list_.push_back(std::move(violation));
}

void Findings::add(Violation violation) {
  if (!full()) list_.push_back(std::move(violation));
}

std::vector<Violation> closest_branch(std::vector<std::vector<Violation>> branches, Violation frame) {
  branches.erase(std::remove_if(branches.begin(), branches.end(), [](const auto& b) { return b.empty(); }),
                 branches.end());
  if (branches.empty()) return {std::move(frame)};
  const auto closest = std::min_element(branches.begin(), branches.end(), [&](const auto& a, const auto& b) {
    return distance(a, frame.instance) < distance(b, frame.instance);
  });
  if (branches.size() == 1 || !std::get<0>(distance(*closest, frame.instance))) return std::move(*closest);
  frame.expected = join_expectations(branches);
  frame.got = closest->front().got;
  return {std::move(frame)};
}

// Evaluates every branch anew to collect its reasons, on a budget of its own, so that the verdict does not depend
// on how much there is to say.
void explain_branches(Evaluation& evaluation, const Instruction& at, const Node& node, const Value& value,
                      const Path* path) {
  constexpr std::size_t kBranchErrorsMax = 4;
  const Budget before = evaluation.budget;
  Findings* const findings = evaluation.findings;
  const bool outermost = !std::exchange(evaluation.in_detail, true);
  if (outermost) evaluation.budget.fuel = evaluation.detail_fuel;
  std::vector<std::vector<Violation>> branches;
  for (std::uint32_t i = at.a; i < at.b && evaluation.budget.limit == Limit::none; ++i) {
    Findings own(evaluation.program, kBranchErrorsMax);
    evaluation.findings = &own;
    Evaluator<true>(evaluation).run(evaluation.program.lists[i], value, path, nullptr);
    branches.push_back(std::move(own.list()));
  }
  evaluation.findings = findings;
  if (outermost) {
    evaluation.detail_fuel = evaluation.budget.fuel;
    evaluation.budget = before;
    evaluation.in_detail = false;
  }
  Violation frame;
  frame.instance = pointer_of(path);
  frame.schema = evaluation.program.pointer(node.location, name(at.keyword));
  frame.keyword = name(at.keyword);
  frame.expected = "what one of its schemas takes";
  frame.got = show(value);
  for (Violation& violation : closest_branch(std::move(branches), std::move(frame)))
    findings->add(std::move(violation));
}

std::string Violation::demand() const {
  if (keyword == kNever) return "must be absent";
  static constexpr Keyword kPossessions[] = {
      Keyword::required,   Keyword::dependent_required, Keyword::dependencies,   Keyword::min_items,
      Keyword::max_items,  Keyword::min_properties,     Keyword::max_properties, Keyword::min_length,
      Keyword::max_length, Keyword::contains,           Keyword::min_contains,   Keyword::max_contains};
  const bool possession = std::any_of(std::begin(kPossessions), std::end(kPossessions), [&](Keyword k) { return keyword == name(k); });
  return fmt::format("must {} {}", possession ? "have" : "be", expected);
}

std::string Violation::to_message() const {
  const std::string_view where = instance.empty() ? std::string_view("(root)") : std::string_view(instance);
  const auto is = [&](Keyword k) { return keyword == name(k); };
  if (keyword == kNever) return fmt::format("{} {}, got {}", where, demand(), got);
  if (is(Keyword::additional_properties) || is(Keyword::unevaluated_properties)) {
    return fmt::format("{} [{}] unknown property; {}, got {}", where, keyword, expected, got);
  }
  return fmt::format("{} [{}] {}, got {}", where, keyword, demand(), got);
}

std::string Report::to_text() const {
  if (verdict.outcome == Outcome::limit) {
    return fmt::format("cannot be decided: {}", name(verdict.limit));
  }
  std::string out;
  for (const Violation& violation : violations) {
    if (!out.empty()) out += '\n';
    out += violation.to_message();
  }
  if (truncated) out += "\n… and perhaps more";
  return out;
}

std::string_view name(Limit limit) {
  switch (limit) {
    case Limit::fuel:
      return "validation takes too many steps";
    case Limit::depth:
      return "schemas or values are nested too deeply";
    case Limit::regex:
      return "a regular expression backtracks too much";
    case Limit::none:
      break;
  }
  return "no limit";
}

}  // namespace collet::schema
