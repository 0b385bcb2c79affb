#include "cli/output.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <thread>

#include "support/catch.h"
#include "support/pipe.h"

using namespace collet::cli;

TEST_CASE("a pipe gets every byte, and the exit code stays") {
  Pipe pipe;
  Output out(pipe.ends[1]);
  CHECK_FALSE(out.is_terminal());
  out.write(std::string_view("a\0\x1b[2K\n", 7));
  out.print("{}\n", 1);
  CHECK_FALSE(out.failed());
  CHECK(out.finish(kToolError) == kToolError);
  CHECK(pipe.read_all() == std::string_view("a\0\x1b[2K\n1\n", 9));
}

TEST_CASE("a terminal is shown what would steer it") {
  int terminal, end;
  REQUIRE(openpty(&terminal, &end, nullptr, nullptr, nullptr) == 0);
  Output out(end);
  CHECK(out.is_terminal());
  out.write("a\x1b[2K\n");
  char text[64];
  CHECK(std::string(text, static_cast<std::size_t>(read(terminal, text, sizeof text))) == "a\\x1b[2K\r\n");
  CHECK(out.finish(kOk) == kOk);
  close(terminal);
}

TEST_CASE("what cannot be written makes good no longer good, once and for all") {
  Output out(open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK_FALSE(out.failed());
  out.write("");
  CHECK_FALSE(out.failed());
  out.write("a");
  CHECK(out.failed());
  CHECK(out.finish(kOk) == kUnwritten);
  Output other(open("/dev/full", O_WRONLY | O_CLOEXEC));
  other.write("a");
  CHECK(other.finish(kInvalid) == kInvalid);
}

TEST_CASE("a descriptor that does not block is waited for") {
  Pipe pipe;
  REQUIRE(fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK) == 0);
  const std::string text(1 << 20, 'x');
  std::size_t seen = 0;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t count; (count = read(pipe.ends[0], buffer, sizeof buffer)) > 0;)
      seen += static_cast<std::size_t>(count);
  });
  Output out(pipe.ends[1]);
  out.write(text);
  CHECK(out.finish(kOk) == kOk);
  reader.join();
  close(pipe.ends[0]);
  CHECK(seen == text.size());
}

TEST_CASE("a slip is told with what was meant, another word is not") {
  const std::vector<std::string> known{"list", "reload", "login"};
  CHECK(suggestion("lst", known) == "; did you mean list?");
  CHECK(suggestion("relaod", known) == "; did you mean reload?");
  CHECK(suggestion("bogus", known).empty());
  CHECK(suggestion("bogus", {}).empty());
}
