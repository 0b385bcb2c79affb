#include "protocol/lists/local_watches.h"

#include <vector>

#include "support/catch.h"

using namespace collet::protocol;

TEST_CASE("the first who watches a resource and the last who stops are told of, and nobody else") {
  std::vector<std::string> said;
  LocalWatches local(
      [&](std::string_view uri, bool watched) { said.push_back((watched ? "+" : "-") + std::string(uri)); });
  Watches& watches = local;
  Watch one = watches.add("a");
  Watch two = watches.add("a");
  Watch other = watches.add("b");
  CHECK(said == std::vector<std::string>{"+a", "+b"});
  one.reset();
  CHECK(said.size() == 2);
  two.reset();
  CHECK(said.back() == "-a");
  one = watches.add("a");
  CHECK(said.back() == "+a");
  Watch copy = one;
  one.reset();
  CHECK(said.back() == "+a");
}

TEST_CASE("a watch may end after what it was added to") {
  Watch left;
  unsigned changes = 0;
  {
    const std::unique_ptr<Watches> watches = std::make_unique<LocalWatches>([&](std::string_view, bool) { ++changes; });
    left = watches->add("a");
  }
  left.reset();
  CHECK(changes == 2);
}

TEST_CASE("where nobody is to be told nothing is counted") { CHECK(LocalWatches(nullptr).add("a") == nullptr); }
