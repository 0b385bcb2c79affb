#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace collet::text {
namespace {

// How many letters have to be put in, taken out or changed.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string> words) {
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 2;  // more than that is another word, not a slip
  for (const std::string& each : words) {
    const std::size_t d = distance(word, each);
    if (d < best_distance) {
      best = each;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace collet::text
