#include "base/patient_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "support/catch.h"

using collet::PatientWriter;

namespace {

struct Pipe {
  Pipe() { REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    for (const int end : ends) close(end);
  }
  // What is in it.
  std::string read() {
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string all;
    char piece[4096];
    for (ssize_t size; (size = ::read(ends[0], piece, sizeof piece)) > 0;) all.append(piece, static_cast<std::size_t>(size));
    return all;
  }
  int ends[2];
};

}  // namespace

TEST_CASE("lines that nobody reads are lost and counted, and the next that are read say so") {
  Pipe pipe;
  PatientWriter writer(pipe.ends[1]);
  const std::string line = std::string(999, 'x') + "\n";
  for (int i = 0; i < 200; ++i) writer.write(line);  // more than a pipe holds
  const std::string first = pipe.read();
  CHECK(first.size() < 200 * line.size());
  CHECK(first.starts_with(line));
  writer.write("next\n");
  const std::string rest = pipe.read();
  CHECK(rest.find("lines were lost here: nobody read them)\nnext\n") != std::string::npos);
  const auto whole = static_cast<std::size_t>(std::count(first.begin(), first.end(), '\n'));
  CHECK(rest.find("(" + std::to_string(200 - whole) + " lines") != std::string::npos);
  writer.write("last\n");
  CHECK(pipe.read() == "last\n");
}

TEST_CASE("a descriptor that is closed at the other end delays nobody") {
  Pipe pipe;
  close(pipe.ends[0]);
  pipe.ends[0] = -1;
  signal(SIGPIPE, SIG_IGN);
  PatientWriter(pipe.ends[1]).write("line\n");
}
