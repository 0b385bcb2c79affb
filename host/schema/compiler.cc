#include "schema/compiler.h"

#include "schema/uri.h"

namespace collet::schema {
namespace {

using json::Value;

struct TypeName {
  std::string_view name;
  std::uint8_t types;
};
constexpr TypeName kTypeNames[] = {{"null", kNull},      {"boolean", kBoolean}, {"object", kObject},
                                   {"array", kArray},    {"string", kString},   {"number", kNumber},
                                   {"integer", kInteger}};

std::uint8_t types_of(std::string_view name) {
  for (const TypeName& type : kTypeNames) {
    if (type.name == name) return type.types;
  }
  return 0;
}

std::optional<long double> bound(const Value* value) {
  if (!value || !value->IsNumber()) return std::nullopt;
  return exact(*value);
}

template <class T>
std::uint32_t push(std::vector<T>& table, T entry) {
  table.push_back(std::move(entry));
  return static_cast<std::uint32_t>(table.size() - 1);
}

}  // namespace

Compiler::Compiler(const Options& options, Program& program, Index& index, Refusal& refusal)
    : options_(options), program_(program), index_(index), refusal_(refusal) {}

void Compiler::run(const Value& root) {
  node_of(root);
  drain();
  // The targets of dynamic references may bring further resources, and these further targets.
  for (std::size_t nodes = 0; nodes != program_.nodes.size() && !refusal_;) {
    nodes = program_.nodes.size();
    add_dynamic_targets();
    drain();
  }
  for (DynamicTargets& targets : program_.dynamics)
    std::sort(targets.by_resource.begin(), targets.by_resource.end());
  if (!refusal_) shorten_references();
}

NodeId Compiler::node_of(const Value& schema) {
  Position& position = index_.at(schema);
  if (position.node == kNone) {
    position.node = static_cast<NodeId>(program_.nodes.size());
    Node node;
    node.resource = position.resource;
    node.location = position.location;
    program_.nodes.push_back(node);
    work_.push_back(&schema);
  }
  return position.node;
}

NodeId Compiler::node_of_member(const Subject& subject, Keyword keyword) {
  const Value* schema = subject[keyword];
  if (!schema) return kNone;
  if (!schema->IsObject() && !schema->IsBool()) {
    malformed(subject, keyword, "a schema");
    return kNone;
  }
  return node_of(*schema);
}

void Compiler::drain() {
  while (!work_.empty() && !refusal_) {
    const Value& schema = *work_.back();
    work_.pop_back();
    compile(schema);
  }
}

void Compiler::compile(const Value& schema) {
  const Position position = index_.at(schema);
  Node node = program_.nodes[position.node];
  node.begin = static_cast<std::uint32_t>(program_.instructions.size());
  if (schema.IsObject()) {
    Subject subject{schema, position, index_.semantics(position)};
    for (auto member = schema.MemberBegin(); member != schema.MemberEnd(); ++member) {
      const KeywordInfo* info = find_keyword(json::view(member->name), subject.semantics);
      if (info) subject.keywords[static_cast<std::size_t>(info->keyword)] = &member->value;
    }
    if (subject.semantics.dialect == Dialect::draft7 && subject[Keyword::ref]) {
      references(subject);
    } else {
      assertions(subject, node);
    }
  } else if (schema.IsFalse()) {
    node.types = 0;
  } else if (!schema.IsTrue()) {
    refusal_.refuse(CompileError::Kind::malformed, position.location, {},
                    "a schema must be an object or a boolean");
  }
  node.end = static_cast<std::uint32_t>(program_.instructions.size());
  program_.nodes[position.node] = node;
}

// In the order of their cost, so that what fails fails early. unevaluated* must come last.
void Compiler::assertions(const Subject& subject, Node& node) {
  type(subject, node);
  constants(subject);
  numbers(subject);
  strings(subject);
  counts(subject);
  object(subject);
  items(subject);
  references(subject);
  applicators(subject);
  const NodeId other_items = node_of_member(subject, Keyword::unevaluated_items);
  const NodeId other_members = node_of_member(subject, Keyword::unevaluated_properties);
  if (other_items != kNone) emit(Op::unevaluated_items, kArray, Keyword::unevaluated_items, other_items);
  if (other_members != kNone) {
    emit(Op::unevaluated_properties, kObject, Keyword::unevaluated_properties, other_members);
  }
  node.tracks_evaluated = other_items != kNone || other_members != kNone;
}

void Compiler::type(const Subject& subject, Node& node) {
  const Value* types = subject[Keyword::type];
  if (!types) return;
  node.types = 0;
  const auto allow = [&](const Value& type) {
    const std::uint8_t bits = type.IsString() ? types_of(json::view(type)) : 0;
    if (bits == 0) {
      malformed(subject, Keyword::type,
                "null, boolean, object, array, number, integer or string, or an array of them");
    }
    node.types |= bits;
  };
  if (types->IsArray()) {
    for (const Value& type : types->GetArray()) allow(type);
  } else {
    allow(*types);
  }
}

void Compiler::constants(const Subject& subject) {
  if (const Value* values = subject[Keyword::enumeration]) {
    if (!values->IsArray()) return malformed(subject, Keyword::enumeration, "an array");
    if (!spend_constants(subject, Keyword::enumeration, *values)) return;
    std::vector<const Value*> kept;
    for (const Value& value : values->GetArray()) kept.push_back(program_.keep(value));
    emit(Op::enumeration, kAnyType, Keyword::enumeration,
         push(program_.enumerations, Enumeration(std::move(kept), comparisons_)));
  }
  if (const Value* value = subject[Keyword::constant]) {
    if (!spend_constants(subject, Keyword::constant, *value)) return;
    emit(Op::enumeration, kAnyType, Keyword::constant,
         push(program_.enumerations, Enumeration({program_.keep(*value)}, comparisons_)));
  }
}

void Compiler::numbers(const Subject& subject) {
  for (Keyword keyword :
       {Keyword::minimum, Keyword::maximum, Keyword::exclusive_minimum, Keyword::exclusive_maximum}) {
    if (subject[keyword] && !subject[keyword]->IsNumber()) malformed(subject, keyword, "a number");
  }
  const Range range(bound(subject[Keyword::minimum]), bound(subject[Keyword::maximum]),
                    bound(subject[Keyword::exclusive_minimum]), bound(subject[Keyword::exclusive_maximum]));
  if (!range.is_open()) emit(Op::range, kNumber, Keyword::minimum, push(program_.ranges, range));
  if (const Value* divisor = subject[Keyword::multiple_of]) {
    if (!divisor->IsNumber() || exact(*divisor) <= 0)
      return malformed(subject, Keyword::multiple_of, "a number above 0");
    emit(Op::multiple_of, kNumber, Keyword::multiple_of, push(program_.divisors, Divisor(*divisor)));
  }
}

void Compiler::strings(const Subject& subject) {
  bounds(subject, Keyword::min_length, Keyword::max_length, Op::length, kString);
  if (const Value* text = subject[Keyword::pattern]) {
    if (!text->IsString()) return malformed(subject, Keyword::pattern, "a string");
    emit(Op::pattern, kString, Keyword::pattern, pattern(subject, Keyword::pattern, json::view(*text)));
  }
  const Value* format = subject[Keyword::format];
  const bool asserted = options_.assert_formats || (subject.semantics.vocabularies & kFormatAssertion);
  if (!format || !asserted) return;
  if (!format->IsString()) return malformed(subject, Keyword::format, "a string");
  if (FormatCheck check = find_format(json::view(*format))) {
    emit(Op::format, kString, Keyword::format,
         push(program_.formats, Format{program_.keep(json::view(*format)), check}));
  }
}

void Compiler::counts(const Subject& subject) {
  bounds(subject, Keyword::min_items, Keyword::max_items, Op::size, kArray);
  bounds(subject, Keyword::min_properties, Keyword::max_properties, Op::members, kObject);
  const Value* unique = subject[Keyword::unique_items];
  if (unique && unique->IsTrue()) emit(Op::unique_items, kArray, Keyword::unique_items);
}

void Compiler::object(const Subject& subject) {
  ObjectRule rule;
  std::vector<std::string_view> names;
  properties(subject, rule, names);
  required(subject, rule, names);
  if (const Value* patterns = subject[Keyword::pattern_properties]) {
    if (!patterns->IsObject()) return malformed(subject, Keyword::pattern_properties, "an object");
    for (auto member = patterns->MemberBegin(); member != patterns->MemberEnd(); ++member) {
      const std::uint32_t id = pattern(subject, Keyword::pattern_properties, json::view(member->name));
      rule.patterns.push_back({id, node_of(member->value)});
    }
  }
  rule.additional = node_of_member(subject, Keyword::additional_properties);
  rule.keys = KeyTable(names);
  rule.applies = rule.additional != kNone || !rule.patterns.empty() || subject[Keyword::properties];
  if (rule.applies || rule.required != 0) {
    emit(Op::object, kObject, Keyword::properties, push(program_.objects, std::move(rule)));
  }
  dependents(subject);
  const NodeId names_node = node_of_member(subject, Keyword::property_names);
  if (names_node != kNone) emit(Op::property_names, kObject, Keyword::property_names, names_node);
}

void Compiler::properties(const Subject& subject, ObjectRule& rule, std::vector<std::string_view>& names) {
  const Value* properties = subject[Keyword::properties];
  if (!properties) return;
  if (!properties->IsObject()) return malformed(subject, Keyword::properties, "an object");
  std::unordered_map<std::string_view, std::size_t> known;
  for (auto member = properties->MemberBegin(); member != properties->MemberEnd(); ++member) {
    if (!known.emplace(json::view(member->name), names.size()).second) continue;
    names.push_back(program_.keep(json::view(member->name)));
    rule.properties.push_back({node_of(member->value)});
  }
}

void Compiler::required(const Subject& subject, ObjectRule& rule, std::vector<std::string_view>& known) {
  const Value* required = subject[Keyword::required];
  if (!required) return;
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < known.size(); ++i) index.emplace(known[i], i);
  unsigned bits = 0;
  for (std::string_view name : names(subject, Keyword::required, *required)) {
    if (bits == 64) {
      rule.more_required.push_back(name);
      continue;
    }
    const auto [entry, is_new] = index.emplace(name, known.size());
    if (is_new) {
      known.push_back(name);
      rule.properties.emplace_back();
    }
    Property& property = rule.properties[entry->second];
    if (property.required == 0) property.required = std::uint64_t{1} << bits++;
    rule.required |= property.required;
  }
}

