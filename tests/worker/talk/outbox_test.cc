#include "worker/talk/outbox.h"

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "support/catch.h"

using namespace collet;

TEST_CASE("what a slow host has taken of a worker's words costs no memory any more") {
  std::array<int, 2> ends;
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const auto heap_bytes = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  loop::Loop loop;
  worker::Outbox outbox(ends[0], loop);
  constexpr std::size_t kBytes = 40'000'000;
  const std::size_t before = heap_bytes();
  outbox.put([](std::string& out) {
    out.reserve(kBytes);
    out.assign(kBytes, 'x');
  });
  std::thread worker([&] { outbox.flush(); });
  std::string piece(1'000'000, '\0');
  for (std::size_t unread = kBytes; unread > 0;) {
    const ssize_t got = ::read(ends[1], piece.data(), std::min(piece.size(), unread));
    REQUIRE(got > 0);
    unread -= static_cast<std::size_t>(got);
    // A step behind: the worker's thread frees what was taken when it has a turn.
    CHECK(heap_bytes() < before + 2 * unread + kBytes / 4);
  }
  worker.join();
  ::close(ends[0]);
  ::close(ends[1]);
}
