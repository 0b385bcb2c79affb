#include <collet/kit/fnv.hpp>

#include "support/catch.h"

using namespace collet::kit;

TEST_CASE("FNV-1a of 64 bits, as its authors' vectors have it") {
  static_assert(fnv1a("") == 0xcbf29ce484222325);
  CHECK(fnv1a("a") == 0xaf63dc4c8601ec8c);
  CHECK(fnv1a("foobar") == 0x85944171f73967e8);
  CHECK(fnv1a_hex("foobar") == "85944171f73967e8");
  CHECK(fnv1a_hex("\xff") == "af64724c8602eb6e");
  CHECK(fnv1a_hex("77kepQFQ8Kl") == "0000000000000000");  // all digits, also those in front
}
