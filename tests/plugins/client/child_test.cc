#include "client/child.h"

#include "support/catch.h"

using namespace collet::client;

namespace {

// A shell command, until it has ended and all that it says has come.
struct Run final : ChildListener {
  explicit Run(const std::string& command, std::vector<std::string> input = {}) {
    Children children(loop);
    auto started =
        children.start({.program = "sh", .arguments = {"-c", command}, .environment = {}, .folder = {}}, *this);
    REQUIRE(started);
    for (std::string& line : input) (*started)->write(std::move(line));
    loop.run();
    children.end_all(1, [this] { loop.stop(); });
    loop.run();
  }
  void on_line(std::string_view line) override { out.emplace_back(line); }
  void on_error_line(std::string_view line) override { err.emplace_back(line); }
  void on_ended(const std::string& why) override {
    reason = why;
    loop.stop();
  }

  Loop loop;
  std::vector<std::string> out, err;
  std::string reason;
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

TEST_CASE("a line of stderr is cut off where it is too long") {
  for (const std::size_t more : {0u, 1u}) {
    const Run run("(" + bytes(limits::kErrorLineBytesMax + more) + "; echo next) >&2; sleep 0.01");
    REQUIRE(run.err.size() == 2);
    CHECK(run.err[0].size() == limits::kErrorLineBytesMax);
    CHECK(run.err[1] == "next");
  }
}

TEST_CASE("a child that does not read gets so many bytes") {
  const std::string most(limits::kWriteBufferBytesMax - 1, 'a');
  CHECK(Run("exec 1>&-; sleep 9", {most}).reason != "it does not read its stdin");
  CHECK(Run("sleep 9", {most, ""}).reason == "it does not read its stdin");
}
