// How a violation is put into words. Everything here is off the fast path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/program.h"

namespace collet::schema {

// The way from the instance's root to where the evaluation is, on the stack.
struct Path {
  const Path* outer;
  const json::Value* name;  // of a member; null: an item
  std::uint32_t index = 0;
};

// What the schema `false` wants, and what stands for its keyword.
inline constexpr std::string_view kAbsent = "nothing";
inline constexpr std::string_view kNever = "false";

std::string pointer_of(const Path* path);

// What was wanted and what was there.
struct Words {
  std::string expected;
  std::string got;
  std::string missing = {};  // see Violation
};

// The value as JSON, cut short.
std::string show(const json::Value& value);

Words expect_types(std::uint8_t types, const json::Value& got);
Words expect_values(const Enumeration& wanted, const json::Value& got);
Words expect_size(std::string_view things, std::uint32_t min, std::uint32_t max, std::size_t got);
// The keyword of a range that the number breaks.
Keyword broken_bound(const Range& range, long double number);
Words expect_bound(const Range& range, Keyword keyword, const json::Value& got);
Words expect_property(std::string_view name, const json::Value& object);
Words expect_no_property(const ObjectRule& rule, const json::Value& got);

// Collects violations, up to a number.
class Findings {
 public:
  Findings(const Program& program, std::size_t max) : program_(program), max_(max) {}

  void add(const Path* path, std::uint32_t location, Keyword keyword, Words words);
  void add(Violation violation);
  bool full() const { return list_.size() >= max_; }
  std::vector<Violation>& list() { return list_; }

 private:
  const Program& program_;
  std::size_t max_;
  std::vector<Violation> list_;
};

// Of what each branch of an anyOf or oneOf found wrong, what the branch did that comes closest to taking the
// instance. If all fail at the instance itself, one violation, made from `frame`, that names what each would have
// taken.
std::vector<Violation> closest_branch(std::vector<std::vector<Violation>> branches, Violation frame);

}  // namespace collet::schema
