#include "worker/unsent.h"

#include "support/catch.h"

using collet::worker::Unsent;

TEST_CASE("what is dropped in steps of any size leaves the rest, in order") {
  for (std::size_t step = 1; step <= 10; ++step) {
    Unsent unsent;
    std::string taken;
    unsent.append("0123456");
    while (!unsent.empty()) {
      const std::size_t count = std::min(step, unsent.size());
      taken += unsent.view().substr(0, count);
      unsent.drop(count);
      if (taken.size() == count) unsent.append("789");  // while some are on their way
    }
    CHECK(taken == "0123456789");
    CHECK(unsent.size() == 0);
  }
}