void Compiler::dependents(const Subject& subject) {
  std::vector<Dependent> rules;
  for (Keyword keyword : {Keyword::dependent_required, Keyword::dependent_schemas, Keyword::dependencies}) {
    const Value* entries = subject[keyword];
    if (!entries) continue;
    if (!entries->IsObject()) return malformed(subject, keyword, "an object");
    for (auto member = entries->MemberBegin(); member != entries->MemberEnd(); ++member) {
      Dependent rule{program_.keep(json::view(member->name)), {}, kNone, keyword};
      if (member->value.IsArray()) {
        rule.required = names(subject, keyword, member->value);
      } else if (keyword == Keyword::dependent_required) {
        return malformed(subject, keyword, "an object of arrays of names");
      } else {
        rule.node = node_of(member->value);
      }
      rules.push_back(std::move(rule));
    }
  }
  if (!rules.empty()) {
    emit(Op::dependent, kObject, Keyword::dependencies, push(program_.dependents, std::move(rules)));
  }
}

void Compiler::items(const Subject& subject) {
  const bool tuples = subject.semantics.dialect == Dialect::draft2020_12;
  const Value* items = subject[Keyword::items];
  const bool array_form = !tuples && items && items->IsArray();
  const Keyword prefix_keyword = tuples ? Keyword::prefix_items : Keyword::items;
  const Value* prefix = tuples ? subject[Keyword::prefix_items] : array_form ? items : nullptr;
  ItemsRule rule;
  if (prefix) {
    if (!prefix->IsArray()) return malformed(subject, prefix_keyword, "an array of schemas");
    for (const Value& schema : prefix->GetArray()) rule.prefix.push_back(node_of(schema));
  }
  const Keyword rest = array_form ? Keyword::additional_items : Keyword::items;
  rule.rest = node_of_member(subject, rest);
  if (prefix || rule.rest != kNone) emit(Op::items, kArray, rest, push(program_.items, std::move(rule)));

  const NodeId wanted = node_of_member(subject, Keyword::contains);
  if (wanted == kNone) return;
  const ContainsRule contains{wanted, count(subject, Keyword::min_contains, 1),
                              count(subject, Keyword::max_contains, kNone), tuples};
  emit(Op::contains, kArray, Keyword::contains, push(program_.contains, contains));
}

