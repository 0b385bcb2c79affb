#include "loop/hangup_watch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "support/catch.h"

using namespace collet::loop;

TEST_CASE("a pipe whose reader closes it and a socket whose peer does are said to be gone, once") {
  Loop loop;
  std::array<int, 2> ends;
  const bool is_pipe = GENERATE(true, false);
  REQUIRE((is_pipe ? pipe(ends.data()) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data())) == 0);
  unsigned gone = 0;
  auto watch = HangupWatch::open(loop, ends[1], [&] { ++gone; });
  REQUIRE(watch);
  loop.post([&] {
    CHECK(gone == 0);
    close(ends[0]);
  });
  Timer later(loop);
  later.repeat(1, [&, turns = 0]() mutable {
    if (gone > 0 && ++turns == 3) loop.stop();
  });
  loop.run();
  CHECK(gone == 1);
  close(ends[1]);
}

TEST_CASE("a socket that is closed in one direction is not gone") {
  Loop loop;
  std::array<int, 2> ends;
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  unsigned gone = 0;
  const auto watch = HangupWatch::open(loop, ends[1], [&] { ++gone; });
  shutdown(ends[0], SHUT_WR);
  Timer later(loop);
  later.repeat(1, [&, turns = 0]() mutable {
    if (++turns == 5) loop.stop();
  });
  loop.run();
  CHECK(gone == 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a watch may be destroyed when it is told") {
  Loop loop;
  std::array<int, 2> ends;
  REQUIRE(pipe(ends.data()) == 0);
  std::unique_ptr<HangupWatch> watch = HangupWatch::open(loop, ends[1], [&] {
    watch.reset();
    loop.stop();
  });
  close(ends[0]);
  loop.run();
  CHECK_FALSE(watch);
  close(ends[1]);
}

TEST_CASE("a file has no other end") {
  Loop loop;
  const int file = open("/dev/null", O_WRONLY);
  CHECK_FALSE(HangupWatch::open(loop, file, [] {}));
  close(file);
}
