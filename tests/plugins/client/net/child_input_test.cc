#include "client/net/child_input.h"

#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "support/catch.h"

using namespace collet::client;

namespace {

// A child's stdin, and what has come out at its other end.
struct Stdin {
  int ends[2] = {-1, -1};
  unsigned cuts = 0;
  std::optional<ChildInput> input;

  Stdin() {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    input.emplace(ends[0], [this] { ++cuts; });
  }
  ~Stdin() {
    for (const int end : ends) close(end);
  }
  std::string take() const {
    std::string all;
    char bytes[64u << 10];
    for (ssize_t got; (got = recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) all.append(bytes, static_cast<std::size_t>(got));
    return all;
  }
  // By the child's own thread, of whom `rest` is expected; `waits`: something of it has to wait.
  std::string hold(bool waits = false) {
    std::string rest;
    input->hold([&](std::string left) {
      rest = std::move(left);
      return waits;
    });
    return rest;
  }
};

}  // namespace

TEST_CASE("a line is sent from anywhere, as long as none of the child's own thread waits") {
  Stdin child;
  CHECK(child.input->send("one\n"));
  CHECK(child.hold(true).empty());
  CHECK_FALSE(child.input->send("two\n"));
  child.hold();
  CHECK(child.input->send("three\n"));
  CHECK(child.take() == "one\nthree\n");
  CHECK(child.cuts == 0);
}

TEST_CASE("nothing is sent to a child that has gone, or whose stdin is closed") {
  Stdin child;
  SECTION("closed") { child.input->close(); }
  SECTION("gone") { shutdown(child.ends[1], SHUT_RDWR); }
  CHECK_FALSE(child.input->send("one\n"));
  CHECK(child.cuts == 0);
}

TEST_CASE("what is left of a line that went in part comes before all others") {
  Stdin child;
  const std::string line = std::string(4u << 20, 'x') + "\n";
  REQUIRE(child.input->send(line));
  CHECK(child.cuts == 1);
  CHECK_FALSE(child.input->send("two\n"));
  const std::string sent = child.take();
  CHECK(sent.size() < line.size());
  CHECK_FALSE(child.input->send("two\n"));  // though there is room by now
  CHECK(sent + child.hold() == line);
  CHECK(child.hold().empty());
  CHECK(child.input->send("two\n"));
  CHECK(child.take() == "two\n");
}

TEST_CASE("where there is no room at all nothing of a line is sent") {
  Stdin child;
  while (send(child.ends[0], "x", 1, MSG_DONTWAIT) > 0) {
  }
  CHECK_FALSE(child.input->send("one\n"));
  CHECK(child.cuts == 0);
  CHECK(child.hold().empty());
}
