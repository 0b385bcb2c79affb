#include "schema/enumeration.h"

#include <bit>

#include "schema/equality.h"

namespace collet::schema {
namespace {

using json::Value;

constexpr std::size_t kFew = 8;  // are compared one by one
constexpr std::uint32_t kFree = ~0u;

}  // namespace

Enumeration::Enumeration(std::vector<const Value*> values, Budget& budget) : values_(std::move(values)) {
  std::vector<std::string_view> strings;
  for (const Value* value : values_) {
    switch (value->GetType()) {
      case rapidjson::kNullType:
        null_ = true;
        break;
      case rapidjson::kTrueType:
        true_ = true;
        break;
      case rapidjson::kFalseType:
        false_ = true;
        break;
      case rapidjson::kStringType:
        strings.push_back(json::view(*value));
        break;
      default:
        others_.push_back(value);
    }
  }
  strings_ = KeyTable(strings);
  if (others_.size() <= kFew) return;
  slots_.assign(std::bit_ceil(others_.size() * 2), kFree);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t i = 0; i < others_.size(); ++i) {
    std::size_t slot = hash(*others_[i], budget) & mask;
    while (slots_[slot] != kFree && !equal(*others_[slots_[slot]], *others_[i], budget))
      slot = (slot + 1) & mask;
    if (slots_[slot] == kFree) slots_[slot] = i;
  }
}

bool Enumeration::has(const Value& value, Budget& budget) const {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return null_;
    case rapidjson::kTrueType:
      return true_;
    case rapidjson::kFalseType:
      return false_;
    case rapidjson::kStringType:
      return strings_.find(json::view(value)) != KeyTable::kNone;
    default:
      break;
  }
  if (slots_.empty()) {
    for (const Value* other : others_) {
      if (equal(*other, value, budget)) return true;
    }
    return false;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash(value, budget) & mask; slots_[slot] != kFree; slot = (slot + 1) & mask) {
    if (equal(*others_[slots_[slot]], value, budget)) return true;
  }
  return false;
}

}  // namespace collet::schema
