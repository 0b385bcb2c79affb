#include "schema/evaluator.h"

#include "schema/equality.h"

namespace collet::schema {
namespace {

using json::Value;

constexpr std::int64_t kMarksPerStep = 64;
constexpr std::int64_t kNamesPerStep = 8;  // of a search among the members of an object
constexpr std::int64_t kCountedBytesPerStep = 64;
constexpr std::int64_t kFormatBytesPerStep = 4;
constexpr std::int64_t kScopesPerStep = 8;

unsigned type_of(const Value& value) {
  static constexpr std::uint8_t kByJsonType[] = {kNull, kBoolean, kBoolean, kObject, kArray, kString, kInteger};
  const unsigned type = kByJsonType[value.GetType()];
  return type == kInteger && !is_integer(value) ? unsigned{kFraction} : type;
}

// An upper bound that costs nothing is often enough.
std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

bool has_length(std::string_view text, std::uint32_t min, std::uint32_t max) {
  const std::size_t bytes = text.size();
  if (bytes < min) return false;
  constexpr std::size_t kBytesMax = 4;  // of one character
  if (bytes <= max && bytes >= std::size_t{min} * kBytesMax) return true;
  const std::size_t count = characters(text);
  return count >= min && count <= max;
}

std::size_t size_of(const Value& value) {
  return value.IsObject() ? value.MemberCount() : value.IsArray() ? value.Size() : 0;
}

}  // namespace

template <bool kExplain>
bool Evaluator<kExplain>::run(NodeId id, const Value& value, const Path* path, Marks* marks) {
  const Node& node = program_.nodes[id];
  if (!e_.budget.spend(1)) return false;
  const unsigned type = type_of(value);
  if (!(node.types & type)) {
    return fail(node, Keyword::type, path, [&] { return expect_types(node.types, value); });
  }
  if (node.begin == node.end) return true;
  Level level(e_.budget);
  if (!level.holds()) return false;
  if (program_.dynamics.empty() || (e_.scope && e_.scope->resource == node.resource)) {
    return instructions(node, type, value, path, marks);
  }
  const Scope scope{e_.scope, node.resource};
  e_.scope = &scope;
  const bool ok = instructions(node, type, value, path, marks);
  e_.scope = scope.outer;
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::instructions(const Node& node, unsigned type, const Value& value, const Path* path,
                                       Marks* marks) {
  if (node.tracks_evaluated && (type & (kObject | kArray))) {
    return tracking(node, type, value, path, marks);
  }
  return sequence(node, type, value, path, marks);
}

template <bool kExplain>
bool Evaluator<kExplain>::sequence(const Node& node, unsigned type, const Value& value, const Path* path,
                                   Marks* marks) {
  bool ok = true;
  const Instruction* const end = program_.instructions.data() + node.end;
  for (const Instruction* at = program_.instructions.data() + node.begin; at != end; ++at) {
    if (!(at->types & type)) continue;
    // What a failed keyword would have evaluated is not known, so unevaluated* would blame the wrong ones.
    if (kExplain && !ok && (at->op == Op::unevaluated_items || at->op == Op::unevaluated_properties)) break;
    if (step(*at, node, value, path, marks)) continue;
    if (!goes_on()) return false;
    ok = false;
  }
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::tracking(const Node& node, unsigned type, const Value& value, const Path* path,
                                   Marks* marks) {
  const std::size_t size = size_of(value);
  if (!e_.budget.spend(static_cast<std::int64_t>(size) / kMarksPerStep)) return false;
  Marks own(size);
  if (!sequence(node, type, value, path, &own)) return false;
  if (marks) marks->merge(own);
  return true;
}

template <bool kExplain>
bool Evaluator<kExplain>::step(const Instruction& at, const Node& node, const Value& value, const Path* path,
                               Marks* marks) {
  switch (at.op) {
    case Op::enumeration: {
      const Enumeration& wanted = program_.enumerations[at.a];
      return wanted.has(value, e_.budget) ||
             fail(node, at.keyword, path, [&] { return expect_values(wanted, value); });
    }
    case Op::range:
      return range(at, node, value, path);
    case Op::multiple_of: {
      const Divisor& divisor = program_.divisors[at.a];
      return divisor.divides(value) || fail(node, at.keyword, path, [&] {
               return Words{"a multiple of " + divisor.to_text(), show(value)};
             });
    }
    case Op::length:
      return length(at, node, value, path);
    case Op::pattern: {
      const Regex& regex = program_.patterns[at.a];
      return regex.search(json::view(value), e_.budget) || fail(node, at.keyword, path, [&] {
               return Words{"a string matching " + regex.source(), show(value)};
             });
    }
    case Op::format: {
      const Format& format = program_.formats[at.a];
      if (!e_.budget.spend(static_cast<std::int64_t>(value.GetStringLength()) / kFormatBytesPerStep)) return false;
      return format.check(json::view(value)) || fail(node, at.keyword, path, [&] {
               return Words{"a valid " + std::string(format.name), show(value)};
             });
    }
    case Op::size:
    case Op::members: {
      const std::size_t size = size_of(value);
      if (size >= at.a && size <= at.b) return true;
      const bool array = at.op == Op::size;
      const Keyword keyword = size < at.a ? (array ? Keyword::min_items : Keyword::min_properties)
                                          : (array ? Keyword::max_items : Keyword::max_properties);
      return fail(node, keyword, path, [&] { return expect_size(array ? "item" : "property", at.a, at.b, size); });
    }
    case Op::unique_items: {
      std::pair<std::size_t, std::size_t> twins;
      return all_unique(value, e_.budget, kExplain ? &twins : nullptr) || fail(node, at.keyword, path, [&] {
               return Words{"an array of different items",
                            fmt::format("items {} and {} that are equal", twins.first, twins.second)};
             });
    }
    case Op::object:
      return object(program_.objects[at.a], node, value, path, marks);
    case Op::dependent: {
      bool ok = true;
      for (const Dependent& rule : program_.dependents[at.a]) {
        if (dependent(rule, node, value, path, marks)) continue;
        if (!goes_on()) return false;
        ok = false;
      }
      return ok;
    }
    case Op::property_names:
      return property_names(at.a, value, path);
    case Op::items:
      return items(program_.items[at.a], value, path, marks);
    case Op::contains:
      return contains(program_.contains[at.a], node, value, path, marks);
    case Op::reference:
      return run(at.a, value, path, marks);
    case Op::dynamic:
      return dynamic(at, value, path, marks);
    case Op::all_of:
      return all_of(at, value, path, marks);
    case Op::any_of:
      return any_of(at, node, value, path, marks);
    case Op::one_of:
      return one_of(at, node, value, path, marks);
    case Op::negation:
      return !holds(at.a, value, nullptr) || fail(node, at.keyword, path, [&] {
        return Words{"something that the schema under \"not\" refuses", show(value)};
      });
    case Op::condition:
      return condition(at, value, path, marks);
    case Op::unevaluated_items:
      return unevaluated_items(at.a, value, path, *marks);
    case Op::unevaluated_properties:
      return unevaluated_properties(at.a, node, value, path, *marks);
  }
  COLLET_ASSERT(false);
}

template <bool kExplain>
bool Evaluator<kExplain>::child(NodeId id, const Value& value, const Path* path) {
  const Node& node = program_.nodes[id];
  if (node.begin != node.end) return run(id, value, path, nullptr);
  return (node.types & type_of(value)) ||
         fail(node, Keyword::type, path, [&] { return expect_types(node.types, value); });
}

template <bool kExplain>
bool Evaluator<kExplain>::holds(NodeId id, const Value& value, Marks* marks) {
  Evaluator<false> plain(e_);
  if (!marks) return plain.run(id, value, nullptr, nullptr);
  const std::size_t size = size_of(value);
  if (!e_.budget.spend(static_cast<std::int64_t>(size) / kMarksPerStep)) return false;
  Marks own(size);
  if (!plain.run(id, value, nullptr, &own)) return false;
  marks->merge(own);
  return true;
}

template <bool kExplain>
bool Evaluator<kExplain>::range(const Instruction& at, const Node& node, const Value& value, const Path* path) {
  const Range& range = program_.ranges[at.a];
  if (range.has(value)) return true;
  const Keyword keyword = kExplain ? broken_bound(range, exact(value)) : at.keyword;
  return fail(node, keyword, path, [&] { return expect_bound(range, keyword, value); });
}

template <bool kExplain>
bool Evaluator<kExplain>::length(const Instruction& at, const Node& node, const Value& value, const Path* path) {
  const std::string_view text = json::view(value);
  if (!e_.budget.spend(static_cast<std::int64_t>(text.size()) / kCountedBytesPerStep)) return false;
  if (has_length(text, at.a, at.b)) return true;
  const bool too_short = characters(text) < at.a;
  return fail(node, too_short ? Keyword::min_length : Keyword::max_length, path, [&] {
    Words words = expect_size("character", at.a, at.b, characters(text));
    words.got = fmt::format("{} ({})", show(value), words.got);
    return words;
  });
}

template <bool kExplain>
bool Evaluator<kExplain>::object(const ObjectRule& rule, const Node& node, const Value& value, const Path* path,
                                 Marks* marks) {
  const auto count = static_cast<std::size_t>(value.MemberCount());
  if (!e_.budget.spend(static_cast<std::int64_t>(count))) return false;
  std::uint64_t seen = 0;
  bool ok = true;
  const auto members = value.MemberBegin();
  for (std::size_t i = 0; i < count; ++i) {
    const Value::Member& here = members[static_cast<std::ptrdiff_t>(i)];
    bool matched = false;
    const Path inner{path, &here.name};
    if (!member(rule, node, here, &inner, matched, seen)) {
      if (!goes_on()) return false;
      ok = false;
    }
    if (marks && matched) marks->set(i);
  }
  const bool complete = (seen & rule.required) == rule.required && rule.more_required.empty();
  return (complete || missing(rule, node, value, path, seen)) && ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::member(const ObjectRule& rule, const Node& node, const Value::Member& member,
                                 const Path* path, bool& matched, std::uint64_t& seen) {
  bool ok = true;
  const std::uint32_t key = rule.keys.find(json::view(member.name));
  if (key != KeyTable::kNone) {
    const Property& property = rule.properties[key];
    seen |= property.required;
    if (property.node != kNone) {
      matched = true;
      ok = child(property.node, member.value, path);
    }
  }
  for (const PatternProperty& property : rule.patterns) {
    if (!ok && !goes_on()) return false;
    if (!program_.patterns[property.pattern].search(json::view(member.name), e_.budget)) continue;
    matched = true;
    ok = child(property.node, member.value, path) && ok;
  }
  if (matched || rule.additional == kNone) return ok;
  matched = true;
  if (kExplain && program_.nodes[rule.additional].types == 0) {
    return fail(node, Keyword::additional_properties, path, [&] { return expect_no_property(rule, member.value); });
  }
  return child(rule.additional, member.value, path);
}

template <bool kExplain>
bool Evaluator<kExplain>::missing(const ObjectRule& rule, const Node& node, const Value& value, const Path* path,
                                  std::uint64_t seen) {
  const auto names = static_cast<std::int64_t>(rule.more_required.size());
  const std::int64_t steps = names * (1 + static_cast<std::int64_t>(value.MemberCount()) / kNamesPerStep);
  if (!e_.budget.spend(steps + static_cast<std::int64_t>(rule.properties.size()) / kNamesPerStep)) return false;
  bool ok = true;
  const auto lacks = [&](std::string_view name) {
    ok = fail(node, Keyword::required, path, [&] { return expect_property(name, value); });
    return goes_on();
  };
  for (std::uint32_t key = 0; key < rule.properties.size(); ++key) {
    if ((rule.properties[key].required & ~seen) && !lacks(rule.keys[key])) return false;
  }
  for (std::string_view name : rule.more_required) {
    if (!json::find(value, name) && !lacks(name)) return false;
  }
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::dependent(const Dependent& rule, const Node& node, const Value& value, const Path* path,
                                    Marks* marks) {
  const auto names = static_cast<std::int64_t>(rule.required.size()) + 1;
  if (!e_.budget.spend(names * (1 + static_cast<std::int64_t>(value.MemberCount()) / kNamesPerStep))) return false;
  if (!json::find(value, rule.name)) return true;
  if (rule.node != kNone) return run(rule.node, value, path, marks);
  bool ok = true;
  for (std::string_view name : rule.required) {
    if (json::find(value, name)) continue;
    ok = fail(node, rule.keyword, path, [&] { return expect_property(name, value); });
    if (!goes_on()) return false;
  }
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::property_names(NodeId id, const Value& value, const Path* path) {
  bool ok = true;
  for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
    const Path inner{path, &member->name};
    if (run(id, member->name, &inner, nullptr)) continue;
    if (!goes_on()) return false;
    ok = false;
  }
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::items(const ItemsRule& rule, const Value& value, const Path* path, Marks* marks) {
  const rapidjson::SizeType prefix = std::min(value.Size(), static_cast<rapidjson::SizeType>(rule.prefix.size()));
  const rapidjson::SizeType end = rule.rest == kNone ? prefix : value.Size();
  if (!e_.budget.spend(end)) return false;
  bool ok = true;
  for (rapidjson::SizeType i = 0; i < end; ++i) {
    const Path inner{path, nullptr, i};
    if (!child(i < prefix ? rule.prefix[i] : rule.rest, value[i], &inner)) {
      if (!goes_on()) return false;
      ok = false;
    }
    if (marks) marks->set(i);
  }
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::contains(const ContainsRule& rule, const Node& node, const Value& value, const Path* path,
                                   Marks* marks) {
  if (!e_.budget.spend(value.Size())) return false;
  std::uint32_t count = 0;
  const bool marking = marks && rule.marks;
  for (rapidjson::SizeType i = 0; i < value.Size() && count <= rule.max; ++i) {
    if (count >= rule.min && rule.max == kNone && !marking) break;
    if (!holds(rule.node, value[i], nullptr)) continue;
    ++count;
    if (marking) marks->set(i);
  }
  if (count >= rule.min && count <= rule.max) return true;
  const Keyword keyword = count > rule.max              ? Keyword::max_contains
                          : count == 0 && rule.min == 1 ? Keyword::contains
                                                        : Keyword::min_contains;
  return fail(node, keyword, path, [&] {
    Words words = expect_size("item", rule.min, rule.max, count);
    words.expected += " that the schema under \"contains\" takes";
    if (count > rule.max) words.got = "more";
    return words;
  });
}

template <bool kExplain>
bool Evaluator<kExplain>::dynamic(const Instruction& at, const Value& value, const Path* path, Marks* marks) {
  const DynamicTargets& targets = program_.dynamics[at.a];
  NodeId target = at.b;
  std::int64_t scopes = 0;
  for (const Scope* scope = e_.scope; scope; scope = scope->outer, ++scopes) {
    const NodeId here = targets.in(scope->resource);
    if (here != kNone) target = here;
  }
  return e_.budget.spend(scopes / kScopesPerStep) && run(target, value, path, marks);
}

template <bool kExplain>
bool Evaluator<kExplain>::all_of(const Instruction& at, const Value& value, const Path* path, Marks* marks) {
  bool ok = true;
  for (std::uint32_t i = at.a; i < at.b; ++i) {
    if (run(program_.lists[i], value, path, marks)) continue;
    if (!goes_on()) return false;
    ok = false;
  }
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::any_of(const Instruction& at, const Node& node, const Value& value, const Path* path,
                                 Marks* marks) {
  bool found = false;
  for (std::uint32_t i = at.a; i < at.b && !(found && !marks); ++i) found |= holds(program_.lists[i], value, marks);
  return found || fail_branches(at, node, value, path);
}

template <bool kExplain>
bool Evaluator<kExplain>::one_of(const Instruction& at, const Node& node, const Value& value, const Path* path,
                                 Marks* marks) {
  std::uint32_t first = kNone;
  for (std::uint32_t i = at.a; i < at.b; ++i) {
    if (!holds(program_.lists[i], value, marks)) continue;
    if (first != kNone) {
      return fail(node, at.keyword, path, [&] {
        return Words{"what exactly one of its schemas takes",
                     fmt::format("{}, which both {} and {} take", show(value), first - at.a, i - at.a)};
      });
    }
    first = i;
  }
  return first != kNone || fail_branches(at, node, value, path);
}

template <bool kExplain>
bool Evaluator<kExplain>::condition(const Instruction& at, const Value& value, const Path* path, Marks* marks) {
  const NodeId branch = holds(at.a, value, marks) ? at.b : at.c;
  return branch == kNone || run(branch, value, path, marks);
}

template <bool kExplain>
bool Evaluator<kExplain>::unevaluated_items(NodeId id, const Value& value, const Path* path, Marks& marks) {
  if (!e_.budget.spend(value.Size())) return false;
  bool ok = true;
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    if (marks.has(i)) continue;
    const Path inner{path, nullptr, i};
    if (child(id, value[i], &inner)) continue;
    if (!goes_on()) return false;
    ok = false;
  }
  marks.set_all();
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::unevaluated_properties(NodeId id, const Node& node, const Value& value, const Path* path,
                                                 Marks& marks) {
  if (!e_.budget.spend(value.MemberCount())) return false;
  bool ok = true;
  std::size_t i = 0;
  for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member, ++i) {
    if (marks.has(i)) continue;
    const Path inner{path, &member->name};
    if (kExplain && program_.nodes[id].types == 0) {
      ok = fail(node, Keyword::unevaluated_properties, &inner, [&] {
        return Words{"no other properties are allowed here", show(member->value)};
      });
    } else if (!child(id, member->value, &inner)) {
      ok = false;
    }
    if (!ok && !goes_on()) return false;
  }
  marks.set_all();
  return ok;
}

template <bool kExplain>
bool Evaluator<kExplain>::fail_branches(const Instruction& at, const Node& node, const Value& value,
                                        const Path* path) {
  if constexpr (kExplain) {
    if (e_.budget.limit != Limit::none) return false;
    explain_branches(e_, at, node, value, path);
  }
  return false;
}

template class Evaluator<false>;
template class Evaluator<true>;

}  // namespace collet::schema
