#include "protocol/legacy/event_log.h"

#include "protocol/legacy/memory_event_log.h"
#include "protocol/legacy/memory_event_logs.h"
#include "protocol/legacy/session.h"
#include "support/catch.h"

using collet::protocol::EventBudget;
using collet::protocol::EventId;
using collet::protocol::EventLog;
using collet::protocol::MemoryEventLog;
namespace limits = collet::limits;

namespace {

std::string numbers(const EventLog::Reading& reading) {
  std::string all;
  for (const EventLog::Event& event : reading.events) all += std::to_string(event.number) + " ";
  return all + (reading.over ? "over" : "more");
}

bool is_finished(EventLog& log) { return log.read(log.attach([] {}), 0).over; }

const std::string kHalf(limits::kEventLogBytesMax / 2 - 64, 'x');  // with what an event costs besides

}  // namespace

TEST_CASE("an event's id is a pair of numbers, or none") {
  const auto id = EventId::parse("12-345");
  REQUIRE(id);
  CHECK(id->log == 12);
  CHECK(id->event == 345);
  CHECK(id->text() == "12-345");
  for (const char* bad : {"", "-", "1", "1-", "-1", "1-x", "1-2 ", "a-1", "1-2-3", "99999999999999999999-1"}) {
    CHECK_FALSE(EventId::parse(bad));
  }
}

TEST_CASE("a reader gets what comes after its position, and is woken once until it reads") {
  EventBudget budget;
  MemoryEventLog in_memory(1, budget);
  EventLog& log = in_memory;
  log.append("a");
  log.append("b");
  int woken = 0;
  const auto reader = log.attach([&] { ++woken; });
  CHECK(numbers(log.read(reader, 1)) == "2 more");
  CHECK(numbers(log.read(reader, 2)) == "more");
  log.append("c");
  log.append("d");
  CHECK(woken == 1);
  CHECK(numbers(log.read(reader, 2)) == "3 4 more");
  log.finish();
  log.finish();
  CHECK(woken == 2);
  CHECK(numbers(log.read(reader, 4)) == "over");
  log.append("too late");
  CHECK(numbers(log.read(reader, 0)) == "1 2 3 4 over");
}

TEST_CASE("a later reader takes over, and the one before is woken to learn it") {
  EventBudget budget;
  MemoryEventLog in_memory(1, budget);
  EventLog& log = in_memory;
  log.append("a");
  int woken = 0;
  const auto first = log.attach([&] { ++woken; });
  const auto second = log.attach([] {});
  CHECK(woken == 1);
  CHECK(numbers(log.read(first, 0)) == "over");
  log.detach(first);  // it is no longer the reader
  CHECK(log.attached());
  CHECK(numbers(log.read(second, 0)) == "1 more");
  log.detach(second);
  CHECK_FALSE(log.attached());
}

TEST_CASE("a reader may take a part, and then what is behind it") {
  EventBudget budget;
  MemoryEventLog in_memory(1, budget);
  EventLog& log = in_memory;
  for (const char* message : {"aaaa", "bbbb", "cccccccccc", "d"}) log.append(message);
  const auto reader = log.attach([] {});
  log.finish();
  CHECK(numbers(log.read(reader, 0, 8)) == "1 2 more");
  CHECK(numbers(log.read(reader, 2, 8)) == "3 more");  // however large
  CHECK(numbers(log.read(reader, 3, 8)) == "4 over");
}

TEST_CASE("a reader that takes too little breaks the log, whatever others have left of the budget") {
  EventBudget budget;
  MemoryEventLog in_memory(1, budget);
  EventLog& log = in_memory;
  const auto reader = log.attach([] {});
  while (budget.used() <= limits::kEventLogUnreadBytesMax) {
    log.append(kHalf);
    REQUIRE_FALSE(log.broken());
  }
  log.append("one more");
  CHECK(log.broken());
  CHECK(numbers(log.read(reader, 0)) == "over");
  CHECK(budget.used() == 0);
}

TEST_CASE("past its limit a log drops the oldest that have been read, or that nobody reads") {
  EventBudget budget;
  MemoryEventLog in_memory(1, budget);
  EventLog& log = in_memory;
  log.append(kHalf);
  log.append(kHalf);
  auto reader = log.attach([] {});
  CHECK(numbers(log.read(reader, 0)) == "1 2 more");
  log.append("");
  CHECK(numbers(log.read(reader, 0)) == "2 3 more");
  log.append(kHalf);
  log.append(kHalf);
  CHECK(numbers(log.read(reader, 3)) == "4 5 more");  // nothing unread is lost
  log.detach(reader);
  const std::string large(2 * limits::kEventLogBytesMax, 'x');
  log.append(large);
  reader = log.attach([] {});
  CHECK(numbers(log.read(reader, 0)) == "6 more");  // the newest stays, however large
  log.forget(6);
  CHECK(numbers(log.read(reader, 0)) == "more");
  CHECK(budget.used() == 0);
}

TEST_CASE("a log that may keep no more breaks, and gives back what it had") {
  EventBudget budget(200);
  {
    MemoryEventLog other_in_memory(2, budget);
    EventLog& other = other_in_memory;
    MemoryEventLog in_memory(1, budget);
    EventLog& log = in_memory;
    other.append("");
    log.append(std::string(200 - 2 * 64, 'x'));  // with two events' costs: the limit
    CHECK(budget.used() == 200);
    CHECK_FALSE(log.broken());
    const auto reader = log.attach([] {});
    log.append("");
    CHECK(log.broken());
    CHECK(numbers(log.read(reader, 0)) == "over");
    CHECK(budget.used() == 64);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("a session keeps the newest streams, and its side stream") {
  collet::protocol::MemoryEventLogs logs;
  collet::protocol::Session session("s", nullptr, logs);
  const auto side = session.open_side_log();
  std::uint64_t first = session.open_log()->number();
  for (unsigned i = 2; i < limits::kSessionStreamsMax; ++i) session.open_log();
  CHECK(session.find_log(first));
  session.open_log();
  CHECK_FALSE(session.find_log(first));
  CHECK(session.find_log(side->number()));
  session.end();
  CHECK(is_finished(*side));
  CHECK(is_finished(*session.open_log()));
}
