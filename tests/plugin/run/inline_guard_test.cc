#include "plugin/run/inline_guard.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using std::chrono::microseconds;

namespace {

constexpr microseconds kBudget(limits::kInlineBudgetUs);

LoopTime after(microseconds wall, microseconds cpu, long waits) {
  LoopTime time;
  time.wall += wall;
  time.watched = true;
  time.cpu = cpu;
  time.waits = waits;
  return time;
}

}  // namespace

TEST_CASE("a call that was preempted has not overrun, one that computed or waited has") {
  const LoopTime before = after(microseconds(0), microseconds(0), 0);
  CHECK_FALSE(overran(before, after(kBudget, kBudget, 5)));
  CHECK_FALSE(overran(before, after(kBudget * 9, kBudget, 0)));
  CHECK(overran(before, after(kBudget * 9, kBudget + microseconds(1), 0)));
  CHECK(overran(before, after(kBudget * 9, microseconds(0), 1)));
  LoopTime unwatched;
  CHECK(overran(unwatched, after(kBudget + microseconds(1), microseconds(0), 0)));
}

TEST_CASE("overruns close to one another take the right to run on loops away") {
  InlineGuard guard;
  CHECK_FALSE(guard.allowed());
  guard.allow();
  CHECK_FALSE(guard.take_watch());
  for (unsigned i = 1; i < limits::kInlineOverrunsMax; ++i) CHECK_FALSE(guard.note_overrun());
  CHECK(guard.allowed());
  for (unsigned i = 0; i < limits::kInlineWatchedCalls; ++i) CHECK(guard.take_watch());
  CHECK_FALSE(guard.take_watch());  // forgiven
  for (unsigned i = 1; i < limits::kInlineOverrunsMax; ++i) CHECK_FALSE(guard.note_overrun());
  for (unsigned i = 1; i < limits::kInlineWatchedCalls; ++i) guard.take_watch();
  CHECK(guard.note_overrun());
  CHECK_FALSE(guard.allowed());
  CHECK_FALSE(guard.note_overrun());  // told once
}

TEST_CASE("a watched moment knows what the thread has used") {
  const LoopTime before = LoopTime::now(true);
  CHECK(before.watched);
  const auto until = before.wall + std::chrono::seconds(20);
  LoopTime later = before;
  // Twice the budget: the two clocks are read one after the other.
  while (later.cpu - before.cpu <= 2 * kBudget && later.wall < until) later = LoopTime::now(true);
  CHECK(overran(before, later));
  CHECK_FALSE(LoopTime::now(false).watched);
}
