// What a store costs: store_bench FOLDER, which is on the disk that is measured. Prints one JSON object: for the store in memory, and for
// one in a file, questions a second of four threads that each wait for an answer before they ask again ("one"), with the 99th of a hundred
// waits, and of four threads that each have 64 unanswered ("many").
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "store/open_store.h"

using namespace collet;
using store::Records;

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kThreads = 4;
constexpr unsigned kKeys = 1'000;  // of each thread
constexpr auto kLasts = std::chrono::seconds(2);
const std::string kValue(200, 'v');

std::string space_of(unsigned thread) { return fmt::format("plugin_{}", thread); }
std::string key_of(unsigned number) { return fmt::format("key/{}", number % kKeys); }

// Questions of which only so many are unanswered at a time.
class Window {
 public:
  explicit Window(unsigned most) : most_(most) {}

  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return unanswered_ < most_; });
    ++unanswered_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --unanswered_;
    changed_.notify_one();
  }
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return unanswered_ == 0; });
  }

 private:
  const unsigned most_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  unsigned unanswered_ = 0;
};

void put(Records& records, unsigned thread, unsigned number, Records::Answered then) {
  records.put(space_of(thread), {key_of(number), kValue}, std::move(then));
}
void get(Records& records, unsigned thread, unsigned number, Records::Answered then) {
  records.get(space_of(thread), key_of(number), std::move(then));
}

struct Figures {
  double per_second = 0;
  double p99_us = 0;
};

// Of one kind of question, with so many unanswered a thread.
template <class Ask>
Figures measure(Records& records, unsigned unanswered, Ask ask) {
  std::mutex mutex;
  std::vector<double> waits_us;
  const auto began = Clock::now();
  const auto work = [&](unsigned thread) {
    std::vector<double> own_us;  // of the thread of the answers, or this one; never both at once
    Window window(unanswered);
    for (unsigned number = 0; Clock::now() - began < kLasts; ++number) {
      window.enter();
      ask(records, thread, number, [&, asked = Clock::now()](Records::Answer answer) {
        if (answer.status != Records::Status::done || answer.version == 0) std::abort();
        own_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - asked).count());
        window.leave();
      });
    }
    window.wait_for_all();
    const std::lock_guard lock(mutex);
    waits_us.insert(waits_us.end(), own_us.begin(), own_us.end());
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  std::sort(waits_us.begin(), waits_us.end());
  return {static_cast<double>(waits_us.size()) / seconds, waits_us[waits_us.size() * 99 / 100]};
}

std::string text_of(Records& records, const char* name, unsigned unanswered) {
  const Figures writes = measure(records, unanswered, put);
  const Figures reads = measure(records, unanswered, get);
  return fmt::format(R"("{}":{{"writes":{:.0f},"write_p99_us":{:.1f},"reads":{:.0f},"read_p99_us":{:.1f}}})", name, writes.per_second,
                     writes.p99_us, reads.per_second, reads.p99_us);
}

std::string text_of(const std::string& file) {
  auto opened = store::open_store(file);
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.message());
    std::exit(1);
  }
  Records& records = (*opened)->records();
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    for (unsigned number = 0; number < kKeys; ++number) put(records, thread, number, [](Records::Answer) {});
  }
  return text_of(records, "one", 1) + "," + text_of(records, "many", 64);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: store_bench FOLDER\n");
    return 1;
  }
  const std::string file = std::filesystem::path(argv[1]) / "bench.db";
  std::filesystem::remove(file);
  fmt::print("{{\"memory\":{{{}}},\"file\":{{{}}}}}\n", text_of(""), text_of(file));
  std::filesystem::remove(file);
}