void Compiler::references(const Subject& subject) {
  for (Keyword keyword : {Keyword::ref, Keyword::dynamic_ref, Keyword::recursive_ref}) {
    const Value* reference = subject[keyword];
    if (!reference) continue;
    if (!reference->IsString()) return malformed(subject, keyword, "a URI reference");
    const Value* target = index_.resolve(json::view(*reference), subject.position, keyword);
    if (!target) return;
    const std::string_view anchor = split_fragment(json::view(*reference)).fragment;
    const std::uint32_t resource = index_.at(*target).resource;
    // $recursiveAnchor is a dynamic anchor without a name.
    if (keyword != Keyword::ref && index_.dynamic_anchor(resource, anchor) == target) {
      emit(Op::dynamic, kAnyType, keyword, dynamic_targets(anchor), node_of(*target));
    } else {
      emit(Op::reference, kAnyType, keyword, node_of(*target));
    }
  }
}

std::uint32_t Compiler::dynamic_targets(std::string_view name) {
  const auto [entry, is_new] = dynamic_ids_.emplace(name, static_cast<std::uint32_t>(program_.dynamics.size()));
  if (is_new) program_.dynamics.emplace_back();
  return entry->second;
}

void Compiler::add_dynamic_targets() {
  if (program_.dynamics.empty()) return;
  dynamic_anchors_added_.resize(index_.resource_count());
  for (std::uint32_t id = 0; id < dynamic_anchors_added_.size(); ++id) {
    const auto& anchors = index_.resource(id).dynamic_anchors;
    for (std::size_t& next = dynamic_anchors_added_[id]; next < anchors.size(); ++next) {
      const auto& [name, schema] = anchors[next];
      program_.dynamics[dynamic_targets(name)].by_resource.emplace_back(id, node_of(*schema));
    }
  }
}

