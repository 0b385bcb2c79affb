#include "cli/input.h"

#include <unistd.h>

#include <cstdio>

#include "support/catch.h"

using namespace collet;
using cli::read_arguments;

namespace {

// A descriptor from which `text` can be read.
class Given {
 public:
  explicit Given(std::string_view text) {
    REQUIRE(pipe(ends_) == 0);
    REQUIRE(write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(ends_[1]);
  }
  ~Given() { close(ends_[0]); }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

  int in() const { return ends_[0]; }

 private:
  int ends_[2];
};

std::string problem_of(const std::string& arguments) {
  const auto read = read_arguments(arguments, -1, 1'000);
  return read ? "none" : read.message();
}

}  // namespace

TEST_CASE("arguments come from the option, a file or stdin") {
  CHECK(*read_arguments(R"({"a":1})", -1, 1'000) == R"({"a":1})");
  CHECK(*read_arguments("-", Given(R"( {"a":1})").in(), 1'000) == R"( {"a":1})");
  CHECK(*read_arguments("@-", Given("\xef\xbb\xbf{}").in(), 1'000) == "{}");
  char file[] = "/tmp/collet-input-XXXXXX";
  const int fd = mkstemp(file);
  REQUIRE(write(fd, "{}\n", 3) == 3);
  close(fd);
  CHECK(*read_arguments(std::string("@") + file, -1, 1'000) == "{}\n");
  std::remove(file);
  CHECK_THAT(problem_of(std::string("@") + file), Catch::Contains("No such file"));
  CHECK_THAT(problem_of("@/tmp"), Catch::Contains("cannot read /tmp: "));
}

TEST_CASE("what is read has a bound") {
  CHECK(cli::read_input("-", Given("{  }").in(), 4).ok());
  const auto more = cli::read_input("-", Given("{   }").in(), 4);
  REQUIRE_FALSE(more.ok());
  CHECK(more.message() == "cannot read stdin: it has more than 4 bytes");
}

TEST_CASE("what is no JSON object is told with its place and with what is expected there") {
  constexpr std::pair<const char*, const char*> kCases[] = {
      {"", "1:1: it is empty"},
      {"{", "1:2: a name in double quotes is expected, or }"},
      {"{a:1}", "1:2: a name in double quotes is expected, or }"},
      {"{\"a\"\n1}", "2:1: Missing a colon after a name of object member"},
      {"{\"a\":\n\n  nul}", "3:6: a value is expected: "},
      {"{\"ä\":1 2}", "1:8: Missing a comma or '}' after an object member"},
      {"{} {}", "1:4: the end of the text is expected"},
      {"{\"a\":\"\xff\"}", "1:7: not valid UTF-8"},
      {"{\"a\":\"ä\xc3\"}", "1:8: not valid UTF-8"},
  };
  for (const auto& [text, place] : kCases) {
    INFO(text);
    CHECK_THAT(problem_of(text), Catch::StartsWith(std::string("--args:") + place));
  }
  CHECK(problem_of("[]") == "--args: the arguments must be a JSON object");
  CHECK(problem_of("{\"a\":1}") == "none");
}
