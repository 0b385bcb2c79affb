// Runs a program over an instance, either for the verdict alone or with reasons.
#pragma once

#include "schema/budget.h"
#include "schema/explain.h"
#include "schema/marks.h"
#include "schema/program.h"

namespace collet::schema {

// The resources that the evaluation has entered, innermost first, on the stack.
struct Scope {
  const Scope* outer;
  std::uint32_t resource;
};

// One evaluation, shared by both manners of evaluating.
struct Evaluation {
  const Program& program;
  Budget budget;
  const Scope* scope = nullptr;
  Findings* findings = nullptr;  // none in the fast manner
  std::int64_t detail_fuel = 0;  // what may be spent, besides, on finding reasons
  bool in_detail = false;
};

// What putting one violation into words costs; spent after it is noted, so that it cannot change the verdict.
inline constexpr std::int64_t kWordsSteps = 64;

template <bool kExplain>
class Evaluator {
 public:
  explicit Evaluator(Evaluation& evaluation) : e_(evaluation), program_(evaluation.program) {}

  // Whether the instance is valid; meaningless once the budget has hit a limit. `marks`, if given, receives what
  // has been evaluated, and is to be discarded if the answer is no.
  bool run(NodeId id, const json::Value& value, const Path* path, Marks* marks);

 private:
  using Value = json::Value;

  bool instructions(const Node& node, unsigned type, const Value& value, const Path* path, Marks* marks);
  bool sequence(const Node& node, unsigned type, const Value& value, const Path* path, Marks* marks);
  bool tracking(const Node& node, unsigned type, const Value& value, const Path* path, Marks* marks);
  bool step(const Instruction& instruction, const Node& node, const Value& value, const Path* path, Marks* marks);
  // A member or an item: on the fast path most need no more than their type checked.
  bool child(NodeId id, const Value& value, const Path* path);

  bool range(const Instruction& instruction, const Node& node, const Value& value, const Path* path);
  bool length(const Instruction& instruction, const Node& node, const Value& value, const Path* path);
  bool object(const ObjectRule& rule, const Node& node, const Value& value, const Path* path, Marks* marks);
  bool member(const ObjectRule& rule, const Node& node, const Value::Member& member, const Path* path,
              bool& matched, std::uint64_t& seen);
  bool missing(const ObjectRule& rule, const Node& node, const Value& value, const Path* path, std::uint64_t seen);
  bool dependent(const Dependent& rule, const Node& node, const Value& value, const Path* path, Marks* marks);
  bool property_names(NodeId id, const Value& value, const Path* path);
  bool items(const ItemsRule& rule, const Value& value, const Path* path, Marks* marks);
  bool contains(const ContainsRule& rule, const Node& node, const Value& value, const Path* path, Marks* marks);
  bool dynamic(const Instruction& instruction, const Value& value, const Path* path, Marks* marks);
  bool all_of(const Instruction& instruction, const Value& value, const Path* path, Marks* marks);
  bool any_of(const Instruction& instruction, const Node& node, const Value& value, const Path* path, Marks* marks);
  bool one_of(const Instruction& instruction, const Node& node, const Value& value, const Path* path, Marks* marks);
  bool condition(const Instruction& instruction, const Value& value, const Path* path, Marks* marks);
  bool unevaluated_items(NodeId id, const Value& value, const Path* path, Marks& marks);
  bool unevaluated_properties(NodeId id, const Node& node, const Value& value, const Path* path, Marks& marks);

  // The answer without reasons. Marks are kept only if it is yes.
  bool holds(NodeId id, const Value& value, Marks* marks);
  bool fail_branches(const Instruction& instruction, const Node& node, const Value& value, const Path* path);

  // Says no, and notes why if anybody asked: `words` makes the Words.
  template <class MakeWords>
  bool fail(const Node& node, Keyword keyword, const Path* path, MakeWords words) {
    if constexpr (kExplain) {
      if (e_.budget.limit != Limit::none) return false;
      e_.findings->add(path, node.location, keyword, words());
      e_.budget.spend(kWordsSteps);
    }
    return false;
  }
  // Whether the evaluation goes on behind a failure.
  bool goes_on() const {
    if constexpr (kExplain) return !e_.findings->full() && e_.budget.limit == Limit::none;
    return false;
  }

  Evaluation& e_;
  const Program& program_;
};

// Notes why no branch of an anyOf or oneOf takes the value.
void explain_branches(Evaluation& evaluation, const Instruction& instruction, const Node& node,
                      const json::Value& value, const Path* path);

extern template class Evaluator<false>;
extern template class Evaluator<true>;

}  // namespace collet::schema
