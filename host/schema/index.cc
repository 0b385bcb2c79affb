#include "schema/index.h"

#include "base/json_pointer.h"
#include "schema/uri.h"

namespace collet::schema {
namespace {

using json::Value;

constexpr std::size_t kNamesSearchedMax = limits::kSchemaCheckFuel;  // one name takes about as long as one step

const Value* find_anchor(const std::vector<std::pair<std::string_view, const Value*>>& anchors,
                         std::string_view name) {
  for (const auto& [anchor, schema] : anchors) {
    if (anchor == name) return schema;
  }
  return nullptr;
}

// In draft-07 a $ref stands alone: the keywords beside it mean nothing.
bool is_lone_reference(const Value& schema, Semantics semantics) {
  return semantics.dialect == Dialect::draft7 && json::find(schema, "$ref");
}

}  // namespace

void Refusal::refuse(CompileError::Kind kind, std::uint32_t location, std::string_view keyword,
                     std::string_view reason) {
  if (error_) return;
  CompileError why;
  why.kind = kind;
  why.location = program_.pointer(location, {});
  why.keyword = keyword;
  why.message = fmt::format("schema {}{}: {}", why.location.empty() ? "(root)" : why.location,
                            keyword.empty() ? "" : fmt::format(" [{}]", keyword), reason);
  error_ = std::move(why);
}

Index::Index(const Options& options, Program& program, Refusal& refusal)
    : options_(options), program_(program), refusal_(refusal) {}

void Index::add_root(const Value& schema) {
  Semantics semantics;
  find_dialect(metaschema_uri(options_.default_dialect), semantics);
  program_.locations.push_back({kNone, {}});
  add_document("", schema, semantics, 0);
}

Position& Index::at(const Value& schema) {
  const auto found = positions_.find(&schema);
  COLLET_ASSERT(found != positions_.end());
  return found->second;
}

const Position* Index::find(const Value& schema) const {
  const auto found = positions_.find(&schema);
  return found == positions_.end() ? nullptr : &found->second;
}

const Value* Index::dynamic_anchor(std::uint32_t resource, std::string_view name) const {
  return find_anchor(resources_[resource].dynamic_anchors, name);
}

std::uint32_t Index::step(std::uint32_t outer, std::string_view token) {
  program_.locations.push_back({outer, program_.keep(token)});
  return static_cast<std::uint32_t>(program_.locations.size() - 1);
}

std::uint32_t Index::step(std::uint32_t outer, std::uint32_t item) {
  program_.locations.push_back({outer, {}, item});
  return static_cast<std::uint32_t>(program_.locations.size() - 1);
}

std::uint32_t Index::add_document(std::string uri, const Value& root, Semantics default_semantics,
                                  std::uint32_t location) {
  const auto id = static_cast<std::uint32_t>(resources_.size());
  by_uri_.emplace(uri, id);
  resources_.push_back({std::move(uri), &root, default_semantics, {}, {}});
  read_dialect(root, resources_[id].semantics, location);
  walk(root, id, location, 1);
  return id;
}

std::optional<std::uint32_t> Index::load(std::string_view uri, Semantics of_referrer) {
  const Value* document = find_metaschema(uri);
  if (!document && options_.documents) document = options_.documents->find(uri);
  if (!document) return std::nullopt;
  program_.locations.push_back({kNone, program_.keep(uri)});
  return add_document(std::string(uri), *document, of_referrer,
                      static_cast<std::uint32_t>(program_.locations.size() - 1));
}

void Index::read_dialect(const Value& schema, Semantics& semantics, std::uint32_t location) {
  const auto named = json::find_string(schema, "$schema");
  if (!named) return;
  const std::string_view uri = split_fragment(*named).document;
  if (find_dialect(uri, semantics)) return;
  const Value* metaschema = options_.documents ? options_.documents->find(uri) : nullptr;
  if (!metaschema) {
    return refusal_.refuse(
        CompileError::Kind::unknown_dialect, location, "$schema",
        fmt::format("the dialect \"{}\" is not known; use 2020-12, 2019-09 or draft-07", *named));
  }
  if (location == 0) custom_metaschema_ = metaschema;
  read_custom_dialect(*metaschema, semantics, location);
}

void Index::read_custom_dialect(const Value& metaschema, Semantics& semantics, std::uint32_t location) {
  const auto base = json::find_string(metaschema, "$schema");
  if (base && !find_dialect(split_fragment(*base).document, semantics)) {
    return refusal_.refuse(CompileError::Kind::unknown_dialect, location, "$schema",
                           fmt::format("the metaschema is itself of a dialect that is not known, \"{}\"", *base));
  }
  const Value* vocabularies = json::find(metaschema, "$vocabulary");
  if (!vocabularies || !vocabularies->IsObject()) return;
  semantics.vocabularies = 0;
  for (auto entry = vocabularies->MemberBegin(); entry != vocabularies->MemberEnd(); ++entry) {
    const std::string_view uri = json::view(entry->name);
    const bool needed = entry->value.IsTrue();
    unsigned bit = 0;
    if (find_vocabulary(uri, bit)) {
      const bool asserts = bit == kFormat && needed && semantics.dialect == Dialect::draft2019_09;
      semantics.vocabularies |= asserts ? kFormatAssertion : bit;
    } else if (needed) {
      refusal_.refuse(CompileError::Kind::unknown_dialect, location, "$schema",
                      fmt::format("the dialect needs the vocabulary \"{}\", which is not known", uri));
    }
  }
}

void Index::walk(const Value& schema, std::uint32_t resource, std::uint32_t location, unsigned depth) {
  if (refusal_) return;
  if (depth > options_.limits.depth_max) {
    return refusal_.refuse(CompileError::Kind::too_deep, location, {},
                           fmt::format("nested more than {} deep", options_.limits.depth_max));
  }
  if (positions_.size() >= options_.limits.nodes_max) {
    return refusal_.refuse(CompileError::Kind::too_large, location, {},
                           fmt::format("more than {} subschemas", options_.limits.nodes_max));
  }
  if (!schema.IsObject()) {
    positions_.emplace(&schema, Position{resource, location, depth});
    return;
  }
  if (!is_lone_reference(schema, resources_[resource].semantics)) {
    resource = identify(schema, resource, location);
    note_anchors(schema, resource);
  }
  const Position here{resource, location, depth};
  if (!positions_.emplace(&schema, here).second) return;
  for (auto member = schema.MemberBegin(); member != schema.MemberEnd(); ++member) {
    const KeywordInfo* info = find_keyword(json::view(member->name), resources_[resource].semantics);
    if (info && info->shape != Shape::other) walk_keyword(*info, member->value, here);
  }
}

void Index::walk_keyword(const KeywordInfo& info, const Value& value, const Position& outer) {
  const std::uint32_t location = step(outer.location, info.name);
  const bool list = info.shape == Shape::schemas || info.shape == Shape::schema_or_schemas;
  if (list && value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      walk(value[i], outer.resource, step(location, i), outer.depth + 2);
    }
  } else if (info.shape == Shape::schemas_by_name) {
    if (!value.IsObject()) return;
    for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
      if (info.keyword == Keyword::dependencies && member->value.IsArray()) continue;
      walk(member->value, outer.resource, step(location, json::view(member->name)), outer.depth + 2);
    }
  } else if (info.shape != Shape::schemas) {
    walk(value, outer.resource, location, outer.depth + 1);
  }
}

