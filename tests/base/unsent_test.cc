#include "base/unsent.h"

#include <algorithm>
#include <array>
#include <string>

#include "support/catch.h"

using collet::Unsent;

TEST_CASE("what is dropped in steps of any size leaves the rest, in order") {
  for (std::size_t step = 1; step <= 10; ++step) {
    Unsent unsent;
    std::string taken;
    unsent.append("0123456");
    while (!unsent.empty()) {
      const std::size_t count = std::min({step, unsent.size(), unsent.front().size()});
      taken += unsent.front().substr(0, count);
      unsent.drop(count);
      if (taken.size() == count) unsent.append("789");  // while some are on their way
    }
    CHECK(taken == "0123456789");
    CHECK(unsent.size() == 0);
  }
}

TEST_CASE("bytes that are never all taken cost memory for what waits, not for what has been sent") {
  for (const std::size_t piece : {100u, 5'000u, 60'000u, 1'000'000u}) {
    for (const std::size_t lag : {2 * piece, 3'000'000 / piece * piece}) {
      INFO(piece << " bytes at a time, " << lag << " unread");
      Unsent unsent;
      const std::string bytes(piece, 'x');
      for (std::size_t sent = 0; sent < 10 * lag; sent += piece) {
        unsent.append(bytes);
        if (unsent.size() > lag) unsent.drop(unsent.size() - lag);
        REQUIRE(unsent.held_bytes() <= 2 * unsent.size() + 2 * Unsent::kChunkBytesMax);
      }
      unsent.drop(unsent.size());
      CHECK(unsent.held_bytes() == 0);
    }
  }
}

TEST_CASE("little that waits costs little") {
  Unsent unsent;
  unsent.append(std::string(100, 'x'));
  CHECK(unsent.held_bytes() <= 1024);
}

TEST_CASE("the pieces at the front are all that waits, and they stay where they are while more is appended") {
  Unsent unsent;
  std::string all;
  for (char c = 'a'; c <= 'z'; ++c) {
    unsent.append(std::string(10'000, c));
    all += std::string(10'000, c);
  }
  std::array<std::string_view, 64> pieces;
  const std::size_t count = unsent.front(pieces);
  unsent.append(std::string(1'000'000, '!'));
  std::string seen;
  for (std::size_t i = 0; i < count; ++i) seen += pieces[i];
  CHECK(seen == all);
  std::array<std::string_view, 1> one;
  CHECK(unsent.front(one) == 1);
  CHECK(one[0].data() == pieces[0].data());
}
