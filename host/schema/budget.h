// What one validation may still spend. Hitting a bound is final: nothing can be spent after it, so that all that is
// under way ends at once, and the verdict is the limit whatever the keywords make of it.
#pragma once

#include <cstdint>

#include "schema/schema.h"

namespace collet::schema {

struct Budget {
  std::int64_t fuel = limits::kSchemaFuel;
  unsigned depth_max = limits::kSchemaEvaluationDepthMax;
  unsigned depth = 0;
  Limit limit = Limit::none;

  bool spend(std::int64_t steps) {
    fuel -= steps;
    return fuel >= 0 || stop(Limit::fuel);
  }

  [[gnu::cold, gnu::noinline]] bool stop(Limit why) {
    if (limit == Limit::none) limit = why;
    fuel = -1;
    return false;
  }
};

// Counts one level of nesting; holds() says whether that is within the bound.
class Level {
 public:
  explicit Level(Budget& budget) : budget_(budget) { ++budget_.depth; }
  ~Level() { --budget_.depth; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

  bool holds() { return budget_.depth <= budget_.depth_max || budget_.stop(Limit::depth); }

 private:
  Budget& budget_;
};

}  // namespace collet::schema
