#include "loop/descriptor_watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "support/catch.h"
#include "support/tcp_pair.h"

using namespace collet::loop;
using collet::test::TcpPair;

TEST_CASE("a descriptor is said to be ready until all is read, also after its connection was reset") {
  TcpPair connection;
  REQUIRE(write(connection.theirs, "hello", 5) == 5);
  linger reset = {1, 0};
  setsockopt(connection.theirs, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  Loop loop;
  unsigned turns = 0;
  Timer late(loop);
  late.start(10'000, [&] { loop.stop(); });
  auto watch = DescriptorWatch::open(loop, connection.ours, DescriptorWatch::kReadable, [&](unsigned what) {
    CHECK(what == DescriptorWatch::kReadable);
    if (turns == 0) close(std::exchange(connection.theirs, -1));
    if (++turns >= 3) loop.stop();
  });
  REQUIRE(watch.ok());
  loop.run();
  CHECK(turns >= 3);
}

TEST_CASE("a descriptor is watched for what is wanted now") {
  TcpPair connection;
  Loop loop;
  Timer late(loop);
  late.start(10'000, [&] { loop.stop(); });
  unsigned seen = 0;
  auto watch = DescriptorWatch::open(loop, connection.ours, DescriptorWatch::kWritable, [&](unsigned what) {
    seen |= what;
    loop.stop();
  });
  REQUIRE(watch.ok());
  loop.run();
  CHECK(seen == DescriptorWatch::kWritable);
  REQUIRE((*watch)->want(DescriptorWatch::kReadable).ok());
  REQUIRE(write(connection.theirs, "x", 1) == 1);
  seen = 0;
  loop.run();
  CHECK(seen == DescriptorWatch::kReadable);
  REQUIRE((*watch)->want(0).ok());
  seen = 0;
  late.start(20, [&] { loop.stop(); });
  loop.run();
  CHECK(seen == 0);
  close(std::exchange(connection.theirs, -1));
}
