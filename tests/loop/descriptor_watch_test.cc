#include "loop/descriptor_watch.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.h"

using namespace collet::loop;

namespace {

// Two ends of a TCP connection within this machine.
struct Connection {
  int here = -1, there = -1;

  Connection() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(bind(listener, address, size) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(getsockname(listener, address, &size) == 0);
    here = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(connect(here, address, size) == 0);
    there = accept(listener, nullptr, nullptr);
    REQUIRE(there >= 0);
    close(listener);
  }
  ~Connection() { close(here); }
};

}  // namespace

TEST_CASE("a descriptor is said to be ready until all is read, also after its connection was reset") {
  Connection connection;
  REQUIRE(write(connection.there, "hello", 5) == 5);
  linger reset = {1, 0};
  setsockopt(connection.there, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  Loop loop;
  unsigned turns = 0;
  Timer late(loop);
  late.start(10'000, [&] { loop.stop(); });
  auto watch = DescriptorWatch::open(loop, connection.here, DescriptorWatch::kReadable, [&](unsigned what) {
    CHECK(what == DescriptorWatch::kReadable);
    if (turns == 0) close(connection.there);
    if (++turns >= 3) loop.stop();
  });
  REQUIRE(watch.ok());
  loop.run();
  CHECK(turns >= 3);
}

TEST_CASE("a descriptor is watched for what is wanted now") {
  Connection connection;
  Loop loop;
  Timer late(loop);
  late.start(10'000, [&] { loop.stop(); });
  unsigned seen = 0;
  auto watch = DescriptorWatch::open(loop, connection.here, DescriptorWatch::kWritable, [&](unsigned what) {
    seen |= what;
    loop.stop();
  });
  REQUIRE(watch.ok());
  loop.run();
  CHECK(seen == DescriptorWatch::kWritable);
  REQUIRE((*watch)->want(DescriptorWatch::kReadable).ok());
  REQUIRE(write(connection.there, "x", 1) == 1);
  seen = 0;
  loop.run();
  CHECK(seen == DescriptorWatch::kReadable);
  REQUIRE((*watch)->want(0).ok());
  seen = 0;
  late.start(20, [&] { loop.stop(); });
  loop.run();
  CHECK(seen == 0);
  close(connection.there);
}