void Compiler::applicators(const Subject& subject) {
  list(subject, Keyword::all_of, Op::all_of);
  const NodeId refused = node_of_member(subject, Keyword::negation);
  if (refused != kNone) emit(Op::negation, kAnyType, Keyword::negation, refused);
  const NodeId condition = node_of_member(subject, Keyword::condition);
  if (condition != kNone) {
    emit(Op::condition, kAnyType, Keyword::condition, condition, node_of_member(subject, Keyword::consequence),
         node_of_member(subject, Keyword::alternative));
  }
  list(subject, Keyword::any_of, Op::any_of);
  list(subject, Keyword::one_of, Op::one_of);
}

void Compiler::list(const Subject& subject, Keyword keyword, Op op) {
  const Value* schemas = subject[keyword];
  if (!schemas) return;
  if (!schemas->IsArray() || schemas->Empty()) return malformed(subject, keyword, "an array of schemas, not empty");
  std::vector<NodeId> nodes;
  for (const Value& schema : schemas->GetArray()) nodes.push_back(node_of(schema));
  const auto begin = static_cast<std::uint32_t>(program_.lists.size());
  program_.lists.insert(program_.lists.end(), nodes.begin(), nodes.end());
  emit(op, kAnyType, keyword, begin, static_cast<std::uint32_t>(program_.lists.size()));
}

