// The values of an enum, or of a const.
#pragma once

#include <cstdint>
#include <vector>

#include "schema/budget.h"
#include "schema/key_table.h"

namespace collet::schema {

class Enumeration {
 public:
  // The values are borrowed. The compiler has counted them: the budget counts the steps and must not end.
  Enumeration(std::vector<const json::Value*> values, Budget& budget);

  // False if the budget ends first; the budget tells.
  bool has(const json::Value& value, Budget& budget) const;

  // In the order of the schema.
  const std::vector<const json::Value*>& values() const { return values_; }

 private:
  std::vector<const json::Value*> values_;
  bool null_ = false;
  bool true_ = false;
  bool false_ = false;
  KeyTable strings_;
  std::vector<const json::Value*> others_;  // numbers, arrays, objects
  std::vector<std::uint32_t> slots_;        // hash table of indices into others_, if they are many
};

}  // namespace collet::schema
