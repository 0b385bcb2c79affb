#include <atomic>
#include <thread>

#include "base/limits.h"
#include "store/backends.h"

using namespace collet;
using namespace collet::store;
using test::InFile;
using test::InMemory;
using test::told;

namespace {

// Who appends and reads, and waits for the answer, at a time that the test sets.
template <class Backend>
struct River {
  // 0: it was refused. Also for threads of a test, which may not assert.
  std::uint64_t append(std::string bytes, const StreamName& name) {
    const auto answer = told<Streams::Answer>([&](Streams::Appended then) { streams.append(name, std::move(bytes), std::move(then)); });
    const bool agrees = (answer.status == Streams::Status::done) == (answer.sequence > 0);
    return agrees ? answer.sequence : ~std::uint64_t{0};  // which nobody expects
  }
  std::uint64_t append(std::string bytes, const std::string& stream = "s") { return append(std::move(bytes), {"p", stream}); }
  // Without waiting; what is asked next waits for it.
  void append_on(std::string bytes) {
    streams.append({"p", "s"}, std::move(bytes), [](Streams::Answer) {});
  }
  Streams::Page read(std::uint64_t after, std::uint32_t events_max = 0, const std::string& stream = "s") {
    return told<Streams::Page>([&](Streams::Read then) { streams.read({"p", stream}, after, events_max, std::move(then)); });
  }
  // "1:a 2:b"
  static std::string text_of(const Streams::Page& page) {
    std::string text;
    for (const Streams::Event& event : page.events) text += (text.empty() ? "" : " ") + std::to_string(event.sequence) + ":" + *event.bytes;
    return text;
  }
  std::string text(std::uint64_t after, std::uint32_t events_max = 0) { return text_of(read(after, events_max)); }
  // What was appended before has been told, and what was asked because of that is answered.
  void settle() {
    read(0);
    read(0);
  }

  std::uint64_t now_ms = 1'000'000;
  Backend backend{now_ms};
  Streams& streams = backend.streams;
};

}  // namespace

TEMPLATE_TEST_CASE("events are read in the order in which they were appended, from any number on", "", InMemory, InFile) {
  River<TestType> river;
  CHECK(river.append("a") == 1);
  river.now_ms += 5;
  CHECK(river.append("b") == 2);
  CHECK(river.append("") == 3);
  CHECK(river.text(0) == "1:a 2:b 3:");
  CHECK(river.text(1) == "2:b 3:");
  CHECK(river.text(0, 2) == "1:a 2:b");
  const Streams::Page page = river.read(1);
  CHECK(page.after == 1);
  CHECK(page.first == 1);
  CHECK(page.last == 3);
  CHECK(page.events[0].time_ms == 1'000'005);
  CHECK(river.read(3).events.empty());
  CHECK(river.read(4).last < river.read(4).after);
}

TEMPLATE_TEST_CASE("what comes after the newest is nothing yet", "", InMemory, InFile) {
  River<TestType> river;
  CHECK(river.read(Streams::kNewest).after == 0);
  river.append("a");
  const Streams::Page page = river.read(Streams::kNewest);
  CHECK(page.after == 1);
  CHECK(page.events.empty());
}

TEMPLATE_TEST_CASE("a stream that is not there is empty, and reading does not make it", "", InMemory, InFile) {
  River<TestType> river;
  const Streams::Page page = river.read(0);
  CHECK(page.first == 1);
  CHECK(page.last == 0);
  CHECK(page.events.empty());
  for (unsigned i = 0; i <= limits::kStreamsMax; ++i) river.read(0, 0, std::to_string(i));
  CHECK(river.append("a") == 1);
}

TEMPLATE_TEST_CASE("an owner has so many streams, and is refused one more", "", InMemory, InFile) {
  River<TestType> river;
  for (unsigned i = 0; i < limits::kStreamsMax; ++i) CHECK(river.append("a", std::to_string(i)) == 1);
  CHECK(river.append("a", "more") == 0);
  CHECK(river.read(0, 0, "more").last == 0);
  CHECK(river.append("b", "0") == 2);
  CHECK(river.append("a", StreamName{"q", "s"}) == 1);
}

