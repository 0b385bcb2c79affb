// A set of Unicode scalar values, as ranges.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace collet::schema {

inline constexpr std::uint32_t kCodePointMax = 0x10ffff;

class CharSet {
 public:
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };

  CharSet() = default;
  CharSet(std::initializer_list<Range> ranges) : ranges_(ranges) {}

  void add(std::uint32_t first, std::uint32_t last) { ranges_.push_back({first, last}); }
  void add(const CharSet& other);
  CharSet complement() const;
  // Sorted, apart from one another, and without surrogates, which no UTF-8 text holds.
  std::vector<Range> ranges() const;

  // ECMA-262's \d, \w, \s and what `.` matches.
  static const CharSet& digits();
  static const CharSet& word();
  static const CharSet& space();
  static const CharSet& any_in_line();

 private:
  std::vector<Range> ranges_;
};

void append_utf8(std::string& out, std::uint32_t code_point);
// The code point at `at`, which it moves behind it. A byte that begins none stands for itself.
std::uint32_t next_code_point(std::string_view text, std::size_t& at);

}  // namespace collet::schema
