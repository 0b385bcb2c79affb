// What a WorkerImage is made of: when a process is started again, what it is asked, what its sandbox denies.
#include <thread>

#include "support/catch.h"
#include "worker/host/denials.h"
#include "worker/host/questions.h"
#include "worker/host/restarts.h"
#include "worker/talk/frame.h"

using namespace collet;
using namespace collet::worker;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kSoon{1};
constexpr milliseconds kLate{limits::kWorkerFailureWindowMs};

std::string answer(std::int32_t status, std::string_view bytes) {
  std::string body;
  FieldWriter(body).number(status).text(bytes);
  return body;
}

}  // namespace

TEST_CASE("a process that fails again and again waits longer each time, and then no more") {
  Restarts restarts({.backoff_ms = 100, .backoff_ms_max = 350, .failures_max = 6});
  CHECK(restarts.after(kSoon) == milliseconds(0));
  CHECK(restarts.after(kSoon) == milliseconds(100));
  CHECK(restarts.after(kSoon) == milliseconds(200));
  CHECK(restarts.after(kSoon) == milliseconds(350));
  CHECK(restarts.after(kSoon) == milliseconds(350));
  CHECK_FALSE(restarts.after(kSoon));
  CHECK(restarts.failures() == 6);
}

TEST_CASE("a process that has lived for long begins anew") {
  Restarts restarts({.backoff_ms = 100, .backoff_ms_max = 1'000, .failures_max = 3});
  CHECK(restarts.after(kSoon) == milliseconds(0));
  CHECK(restarts.after(kSoon) == milliseconds(100));
  CHECK(restarts.after(kLate - kSoon) == std::nullopt);
  Restarts others({.backoff_ms = 100, .backoff_ms_max = 1'000, .failures_max = 3});
  others.after(kSoon);
  others.after(kSoon);
  CHECK(others.after(kLate) == milliseconds(0));
  CHECK(others.failures() == 1);
}

TEST_CASE("a question is answered once, in time, or given up with its process") {
  Questions questions;
  const auto first = questions.add();
  CHECK(questions.take(first, answer(COLLET_OK, "yes")).empty());
  CHECK(questions.take(first, answer(COLLET_OK, "no")).empty());
  const Questions::Answer answered = questions.wait(first, {});
  CHECK(answered.status == COLLET_OK);
  CHECK(answered.bytes == "yes");
  CHECK(questions.take(first, answer(COLLET_OK, "late")).empty());

  CHECK(questions.wait(questions.add(), 0).status == COLLET_E_INTERNAL);
  CHECK(questions.take(99, answer(COLLET_OK, "")) == "it answered what nobody had asked");
  CHECK(questions.take(0, answer(COLLET_OK, "")) == "it answered what nobody had asked");
  CHECK(questions.take(first, "x") == "it sent a frame that is no answer");

  const auto last = questions.add();
  std::thread ends([&] { questions.give_up(); });
  CHECK(questions.wait(last, {}).status == COLLET_E_INTERNAL);
  ends.join();
  const auto next = questions.add();  // of the next process
  CHECK(questions.take(next, answer(COLLET_OK, "again")).empty());
  CHECK(questions.wait(next, {}).bytes == "again");
}

TEST_CASE("what is denied is a call's if that is the only one, and is said once") {
  Denials denials;
  CHECK(denials.note("a"));
  CHECK_FALSE(denials.note("a"));
  denials.call_began(5);
  CHECK_FALSE(denials.note("a"));
  CHECK(denials.note("b"));
  denials.call_began(9);
  CHECK(denials.note("c"));  // of either
  CHECK(denials.call_ended(9).empty());
  CHECK(denials.call_ended(5) == "b");
  for (unsigned i = 3; i < limits::kWorkerDenialsMax; ++i) CHECK(denials.note("d" + std::to_string(i)));
  CHECK_FALSE(denials.note("one more"));
}
