#include "client/mcp/request_numbers.h"

#include <set>

#include "support/catch.h"

using collet::client::RequestId;
using collet::client::RequestNumbers;

TEST_CASE("the numbers of requests: small at first, exact as doubles, and each part has its own") {
  constexpr unsigned kMany = (1u << 23) + 3;
  RequestId least = ~RequestId{0}, most = 0;
  std::set<RequestId> at_the_turn;
  for (const unsigned part : {0u, 1u, 2u, 255u, 256u, 1'000u}) {
    CAPTURE(part);
    RequestNumbers numbers(part);
    for (unsigned count = 1; count <= kMany; ++count) {
      const RequestId expected = numbers.peek(), id = numbers.next();
      if (id != expected || RequestNumbers::part_of(id) != part) FAIL(id);
      if (count <= 3 || count > kMany - 6) CHECK(at_the_turn.insert(id).second);
      if (part < 256 && count < 1u << 23) most = std::max(most, id);
      least = std::min(least, id);
      if (static_cast<RequestId>(static_cast<double>(id)) != id) FAIL(id);
    }
  }
  CHECK(least == 1);
  CHECK(most < RequestId{1} << 31);
}
