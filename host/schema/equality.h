// Equality of JSON values as JSON Schema means it: 1 is 1.0, and the order of members says nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "schema/budget.h"

namespace collet::schema {

// False if the budget ends first; the budget tells.
bool equal(const json::Value& a, const json::Value& b, Budget& budget);

// Equal values have equal hashes.
std::uint64_t hash(const json::Value& value, Budget& budget);

// Whether no two items are equal; else `twins`, if given, receives two that are. False if the budget ends first.
bool all_unique(const json::Value& array, Budget& budget, std::pair<std::size_t, std::size_t>* twins = nullptr);

}  // namespace collet::schema
