#include "rpc/in_flight.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::rpc;

namespace {
Id id_of(unsigned number) { return *Id::from(json::Value(number)); }
}  // namespace

TEST_CASE("an id is in flight once, until it is removed") {
  InFlight calls;
  CHECK(calls.add(id_of(1), {2, 30}) == InFlight::Added::yes);
  CHECK(calls.add(id_of(1), {0, 31}) == InFlight::Added::duplicate);
  REQUIRE(calls.find(id_of(1)));
  CHECK(calls.find(id_of(1))->serial == 30);
  calls.remove(id_of(1));
  CHECK_FALSE(calls.find(id_of(1)));
  CHECK(calls.add(id_of(1), {0, 31}) == InFlight::Added::yes);
}

TEST_CASE("a peer's calls in flight are bounded, at the limit and one past it") {
  InFlight calls;
  for (unsigned i = 0; i < limits::kSessionCallsMax; ++i) REQUIRE(calls.add(id_of(i), {}) == InFlight::Added::yes);
  CHECK(calls.add(id_of(limits::kSessionCallsMax), {}) == InFlight::Added::too_many);
  calls.remove(id_of(0));
  CHECK(calls.add(id_of(limits::kSessionCallsMax), {}) == InFlight::Added::yes);
}