// A node that only refers to another is replaced by that other wherever it stands.
void Compiler::shorten_references() {
  const auto end_of = [&](NodeId id) {
    for (int hops = 0; hops < 8 && id != kNone; ++hops) {
      const Node& node = program_.nodes[id];
      if (node.types != kAnyType || node.end - node.begin != 1) break;
      const Instruction& only = program_.instructions[node.begin];
      // Entering a resource on the way can decide where a dynamic reference leads.
      if (only.op != Op::reference ||
          (!program_.dynamics.empty() && program_.nodes[only.a].resource != node.resource)) {
        break;
      }
      id = only.a;
    }
    return id;
  };
  for (ObjectRule& rule : program_.objects) {
    for (Property& property : rule.properties) property.node = end_of(property.node);
    for (PatternProperty& property : rule.patterns) property.node = end_of(property.node);
    rule.additional = end_of(rule.additional);
  }
  for (ItemsRule& rule : program_.items) {
    for (NodeId& node : rule.prefix) node = end_of(node);
    rule.rest = end_of(rule.rest);
  }
  for (NodeId& node : program_.lists) node = end_of(node);
  for (Instruction& instruction : program_.instructions) {
    if (instruction.op == Op::reference) instruction.a = end_of(instruction.a);
  }
}

void Compiler::emit(Op op, std::uint8_t types, Keyword keyword, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  program_.instructions.push_back({op, types, keyword, a, b, c});
}

void Compiler::bounds(const Subject& subject, Keyword min, Keyword max, Op op, std::uint8_t types) {
  if (!subject[min] && !subject[max]) return;
  emit(op, types, subject[min] ? min : max, count(subject, min, 0), count(subject, max, kNone));
}

std::uint32_t Compiler::count(const Subject& subject, Keyword keyword, std::uint32_t otherwise) {
  const Value* value = subject[keyword];
  if (!value) return otherwise;
  if (!value->IsNumber() || !is_integer(*value) || exact(*value) < 0) {
    malformed(subject, keyword, "a whole number, 0 or more");
    return otherwise;
  }
  return static_cast<std::uint32_t>(std::min<long double>(exact(*value), kNone));
}

std::uint32_t Compiler::pattern(const Subject& subject, Keyword keyword, std::string_view text) {
  if (const auto known = pattern_ids_.find(text); known != pattern_ids_.end()) return known->second;
  pattern_bytes_ += text.size();
  if (pattern_bytes_ > limits::kSchemaPatternsBytesMax) {
    refusal_.refuse(CompileError::Kind::too_large, subject.position.location, name(keyword),
                    fmt::format("more than {} bytes of regular expressions", limits::kSchemaPatternsBytesMax));
    return 0;
  }
  auto regex = Regex::compile(text);
  if (!regex) {
    refusal_.refuse(CompileError::Kind::bad_pattern, subject.position.location, name(keyword), regex.message());
    return 0;
  }
  const std::uint32_t id = push(program_.patterns, std::move(*regex));
  pattern_ids_.emplace(text, id);
  return id;
}

std::vector<std::string_view> Compiler::names(const Subject& subject, Keyword keyword, const Value& array) {
  std::vector<std::string_view> result;
  if (!array.IsArray()) {
    malformed(subject, keyword, "an array of names");
    return result;
  }
  for (const Value& name : array.GetArray()) {
    if (name.IsString()) {
      result.push_back(program_.keep(json::view(name)));
    } else {
      malformed(subject, keyword, "an array of names");
    }
  }
  return result;
}

bool Compiler::spend_constants(const Subject& subject, Keyword keyword, const Value& value) {
  constants_ += weigh(value, subject.position.depth + 1);
  if (constants_ <= options_.limits.constants_max) return true;
  refusal_.refuse(CompileError::Kind::too_large, subject.position.location, name(keyword),
                  fmt::format("more than {} values in enum and const, or values nested too deeply",
                              options_.limits.constants_max));
  return false;
}

// The number of values in it, or more than is allowed.
std::size_t Compiler::weigh(const Value& value, unsigned depth) const {
  if (depth > options_.limits.depth_max) return options_.limits.constants_max + std::size_t{1};
  std::size_t result = 1;
  if (value.IsArray()) {
    for (const Value& item : value.GetArray()) result += weigh(item, depth + 1);
  } else if (value.IsObject()) {
    for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
      result += weigh(member->value, depth + 1);
    }
  }
  return result;
}

void Compiler::malformed(const Subject& subject, Keyword keyword, std::string_view must_be) {
  refusal_.refuse(CompileError::Kind::malformed, subject.position.location, name(keyword),
                  fmt::format("must be {}", must_be));
}

}  // namespace collet::schema
