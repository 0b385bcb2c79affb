// A fixed set of strings, built once, looked up for every member of every instance.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace collet::schema {

class KeyTable {
 public:
  static constexpr std::uint32_t kNone = ~0u;

  KeyTable() = default;
  // The strings must outlive the table. Of equal ones the first is found.
  explicit KeyTable(const std::vector<std::string_view>& keys);

  // The index of the string in the order given, or kNone.
  std::uint32_t find(std::string_view key) const {
    if (entries_.empty()) return kNone;
    const Words words = words_of(key);
    for (std::size_t slot = hash(words, key.size(), seed_) >> shift_;; slot = (slot + 1) & mask_) {
      const std::uint32_t index = slots_[slot];
      if (index == kNone) return kNone;
      const Entry& entry = entries_[index];
      if (entry.words.head == words.head && entry.words.tail == words.tail && entry.size == key.size() &&
          (key.size() <= kWholeBytes || std::memcmp(entry.text, key.data(), key.size()) == 0)) {
        return index;
      }
    }
  }

  std::size_t size() const { return entries_.size(); }
  std::string_view operator[](std::uint32_t index) const { return {entries_[index].text, entries_[index].size}; }

 private:
  // First and last eight bytes, overlapping: with the length they are all of a string of up to 16 bytes.
  struct Words {
    std::uint64_t head;
    std::uint64_t tail;
  };
  static constexpr std::size_t kWholeBytes = 16;

  struct Entry {
    Words words;
    std::size_t size;
    const char* text;
  };

  template <class T>
  static std::uint64_t load(const char* at) {
    T word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }

  static Words words_of(std::string_view key) {
    const char* const p = key.data();
    const std::size_t n = key.size();
    if (n >= 8) return {load<std::uint64_t>(p), load<std::uint64_t>(p + n - 8)};
    if (n >= 4) return {load<std::uint32_t>(p), load<std::uint32_t>(p + n - 4)};
    if (n == 0) return {0, 0};
    return {load<std::uint8_t>(p) | load<std::uint8_t>(p + n / 2) << 8 | load<std::uint8_t>(p + n - 1) << 16, 0};
  }

  static std::uint64_t hash(Words words, std::size_t size, std::uint64_t seed) {
    return ((words.head ^ seed) * 0x9e3779b97f4a7c15u) ^ ((words.tail + size) * 0xc2b2ae3d27d4eb4fu) * seed;
  }

  void build(std::uint64_t seed);
  std::size_t longest_probe() const;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // a power of two, at most half full
  std::uint64_t seed_ = 0;
  std::size_t mask_ = 0;
  unsigned shift_ = 0;
};

}  // namespace collet::schema