std::uint32_t Index::identify(const Value& schema, std::uint32_t resource, std::uint32_t location) {
  const auto id = json::find_string(schema, "$id");
  if (!id) return resource;
  const auto [document, fragment] = split_fragment(*id);
  if (document.empty()) return resource;
  std::string uri = resolve_uri(resources_[resource].uri, document);
  if (resources_[resource].root == &schema) {
    by_uri_.emplace(uri, resource);
    resources_[resource].uri = std::move(uri);
    return resource;
  }
  const auto own = static_cast<std::uint32_t>(resources_.size());
  by_uri_.emplace(uri, own);
  resources_.push_back({std::move(uri), &schema, resources_[resource].semantics, {}, {}});
  Semantics semantics = resources_[own].semantics;
  read_dialect(schema, semantics, location);
  resources_[own].semantics = semantics;
  return own;
}

void Index::note_anchors(const Value& schema, std::uint32_t id) {
  Resource& resource = resources_[id];
  if (resource.semantics.dialect == Dialect::draft7) {
    const auto named = json::find_string(schema, "$id");
    const std::string_view fragment = named ? split_fragment(*named).fragment : std::string_view{};
    if (!fragment.empty() && fragment[0] != '/') resource.anchors.emplace_back(fragment, &schema);
    return;
  }
  if (const auto anchor = json::find_string(schema, "$anchor")) resource.anchors.emplace_back(*anchor, &schema);
  if (resource.semantics.dialect == Dialect::draft2020_12) {
    if (const auto anchor = json::find_string(schema, "$dynamicAnchor")) {
      resource.anchors.emplace_back(*anchor, &schema);
      resource.dynamic_anchors.emplace_back(*anchor, &schema);
    }
  } else if (const Value* recursive = json::find(schema, "$recursiveAnchor"); recursive && recursive->IsTrue()) {
    if (&schema == resource.root) resource.dynamic_anchors.emplace_back(std::string_view{}, &schema);
  }
}

