// Where the subschemas of a schema lie, and what names them: a walk over the known positions only, so that an $id
// in an enum is data and names nothing.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "schema/program.h"
#include "schema/refusal.h"

namespace collet::schema {

// A subschema.
struct Position {
  std::uint32_t resource;
  std::uint32_t location;
  unsigned depth;  // of its JSON in the document
  NodeId node = kNone;
};

// What an $id makes: a schema with a URI of its own.
struct Resource {
  std::string uri;
  const json::Value* root;
  Semantics semantics;
  std::vector<std::pair<std::string_view, const json::Value*>> anchors;
  std::vector<std::pair<std::string_view, const json::Value*>> dynamic_anchors;  // "": $recursiveAnchor
};

class Index {
 public:
  // `program` receives the locations. All are borrowed.
  Index(const Options& options, Program& program, Refusal& refusal);

  // Takes the schema itself in, as resource 0.
  void add_root(const json::Value& schema);

  // The schema that a reference in `from` means, or null and a refusal.
  const json::Value* resolve(std::string_view reference, const Position& from, Keyword keyword);

  // Of a schema that has been indexed.
  Position& at(const json::Value& schema);
  const Position* find(const json::Value& schema) const;
  const Resource& resource(std::uint32_t id) const { return resources_[id]; }
  std::size_t resource_count() const { return resources_.size(); }
  Semantics semantics(const Position& position) const { return resources_[position.resource].semantics; }
  // A metaschema other than the bundled ones that the schema named, or null.
  const json::Value* custom_metaschema() const { return custom_metaschema_; }

  // The named dynamic anchor in a resource, or null.
  const json::Value* dynamic_anchor(std::uint32_t resource, std::string_view name) const;

  // A step from `outer`, for locations.
  std::uint32_t step(std::uint32_t outer, std::string_view token);
  std::uint32_t step(std::uint32_t outer, std::uint32_t item);

 private:
  // Gives the resource of the document, or nothing and no refusal if there is none.
  std::optional<std::uint32_t> load(std::string_view uri, Semantics of_referrer);
  std::uint32_t add_document(std::string uri, const json::Value& root, Semantics default_semantics,
                             std::uint32_t location);
  void read_dialect(const json::Value& schema, Semantics& semantics, std::uint32_t location);
  void read_custom_dialect(const json::Value& metaschema, Semantics& semantics, std::uint32_t location);

  void walk(const json::Value& schema, std::uint32_t resource, std::uint32_t location, unsigned depth);
  void walk_keyword(const KeywordInfo& info, const json::Value& value, const Position& outer);
  // Follows the schema's own $id; gives the resource that it lies in.
  std::uint32_t identify(const json::Value& schema, std::uint32_t resource, std::uint32_t location);
  void note_anchors(const json::Value& schema, std::uint32_t resource);
  const json::Value* follow_pointer(std::uint32_t resource, std::string_view pointer);
  // Counts what following references has cost; false and a refusal if it is too much.
  bool search(std::size_t names, std::uint32_t location);

  const Options& options_;
  Program& program_;
  Refusal& refusal_;
  const json::Value* custom_metaschema_ = nullptr;
  std::vector<Resource> resources_;
  std::size_t names_searched_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_uri_;
  std::unordered_map<const json::Value*, Position> positions_;
};

}  // namespace collet::schema
