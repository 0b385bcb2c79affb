#include "client/net/crypto.h"

#include <set>

#include "support/catch.h"

using namespace collet::client;

TEST_CASE("random texts differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) CHECK(seen.insert(random_text(16)).second);
}