TEMPLATE_TEST_CASE("a stream keeps so many events, and tells who comes late which is the first", "", InMemory, InFile) {
  River<TestType> river;
  for (unsigned i = 0; i < limits::kStreamEventsMax; ++i) river.append_on("e");
  CHECK(river.read(0).first == 1);
  CHECK(river.append("e") == limits::kStreamEventsMax + 1);
  const Streams::Page page = river.read(0);
  CHECK(page.first == 2);
  CHECK(page.events.front().sequence == 2);
  CHECK(river.read(limits::kStreamEventsMax).events.size() == 1);
}

TEMPLATE_TEST_CASE("a stream keeps so many bytes", "", InMemory, InFile) {
  River<TestType> river;
  constexpr std::size_t kFit = limits::kStreamBytesMax / limits::kStreamEventBytesMax;
  const std::string event(limits::kStreamEventBytesMax, 'e');
  for (std::size_t i = 0; i < kFit; ++i) river.append(event);
  CHECK(river.read(0).first == 1);
  river.append("e");
  CHECK(river.read(0).first == 2);
  river.append(event.substr(1));
  CHECK(river.read(0).first == 2);
}

TEMPLATE_TEST_CASE("a page has so many events, and so many bytes but for its first", "", InMemory, InFile) {
  River<TestType> river;
  for (unsigned i = 0; i <= limits::kStreamPageEvents; ++i) river.append_on("e");
  CHECK(river.read(0, limits::kStreamPageEvents + 1).events.size() == limits::kStreamPageEvents);
  CHECK(river.read(1).events.size() == limits::kStreamPageEvents);
  constexpr std::size_t kFit = limits::kStreamPageBytesMax / limits::kStreamEventBytesMax;
  const std::string event(limits::kStreamEventBytesMax, 'e');
  for (std::size_t i = 0; i < kFit; ++i) river.append(event);
  const std::uint64_t before = limits::kStreamPageEvents + 1;
  CHECK(river.read(before).events.size() == kFit);
  CHECK(river.read(before - 1).events.size() == kFit);  // one is small, so that the last is too much
}

TEMPLATE_TEST_CASE("who watches a stream is told of each event, until it does not watch any more", "", InMemory, InFile) {
  River<TestType> river;
  int told = 0, other = 0;
  const std::uint64_t watch = river.streams.watch({"p", "s"}, [&] { ++told; });
  const std::uint64_t second = river.streams.watch({"p", "s"}, [&] { ++other; });
  river.append("a");
  river.append("a", "another");
  river.settle();
  CHECK(told == 1);
  river.streams.unwatch({"p", "s"}, watch);
  river.append("b");
  river.settle();
  CHECK(told == 1);
  CHECK(other == 2);
  river.streams.unwatch({"p", "s"}, watch);
  river.streams.unwatch({"p", "s"}, second);
}

TEMPLATE_TEST_CASE("who watches a stream may ask for what it is told of, and end the watch", "", InMemory, InFile) {
  River<TestType> river;
  std::string seen;
  std::uint64_t watch = 0;
  watch = river.streams.watch({"p", "s"}, [&] {
    river.streams.read({"p", "s"}, 0, 0, [&](Streams::Page page) { seen += river.text_of(page); });
    river.streams.unwatch({"p", "s"}, watch);
  });
  river.append("a");
  river.settle();
  river.append("b");
  river.settle();
  CHECK(seen == "1:a");
}

TEMPLATE_TEST_CASE("no number is given twice, from however many threads", "", InMemory, InFile) {
  River<TestType> river;
  constexpr unsigned kThreads = 4, kEach = 500;
  std::atomic<unsigned> told{0};
  river.streams.watch({"p", "s"}, [&] { ++told; });
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (unsigned each = 0; each < kEach; ++each) river.append("e");
    });
  }
  for (std::thread& thread : threads) thread.join();
  river.settle();
  CHECK(told == kThreads * kEach);
  std::uint64_t after = 0;
  for (Streams::Page page = river.read(0); !page.events.empty(); page = river.read(after)) {
    for (const Streams::Event& event : page.events) CHECK(event.sequence == ++after);
  }
  CHECK(after == kThreads * kEach);
}
