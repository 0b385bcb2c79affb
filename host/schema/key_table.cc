#include "schema/key_table.h"

#include <bit>

#include "schema/seed.h"

namespace collet::schema {

KeyTable::KeyTable(const std::vector<std::string_view>& keys) {
  if (keys.empty()) return;
  for (std::string_view key : keys) entries_.push_back({words_of(key), key.size(), key.data()});
  const std::size_t slots = std::bit_ceil(keys.size() * 2);
  mask_ = slots - 1;
  shift_ = 64u - static_cast<unsigned>(std::countr_zero(slots));
  // A few seeds are tried for one that spreads these keys well.
  constexpr int kTries = 8;
  constexpr std::size_t kGoodProbe = 1;
  constexpr std::size_t kManyKeys = 64;
  build(process_seed());
  for (int tries = 1; tries < kTries && keys.size() <= kManyKeys && longest_probe() > kGoodProbe; ++tries) {
    build(seed_ + 0x9e3779b97f4a7c16u);
  }
}

void KeyTable::build(std::uint64_t seed) {
  seed_ = seed;
  slots_.assign(mask_ + 1, kNone);
  for (std::uint32_t index = 0; index < entries_.size(); ++index) {
    std::size_t slot = hash(entries_[index].words, entries_[index].size, seed_) >> shift_;
    while (slots_[slot] != kNone && (*this)[slots_[slot]] != (*this)[index]) slot = (slot + 1) & mask_;
    if (slots_[slot] == kNone) slots_[slot] = index;  // else it repeats an earlier one
  }
}

std::size_t KeyTable::longest_probe() const {
  std::size_t longest = 0;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot] == kNone) continue;
    const Entry& entry = entries_[slots_[slot]];
    longest = std::max(longest, (slot - (hash(entry.words, entry.size, seed_) >> shift_)) & mask_);
  }
  return longest;
}

}  // namespace collet::schema
