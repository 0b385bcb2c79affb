#include "client/net/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "plugins/client/run_until.h"
#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

// A shell command, until it has ended and all that it says has come.
struct Run final : ChildListener {
  explicit Run(const std::string& command, std::vector<std::string> input = {})
      : Run({.program = "sh", .arguments = {"-c", command}, .environment = {}, .folder = {}}, std::move(input)) {}
  explicit Run(const Command& command, std::vector<std::string> input = {}, std::vector<std::string> keeper = {},
               const Task& meanwhile = [] {}) {
    signal(SIGPIPE, SIG_IGN);  // as the client's thread has it
    Children children(loop, std::move(keeper));
    auto started = children.start(command, *this);
    REQUIRE(started);
    meanwhile();
    for (std::string& line : input) (*started)->write(std::move(line));
    loop.run();
    children.end_all(1, [this] { loop.stop(); });
    loop.run();
  }
  void on_started() override { has_started = true; }
  void on_line(std::string_view line) override {
    CHECK(has_started);
    out.emplace_back(line);
  }
  void on_error_line(std::string_view line) override { err.emplace_back(line); }
  void on_ended(const std::string& why, std::uint64_t bytes_taken) override {
    reason = why;
    taken = bytes_taken;
    loop.stop();
  }

  Loop loop;
  std::vector<std::string> out, err;
  std::string reason;
  std::uint64_t taken = 0;
  bool has_started = false;
};

std::string bytes(std::size_t count) {
  return "head -c " + std::to_string(count) + " /dev/zero | tr '\\0' a; echo";
}

}  // namespace

TEST_CASE("a line of stdout has a bound, beyond which the child is not listened to") {
  const Run good(bytes(limits::kMessageBytesMax));
  REQUIRE(good.out.size() == 1);
  CHECK(good.out[0].size() == limits::kMessageBytesMax);
  CHECK_THAT(good.reason, !Catch::Contains("has more than"));
  const Run bad(bytes(limits::kMessageBytesMax + 1));
  CHECK(bad.out.empty());
  CHECK(bad.reason == "a line of its stdout has more than 16777216 bytes");
}

TEST_CASE("a line of stderr that is very long comes in pieces, and a carriage return ends one") {
  const Run run("(" + bytes(limits::kErrorLineBytesMax + 1) + "; printf '10%%\\r20%%\\r\\n'; printf end) >&2; sleep 0.01");
  REQUIRE(run.err.size() == 5);
  CHECK(run.err[0].size() == limits::kErrorLineBytesMax);
  CHECK(run.err[1] == "a");
  CHECK(run.err[2] == "10%");
  CHECK(run.err[3] == "20%");
  CHECK(run.err[4] == "end");
}

TEST_CASE("a child that does not read gets so many bytes") {
  const std::string most(limits::kWriteBufferBytesMax - 1, 'a');
  CHECK(Run("exec 1>&-; sleep 9", {most}).reason != "it does not read its stdin");
  CHECK(Run("sleep 9", {most, ""}).reason == "it does not read its stdin");
}

TEST_CASE("no descriptor but the standard three reaches a child") {
  const int others[] = {::open("/dev/null", O_RDONLY),
                        ::dup(0)};  // as code that knows nothing of children opens them
  const Run run("for fd in /proc/self/fd/*; do readlink $fd; done | grep -vE '^(pipe:|socket:|/proc)'; echo done");
  for (const int fd : others) {
    CHECK(::fcntl(fd, F_GETFD) == 0);  // here they are as they were
    ::close(fd);
  }
  CHECK(run.out == std::vector<std::string>{"done"});
  CHECK(Run("ls /proc/self/fd | wc -l").out == std::vector<std::string>{"4"});  // and the folder that ls reads
}

