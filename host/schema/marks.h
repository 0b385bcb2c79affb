// Which members of an object, or items of an array, some keyword has looked at: what unevaluated* needs to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace collet::schema {

class Marks {
 public:
  explicit Marks(std::size_t count) : words_count_((count + 63) / 64) {
    if (words_count_ > kInlineWords) heap_ = std::make_unique<std::uint64_t[]>(words_count_);
    words_ = heap_ ? heap_.get() : inline_;
  }
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;

  void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
  void set_all() {
    for (std::size_t w = 0; w < words_count_; ++w) words_[w] = ~std::uint64_t{0};
  }
  bool has(std::size_t i) const { return words_[i / 64] >> (i % 64) & 1; }
  // Both are about the same instance.
  void merge(const Marks& other) {
    for (std::size_t w = 0; w < words_count_; ++w) words_[w] |= other.words_[w];
  }

 private:
  static constexpr std::size_t kInlineWords = 4;

  std::size_t words_count_;
  std::unique_ptr<std::uint64_t[]> heap_;
  std::uint64_t* words_;
  std::uint64_t inline_[kInlineWords] = {};
};

}  // namespace collet::schema
