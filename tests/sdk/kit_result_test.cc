#include <collet/kit/result.hpp>

#include <csignal>
#include <memory>

#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.h"

using namespace collet::kit;

namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error{"cannot halve " + std::to_string(number) + ": it is odd"};
  return number / 2;
}

Result<void> check(int number) {
  if (auto half = half_of(number); !half) return half.failure();
  return {};
}

// Whether `action` stops its process, a child of this one.
template <class Action>
bool stops(Action action) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    close(STDERR_FILENO);
    action();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("a result has a value, or says why not") {
  const Result<int> good = half_of(4);
  CHECK(good);
  CHECK(good.ok());
  CHECK(*good == 2);
  CHECK(good.value() == 2);
  const Result<int> bad = half_of(3);
  CHECK_FALSE(bad);
  CHECK(bad.message() == "cannot halve 3: it is odd");
  CHECK(check(4).ok());
  CHECK(check(3).message() == bad.failure().message);
}

TEST_CASE("a value may be moved into a result, out of it, and changed in it") {
  Result<std::unique_ptr<int>> owned = std::make_unique<int>(1);
  **owned = 2;
  const std::unique_ptr<int> taken = *std::move(owned);
  CHECK(*taken == 2);
  Result<std::string> text = std::string("a");
  text->push_back('b');
  CHECK(std::move(text).value() == "ab");
}

TEST_CASE("a result of an error's own kind of value is told from the error") {
  const Result<std::string> text = std::string("fine");
  CHECK(text.ok());
  const Result<std::string> failed = Error{"not fine"};
  CHECK(failed.message() == "not fine");
}

TEST_CASE("what takes from a result what it does not have is stopped") {
  CHECK_FALSE(stops([] { static_cast<void>(*half_of(2)); }));
  CHECK(stops([] { static_cast<void>(*half_of(3)); }));
  CHECK(stops([] { static_cast<void>(half_of(3).value()); }));
  CHECK(stops([] { static_cast<void>(half_of(2).message()); }));
  CHECK(stops([] { static_cast<void>(check(2).failure()); }));
}