TEST_CASE("a child sees the variables that it is to inherit, and its own") {
  ::setenv("COLLET_TEST_SECRET", "s", 1);
  Command command{.program = "env", .arguments = {}, .environment = {{"HOME", "/elsewhere"}}, .folder = {}};
  const auto has = [](const Run& run, const std::string& line) {
    return std::find(run.out.begin(), run.out.end(), line) != run.out.end();
  };
  const Run usual(command);
  CHECK(has(usual, "HOME=/elsewhere"));
  CHECK(has(usual, "PATH=" + std::string(std::getenv("PATH"))));
  CHECK_FALSE(has(usual, "COLLET_TEST_SECRET=s"));
  command.program = "/usr/bin/env";
  command.inherited = {"COLLET_TEST_SECRET", "COLLET_TEST_NOT_SET"};
  CHECK(Run(command).out == std::vector<std::string>{"COLLET_TEST_SECRET=s", "HOME=/elsewhere"});
  ::unsetenv("COLLET_TEST_SECRET");
}

TEST_CASE("at the end of a child it is known which lines it cannot have taken") {
  const std::string large(8u << 20, 'a');  // more than fits between us
  const Run closed("read line; exec 0<&-; sleep 9", {"first", large, "third"});
  CHECK(closed.reason == "it has closed its stdin");
  CHECK(closed.taken == std::string_view("first\n").size());
  const Run ended("read line; exit 3", {"first", large, "third"});
  CHECK(ended.reason == "it has ended with exit code 3");
  CHECK(ended.taken < large.size());
  CHECK(Run("read line; read line; exec 1>&-; sleep 9", {"first", "second"}).taken == 13);
}

TEST_CASE("the last words of a child come before its end, also without a line's end") {
  const Run run("echo one >&2; printf two >&2; exit 7");
  CHECK(run.reason == "it has ended with exit code 7");
  CHECK(run.err == std::vector<std::string>{"one", "two"});
}

TEST_CASE("nobody waits for a keeper; what was written to a command that then cannot run was not taken") {
  const TemporaryDirectory folder;
  const std::string gate = folder.path("gate");
  REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  const Run run({.program = "nothing", .arguments = {}, .environment = {}, .folder = {}}, {"line"},
                {"sh", "-c", "read go <" + gate + R"(; printf '\002\0\0\0\0\0\0\0' >&3)"},
                [&] { std::ofstream(gate) << "go\n"; });
  CHECK(run.reason == "cannot start nothing: no such file or directory");
  CHECK(run.taken == 0);
  CHECK_FALSE(run.has_started);
}

TEST_CASE("a keeper that ends without a word has not run its command") {
  const Run run({.program = "nothing", .arguments = {}, .environment = {}, .folder = {}}, {}, {"true"});
  CHECK(run.reason == "cannot start nothing: broken pipe");
  CHECK_FALSE(run.has_started);
}

TEST_CASE("lines from other threads reach the child whole, among its own") {
  signal(SIGPIPE, SIG_IGN);
  Loop loop;
  struct Cat final : ChildListener {
    void on_line(std::string_view line) override { lines.emplace_back(line); }
    void on_error_line(std::string_view) override {}
    void on_ended(const std::string&, std::uint64_t) override {}
    std::vector<std::string> lines;
  } cat;
  Children children(loop);
  auto child = children.start({.program = "cat", .arguments = {}, .environment = {}, .folder = {}}, cat);
  REQUIRE(child);
  const auto input = (*child)->input();
  const std::string large(8u << 20, 'x');
  REQUIRE(input->send("a\n"));
  std::thread([&] { CHECK(input->send(large + "\n")); }).join();
  CHECK_FALSE(input->send("too early\n"));  // the rest of the large one comes first
  (*child)->write("b");
  CHECK(run_until(loop, [&] { return cat.lines.size() == 3; }));
  REQUIRE(run_until(loop, [&] { return input->send("c\n"); }));
  REQUIRE(run_until(loop, [&] { return cat.lines.size() == 4; }));
  CHECK(cat.lines[0] == "a");
  CHECK((cat.lines[1] == large));
  CHECK(cat.lines[2] == "b");
  CHECK(cat.lines[3] == "c");
  (*child)->end();
  CHECK_FALSE(input->send("d\n"));
  children.end_all(1, [&] { loop.stop(); });
  loop.run();
}