const Value* Index::resolve(std::string_view reference, const Position& from, Keyword keyword) {
  const std::uint32_t location = from.location;
  const std::string target = resolve_uri(resources_[from.resource].uri, reference);
  const auto [document, fragment] = split_fragment(target);
  std::optional<std::uint32_t> resource;
  if (const auto known = by_uri_.find(std::string(document)); known != by_uri_.end()) {
    resource = known->second;
  } else {
    resource = load(document, semantics(from));
  }
  const auto refuse = [&](std::string_view why) -> const Value* {
    refusal_.refuse(CompileError::Kind::unresolved, location, name(keyword), why);
    return nullptr;
  };
  if (!resource) {
    return refuse(
        fmt::format("\"{}\" leads to \"{}\", which is not in the schema, and nothing is ever fetched; put it "
                    "under $defs",
                    reference, document));
  }
  if (!search(resources_[*resource].anchors.size(), location)) return nullptr;
  const std::string way = percent_decode(fragment);
  const Value* found = way.empty()     ? resources_[*resource].root
                       : way[0] == '/' ? follow_pointer(*resource, way)
                                       : find_anchor(resources_[*resource].anchors, way);
  if (refusal_) return nullptr;
  if (!found) return refuse(fmt::format("\"{}\" leads nowhere", reference));
  if (!found->IsObject() && !found->IsBool()) return refuse(fmt::format("\"{}\" leads to no schema", reference));
  return found;
}

bool Index::search(std::size_t names, std::uint32_t location) {
  names_searched_ += names;
  if (names_searched_ <= kNamesSearchedMax) return true;
  refusal_.refuse(CompileError::Kind::too_large, location, {}, "too many references into too many names");
  return false;
}

const Value* Index::follow_pointer(std::uint32_t resource, std::string_view pointer) {
  const Value* here = resources_[resource].root;
  Position nearest = at(*here);
  std::uint32_t location = nearest.location;
  unsigned depth = nearest.depth;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t slash = pointer.find('/');
    const std::string token = json::unescape_pointer_token(pointer.substr(0, slash));
    pointer = slash == std::string_view::npos ? std::string_view{} : pointer.substr(slash);
    if (here->IsObject() && !search(here->MemberCount(), location)) return nullptr;
    here = json::child_at(*here, token);
    if (!here) return nullptr;
    ++depth;
    if (const Position* known = find(*here)) {
      nearest = *known;
      location = known->location;
    } else {
      location = step(location, token);
    }
  }
  // A schema under a keyword that is unknown, or no place for schemas, until somebody refers to it.
  if (!find(*here) && (here->IsObject() || here->IsBool())) walk(*here, nearest.resource, location, depth);
  return here;
}

}  // namespace collet::schema
