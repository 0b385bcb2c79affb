#include "store/awaited_page.h"

#include <atomic>
#include <deque>
#include <thread>

#include "store/memory_streams.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::store;

namespace {

const StreamName kName{"p", "s"};

void append(Streams& streams, std::string bytes) {
  streams.append(kName, std::move(bytes), [](Streams::Answer) {});
}

// What a page says: "after 1:a 2:b".
std::string text_of(const Streams::Page& page) {
  std::string text = std::to_string(page.after);
  for (const Streams::Event& event : page.events) text += " " + std::to_string(event.sequence) + ":" + *event.bytes;
  return text;
}

// Streams whose reads are answered when the test says so, as those of a database are.
class LateStreams final : public Streams {
 public:
  void append(const StreamName& name, std::string bytes, Appended then) override { inner.append(name, std::move(bytes), std::move(then)); }
  void read(const StreamName& name, std::uint64_t after, std::uint32_t events_max, Read then) override {
    Page page;
    inner.read(name, after, events_max, [&](Page given) { page = std::move(given); });
    reads.emplace_back(std::move(page), std::move(then));
  }
  std::uint64_t watch(const StreamName& name, std::function<void()> appended) override { return inner.watch(name, std::move(appended)); }
  void unwatch(const StreamName& name, std::uint64_t watch) override { inner.unwatch(name, watch); }

  void answer() {
    auto [page, then] = std::move(reads.front());
    reads.pop_front();
    then(std::move(page));
  }

  MemoryStreams inner;
  std::deque<std::pair<Page, Read>> reads;
};

}  // namespace

TEST_CASE("a page of what is there is read at once") {
  MemoryStreams streams;
  append(streams, "a");
  std::string told;
  const auto page = AwaitedPage::begin(streams, kName, 0, 0, [&](Streams::Page given) { told = text_of(given); });
  CHECK(told == "0 1:a");
  append(streams, "b");
  CHECK(told == "0 1:a");
}

TEST_CASE("a page of what is not there is read when it comes") {
  MemoryStreams streams;
  std::string told;
  const auto page = AwaitedPage::begin(streams, kName, 0, 0, [&](Streams::Page given) { told += text_of(given) + ";"; });
  CHECK(told.empty());
  append(streams, "a");
  append(streams, "b");
  CHECK(told == "0 1:a;");
}

TEST_CASE("what comes after the newest is what comes after that which was the newest at the beginning") {
  LateStreams streams;
  append(streams, "a");
  std::string told;
  const auto page = AwaitedPage::begin(streams, kName, Streams::kNewest, 0, [&](Streams::Page given) { told = text_of(given); });
  append(streams, "b");
  streams.answer();
  REQUIRE(streams.reads.size() == 1);
  streams.answer();
  CHECK(told == "1 2:b");
}

TEST_CASE("what is appended while it is read that there is nothing is not missed") {
  LateStreams streams;
  std::string told;
  const auto page = AwaitedPage::begin(streams, kName, 0, 0, [&](Streams::Page given) { told = text_of(given); });
  append(streams, "a");
  CHECK(streams.reads.size() == 1);  // one at a time
  streams.answer();
  streams.answer();
  CHECK(told == "0 1:a");
}

TEST_CASE("a number that the stream has not come to is told at once") {
  MemoryStreams streams;
  append(streams, "a");
  Streams::Page told;
  const auto page = AwaitedPage::begin(streams, kName, 2, 0, [&](Streams::Page given) { told = std::move(given); });
  CHECK(told.after == 2);
  CHECK(told.last == 1);
}

TEST_CASE("a page that is not wanted any more is not told") {
  LateStreams streams;
  int told = 0;
  auto page = AwaitedPage::begin(streams, kName, 0, 0, [&](Streams::Page) { ++told; });
  append(streams, "a");
  page->stop();
  page = nullptr;
  streams.answer();
  CHECK(streams.reads.empty());
  append(streams, "b");
  CHECK(streams.reads.empty());
  CHECK(told == 0);
}

TEST_CASE("pages that are awaited one after another have each event once, while others append") {
  MemoryStreams streams;
  constexpr std::uint64_t kEvents = 2'000;
  std::thread appending([&] {
    for (std::uint64_t i = 0; i < kEvents; ++i) append(streams, "e");
  });
  std::uint64_t after = 0;
  bool in_order = true;
  while (after < kEvents) {
    std::atomic<bool> told{false};
    Streams::Page page;
    const auto awaited = AwaitedPage::begin(streams, kName, after, 0, [&](Streams::Page given) {
      page = std::move(given);
      told = true;
    });
    while (!told) std::this_thread::yield();
    awaited->stop();  // until it has returned
    for (const Streams::Event& event : page.events) in_order = in_order && event.sequence == ++after;
  }
  appending.join();
  CHECK(in_order);
  CHECK(after == kEvents);
}
