// How several who are told apart share what there is.
#pragma once

#include <algorithm>
#include <cstddef>

namespace collet::protocol {

// Of a limit for all, one of several may have this part.
constexpr std::size_t share_of(std::size_t limit) { return limit / 4; }

// Who has most, in a map from names to how much each has; its end if nobody has any.
template <class Amounts>
auto who_has_most(Amounts& amounts) {
  return std::max_element(amounts.begin(), amounts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
}

}  // namespace collet::protocol
