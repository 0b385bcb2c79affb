#include "base/random.h"

#include <array>
#include <set>
#include <vector>

#include "support/catch.h"

using collet::fill_random;

TEST_CASE("random bytes differ each time, and all of them are filled") {
  std::set<std::array<unsigned char, 16>> seen;
  for (int i = 0; i < 1'000; ++i) {
    std::array<unsigned char, 16> bytes{};
    fill_random(bytes);
    CHECK(seen.insert(bytes).second);
  }
  std::vector<unsigned char> many(1u << 20);  // more than getrandom() gives at once if a signal comes
  fill_random(many);
  std::array<unsigned, 256> counts{};
  for (const unsigned char byte : many) ++counts[byte];
  for (const unsigned count : counts) CHECK((count > 3'500 && count < 4'700));  // 4096, give or take nine standard deviations
  std::array<unsigned char, 4> last{};
  for (int i = 0; i < 64 && !last[3]; ++i) fill_random(last);
  CHECK(last[3] != 0);
}

TEST_CASE("no bytes are no error") { fill_random({}); }
