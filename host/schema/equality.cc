#include "schema/equality.h"

#include <bit>
#include <cstring>
#include <memory>

#include "schema/number.h"
#include "schema/seed.h"

namespace collet::schema {
namespace {

using json::Value;

constexpr std::size_t kBytesPerStep = 32;  // of comparing and hashing strings

bool equal_numbers(const Value& a, const Value& b) {
  if (a.IsInt64() && b.IsInt64()) return a.GetInt64() == b.GetInt64();
  const long double x = exact(a);
  const long double y = exact(b);
  return !(x < y) && !(x > y);
}

bool equal_arrays(const Value& a, const Value& b, Budget& budget) {
  if (a.Size() != b.Size()) return false;
  for (rapidjson::SizeType i = 0; i < a.Size(); ++i) {
    if (!equal(a[i], b[i], budget)) return false;
  }
  return true;
}

bool has_equal_member(const Value& object, const Value::Member& member, Budget& budget) {
  for (auto other = object.MemberBegin(); other != object.MemberEnd(); ++other) {
    if (!budget.spend(1)) return false;
    if (json::view(other->name) == json::view(member.name)) return equal(other->value, member.value, budget);
  }
  return false;
}

bool equal_objects(const Value& a, const Value& b, Budget& budget) {
  if (a.MemberCount() != b.MemberCount()) return false;
  for (auto member = a.MemberBegin(); member != a.MemberEnd(); ++member) {
    if (!has_equal_member(b, *member, budget)) return false;
  }
  return true;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  std::uint64_t result = mix(seed, text.size());
  const char* p = text.data();
  std::size_t left = text.size();
  std::uint64_t word = 0;
  for (; left >= sizeof word; left -= sizeof word, p += sizeof word) {
    std::memcpy(&word, p, sizeof word);
    result = mix(result, word);
  }
  word = 0;
  std::memcpy(&word, p, left);
  return mix(result, word);
}

std::uint64_t hash_number(const Value& number) {
  if (number.IsInt64()) return static_cast<std::uint64_t>(number.GetInt64());
  if (number.IsUint64()) return number.GetUint64();
  const double d = number.GetDouble();
  constexpr double kInt64End = 9223372036854775808.0;  // 2^63
  if (is_integral(d) && d < kInt64End * 2 && d >= -kInt64End) {
    return d < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(d)) : static_cast<std::uint64_t>(d);
  }
  return std::bit_cast<std::uint64_t>(d);
}

// A hash table of item indices that lies on the stack for all but long arrays.
class Slots {
 public:
  static constexpr std::size_t kInline = 2'048;
  struct Slot {
    std::uint32_t hash;
    std::uint32_t item;
  };
  static constexpr std::uint32_t kFree = ~0u;

  explicit Slots(std::size_t items) : mask_(std::bit_ceil(items * 2) - 1) {
    if (mask_ >= kInline) heap_ = std::make_unique<Slot[]>(mask_ + 1);
    slots_ = heap_ ? heap_.get() : inline_;
    for (std::size_t i = 0; i <= mask_; ++i) slots_[i].item = kFree;
  }

  Slot& at(std::size_t position) { return slots_[position & mask_]; }

 private:
  std::size_t mask_;
  std::unique_ptr<Slot[]> heap_;
  Slot* slots_;
  Slot inline_[kInline];
};

bool report(std::pair<std::size_t, std::size_t>* twins, std::size_t first, std::size_t second) {
  if (twins) *twins = {first, second};
  return false;
}

bool all_unique_by_pairs(const Value& array, Budget& budget, std::pair<std::size_t, std::size_t>* twins) {
  for (rapidjson::SizeType i = 1; i < array.Size(); ++i) {
    for (rapidjson::SizeType j = 0; j < i; ++j) {
      if (equal(array[j], array[i], budget)) return report(twins, j, i);
    }
  }
  return budget.limit == Limit::none;
}

[[gnu::noinline]] bool all_unique_by_hash(const Value& array, Budget& budget,
                                          std::pair<std::size_t, std::size_t>* twins) {
  Slots slots(array.Size());
  for (rapidjson::SizeType i = 0; i < array.Size(); ++i) {
    const std::uint64_t full = hash(array[i], budget);
    if (budget.limit != Limit::none) return false;
    const auto tag = static_cast<std::uint32_t>(full >> 32);
    std::size_t position = full;
    for (; slots.at(position).item != Slots::kFree; ++position) {
      const auto& slot = slots.at(position);
      if (slot.hash == tag && equal(array[slot.item], array[i], budget)) return report(twins, slot.item, i);
      if (!budget.spend(1)) return false;
    }
    slots.at(position) = {tag, i};
  }
  return budget.limit == Limit::none;
}

}  // namespace

bool equal(const Value& a, const Value& b, Budget& budget) {
  if (a.GetType() != b.GetType() || !budget.spend(1)) return false;
  switch (a.GetType()) {
    case rapidjson::kStringType: {
      if (a.GetStringLength() != b.GetStringLength()) return false;
      if (!budget.spend(static_cast<std::int64_t>(a.GetStringLength() / kBytesPerStep))) return false;
      return json::view(a) == json::view(b);
    }
    case rapidjson::kNumberType:
      return equal_numbers(a, b);
    case rapidjson::kArrayType: {
      Level level(budget);
      return level.holds() && equal_arrays(a, b, budget);
    }
    case rapidjson::kObjectType: {
      Level level(budget);
      return level.holds() && equal_objects(a, b, budget);
    }
    default:
      return true;
  }
}

std::uint64_t hash(const Value& value, Budget& budget) {
  if (!budget.spend(1)) return 0;
  std::uint64_t result = mix(process_seed(), static_cast<std::uint64_t>(value.GetType()));
  switch (value.GetType()) {
    case rapidjson::kStringType:
      if (!budget.spend(static_cast<std::int64_t>(value.GetStringLength() / kBytesPerStep))) return 0;
      return hash_text(json::view(value), result);
    case rapidjson::kNumberType:
      return mix(result, hash_number(value));
    case rapidjson::kArrayType: {
      Level level(budget);
      if (!level.holds()) return 0;
      for (const Value& item : value.GetArray()) result = mix(result, hash(item, budget));
      return result;
    }
    case rapidjson::kObjectType: {
      Level level(budget);
      if (!level.holds()) return 0;
      std::uint64_t sum = 0;  // whatever the order of the members
      for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
        sum += mix(hash_text(json::view(member->name), result), hash(member->value, budget));
      }
      return mix(result, sum);
    }
    default:
      return result;
  }
}

bool all_unique(const Value& array, Budget& budget, std::pair<std::size_t, std::size_t>* twins) {
  constexpr rapidjson::SizeType kFewItems = 12;
  return array.Size() <= kFewItems ? all_unique_by_pairs(array, budget, twins)
                                   : all_unique_by_hash(array, budget, twins);
}

}  // namespace collet::schema
