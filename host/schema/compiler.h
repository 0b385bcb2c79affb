// From an indexed schema to a program. A worklist of subschemas, one node each, so that recursive schemas are
// nothing special.
#pragma once

#include <array>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "schema/budget.h"
#include "schema/index.h"
#include "schema/program.h"
#include "schema/refusal.h"

namespace collet::schema {

class Compiler {
 public:
  Compiler(const Options& options, Program& program, Index& index, Refusal& refusal);

  // Compiles `root` and all that it refers to.
  void run(const json::Value& root);

 private:
  // The subschema being compiled, its keywords found and sorted.
  struct Subject {
    const json::Value& schema;
    Position position;
    Semantics semantics;
    std::array<const json::Value*, kKeywords> keywords{};

    const json::Value* operator[](Keyword keyword) const { return keywords[static_cast<std::size_t>(keyword)]; }
  };

  NodeId node_of(const json::Value& schema);
  NodeId node_of_member(const Subject& subject, Keyword keyword);  // kNone if the keyword is absent
  void compile(const json::Value& schema);
  void drain();
  // The targets of dynamic references to the name.
  std::uint32_t dynamic_targets(std::string_view name);
  void add_dynamic_targets();
  void shorten_references();

  void assertions(const Subject& subject, Node& node);
  void type(const Subject& subject, Node& node);
  void constants(const Subject& subject);
  void numbers(const Subject& subject);
  void strings(const Subject& subject);
  void counts(const Subject& subject);
  void object(const Subject& subject);
  void properties(const Subject& subject, ObjectRule& rule, std::vector<std::string_view>& names);
  void required(const Subject& subject, ObjectRule& rule, std::vector<std::string_view>& names);
  void dependents(const Subject& subject);
  void items(const Subject& subject);
  void references(const Subject& subject);
  void applicators(const Subject& subject);
  void list(const Subject& subject, Keyword keyword, Op op);

  void emit(Op op, std::uint8_t types, Keyword keyword, std::uint32_t a = kNone, std::uint32_t b = kNone,
            std::uint32_t c = kNone);
  // min and max of one thing; emits nothing if neither is there.
  void bounds(const Subject& subject, Keyword min, Keyword max, Op op, std::uint8_t types);
  std::uint32_t count(const Subject& subject, Keyword keyword, std::uint32_t otherwise);
  std::uint32_t pattern(const Subject& subject, Keyword keyword, std::string_view text);
  std::vector<std::string_view> names(const Subject& subject, Keyword keyword, const json::Value& array);
  // Whether there are so many constants left.
  bool spend_constants(const Subject& subject, Keyword keyword, const json::Value& value);
  std::size_t weigh(const json::Value& value, unsigned depth) const;
  void malformed(const Subject& subject, Keyword keyword, std::string_view must_be);

  const Options& options_;
  Program& program_;
  Index& index_;
  Refusal& refusal_;
  std::vector<const json::Value*> work_;
  std::unordered_map<std::string_view, std::uint32_t> pattern_ids_;
  std::unordered_map<std::string_view, std::uint32_t> dynamic_ids_;
  std::vector<std::size_t> dynamic_anchors_added_;  // of each resource
  Budget comparisons_{.fuel = std::numeric_limits<std::int64_t>::max()};  // constants_ bounds what is compared
  std::size_t constants_ = 0;
  std::size_t pattern_bytes_ = 0;
};

}  // namespace collet::schema
