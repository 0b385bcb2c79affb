// Where the headers of one request are, by a mark of their names, so that one is found without a look at the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace collet::transport {

class HeaderIndex {
 public:
  static constexpr std::size_t kPositionMax = UINT16_MAX - 1;

  void clear() {
    first_ = {};
    repeats_ = false;
  }
  // The next header has that name, which is not empty.
  void note(std::string_view name, std::size_t position) {
    std::uint16_t& first = first_[mark_of(name)];
    repeats_ |= first != 0;
    if (first == 0) first = static_cast<std::uint16_t>(position + 1);
  }

  // Where the first header is that may have this name, but may have another one with the same mark; nothing: none has it.
  std::optional<std::size_t> find(std::string_view name) const {
    const std::uint16_t first = first_[mark_of(name)];
    return first == 0 ? std::nullopt : std::optional<std::size_t>(first - 1);
  }
  // Whether two headers may have the same name: they have the same mark.
  bool repeats() const { return repeats_; }

 private:
  // Few names of one request have the same: what most begin and end with differs.
  static unsigned mark_of(std::string_view name) {
    const auto letter = [](char c) { return static_cast<unsigned>(c) & 0x1fu; };
    return (static_cast<unsigned>(name.size()) * 5 + letter(name.front()) * 3 + letter(name.back())) % 64;
  }

  std::array<std::uint16_t, 64> first_ = {};  // by mark: a position and one; 0: none
  bool repeats_ = false;
};

}  // namespace collet::transport
