// The life of a worker's processes, with processes and a clock that the test plays.
#include "worker/host/supervisor.h"

#include <future>
#include <thread>

#include "support/catch.h"
#include "worker/host/fake_processes.h"
#include "worker/talk/open_order.h"

using namespace collet;
using namespace collet::worker;

namespace {

constexpr const char* kCrash = "crashed with SIGSEGV (Segmentation fault)";

bool comes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + fake::kAtMost;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// Why processes are gone, as the supervisor tells it. Any thread.
class Causes {
 public:
  void add(const std::string& cause) {
    const std::lock_guard lock(mutex_);
    all_.push_back(cause);
    changed_.notify_all();
  }
  // Waits until there are so many; the last of them.
  std::string wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, fake::kAtMost, [&] { return all_.size() >= count; }) ? all_.at(count - 1) : "it goes on";
  }

 private:
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

// A supervisor, and all that it works with.
class Supervised {
 public:
  explicit Supervised(WorkerOptions given = {}) : options(std::move(given)) { REQUIRE(link.open().ok()); }
  ~Supervised() {
    supervisor.kill("the test is over");
    clock.pass(1'000'000);  // for whoever waits still, after a failure
    if (starting.valid()) starting.wait();
    if (stopping.valid()) stopping.wait();
  }

  void start() {
    const auto started = supervisor.start();
    REQUIRE(started.ok());
  }
  std::string why_not_started() {
    const auto started = supervisor.start();
    return started ? "it was started" : started.message();
  }
  void start_meanwhile() {
    starting = std::async(std::launch::async, [this] { return why_not_started(); });
  }
  // What that has come to.
  std::string started() {
    return starting.wait_for(fake::kAtMost) == std::future_status::ready ? starting.get() : "it still starts";
  }
  void stop_meanwhile() {
    stopping = std::async(std::launch::async, [this] { supervisor.stop(); });
  }
  // The process of this number, of those that were started.
  void crash(std::size_t number) {
    processes.wait_for(number).end(kCrash);
    CHECK(causes.wait_for(number) == std::string("its worker process ") + kCrash);
  }
  bool becomes(const std::string& condition) {
    return comes_true([&] { return supervisor.condition() == condition; });
  }

  fake::Clock clock;
  fake::Processes processes;
  plugin::WorkerOrder order{.name = "p", .file = {}, .config = "{}", .number = 1, .prior = {}, .permissions = {}};
  const WorkerOptions options;
  const ArenaView arena;
  ProcessLink link{options.hang_ms, clock.teller()};
  const plugin::Image::Events events;
  FrameRouter router{link, arena, events};
  std::atomic<unsigned> tables{0};  // that the listener has been shown
  std::string no_table;             // why it refuses one, or empty; before start()
  Causes causes;
  std::future<std::string> starting;
  std::future<void> stopping;
  Supervisor supervisor{{.order = order,
                         .options = options,
                         .arena = arena,
                         .link = link,
                         .router = router,
                         .processes = processes,
                         .now = clock.teller()},
                        {.opened =
                             [this](const Opened&) {
                               ++tables;
                               return no_table;
                             },
                         .gone = [this](const std::string& cause) { causes.add(cause); }}};
};

}  // namespace

// the first process

TEST_CASE("a worker is started once its first process says that it has the plugin, and is told first what to load") {
  Supervised worker;
  worker.order.prior = plugin::SavedState{.bytes = "before", .version = 3};
  worker.start();
  CHECK(worker.supervisor.condition() == "process 1001");
  CHECK(worker.tables == 1);
  const auto told = read_open_order(worker.processes.wait_for(1).hear(FrameType::open));
  REQUIRE(told);
  CHECK(told->name == "p");
  CHECK(told->config == "{}");
  CHECK(told->prior == "before");
}

TEST_CASE("a first process that cannot be started is the only one") {
  Supervised worker;
  worker.processes.refuse("there is no executable");
  CHECK(worker.why_not_started() == "there is no executable");
  CHECK(worker.causes.wait_for(1) == "there is no executable");
  CHECK(worker.supervisor.condition() == "not running: there is no executable");
  CHECK(worker.processes.attempts() == 1);
}

TEST_CASE("a first process without a plugin says why, is ended, and is the only one") {
  Supervised worker;
  worker.processes.play([](fake::Process& process) { process.fail("its create() has failed"); });
  CHECK(worker.why_not_started() == "its create() has failed");
  CHECK(worker.processes.wait_for(1).was_killed());
  CHECK(worker.processes.wait_for(1).was_reaped());
  CHECK(worker.processes.attempts() == 1);
}

TEST_CASE("a first process that ends without a word, or whose table is none, is the only one") {
  Supervised silent;
  silent.processes.play([](fake::Process& process) { process.end("ended with exit code 7"); });
  CHECK(silent.why_not_started() == "its worker process ended with exit code 7");
  CHECK_FALSE(silent.processes.wait_for(1).was_killed());
  CHECK(silent.processes.attempts() == 1);

  Supervised odd;
  odd.no_table = "its table is none";
  CHECK(odd.why_not_started() == "its worker process was killed: its table is none");
  CHECK(odd.processes.wait_for(1).was_killed());
  CHECK(odd.processes.attempts() == 1);
}

TEST_CASE("a process that takes too long to start is killed when its time is up, and not before") {
  Supervised worker({.start_timeout_ms = 5});
  worker.processes.play([](fake::Process&) {});
  worker.start_meanwhile();
  const fake::Process& process = worker.processes.wait_for(1);
  worker.clock.pass(4);
  worker.clock.wait_for_looks();
  CHECK_FALSE(process.was_killed());
  worker.clock.pass(1);
  CHECK(worker.started() == "its worker process was killed: loading it, or its create(), has not returned in time");
  CHECK(process.was_killed());
  CHECK(process.was_reaped());
}

// the next ones

TEST_CASE("a process that crashes is followed by another at once, which has the newest config and nothing of the first") {
  Supervised worker;
  worker.order.prior = plugin::SavedState{.bytes = "before", .version = 3};
  worker.start();
  worker.supervisor.set_config(R"({"new":true})");
  worker.crash(1);
  fake::Process& second = worker.processes.wait_for(2);
  CHECK(worker.becomes(std::string("process 1011, restarts: 1, the last because its worker process ") + kCrash));
  CHECK(worker.tables == 1);
  const auto told = read_open_order(second.hear(FrameType::open));
  REQUIRE(told);
  CHECK(told->config == R"({"new":true})");
  CHECK_FALSE(told->prior);
  CHECK(worker.processes.wait_for(1).was_reaped());
  CHECK_FALSE(worker.processes.wait_for(1).was_killed());
}

TEST_CASE("processes that crash one after the other are followed by the next after times that double, up to the longest") {
  Supervised worker({.restarts = {.backoff_ms = 4, .backoff_ms_max = 10, .failures_max = 6}});
  worker.start();
  worker.crash(1);
  std::size_t number = 2;
  for (const std::uint64_t delay : {4, 8, 10}) {
    worker.crash(number);
    worker.clock.wait_for_looks();  // it knows until when it waits
    CHECK(worker.supervisor.condition() == std::string("not running: its worker process ") + kCrash);
    worker.clock.pass(delay - 1);
    worker.clock.wait_for_looks();
    CHECK(worker.processes.attempts() == number);
    worker.clock.pass(1);
    worker.processes.wait_for(++number);
  }
}

TEST_CASE("a process that has lived for long is followed by another at once, however many have crashed before") {
  Supervised worker({.restarts = {.backoff_ms = 4, .failures_max = 3}});
  worker.start();
  for (std::size_t number = 1; number <= 4; ++number) {
    worker.processes.wait_for(number);
    REQUIRE(comes_true([&] { return worker.supervisor.condition().starts_with("process "); }));
    worker.clock.pass(limits::kWorkerFailureWindowMs);
    worker.crash(number);
  }
  worker.processes.wait_for(5);
}

TEST_CASE("a process that cannot be started later on counts as one that has crashed") {
  Supervised worker({.restarts = {.backoff_ms = 0, .failures_max = 3}});
  worker.start();
  worker.processes.refuse("there is no executable");
  worker.crash(1);
  CHECK(worker.causes.wait_for(3) == "there is no executable");
  CHECK(worker.becomes("in quarantine: there is no executable"));
  CHECK(worker.processes.attempts() == 3);
}

TEST_CASE("after so many crashes there is quarantine, however long it lasts, until the worker is stopped") {
  Supervised worker({.restarts = {.backoff_ms = 0, .failures_max = 3}});
  worker.start();
  worker.crash(1);
  worker.crash(2);
  CHECK_FALSE(worker.supervisor.is_quarantined());
  worker.crash(3);
  REQUIRE(comes_true([&] { return worker.supervisor.is_quarantined(); }));
  CHECK(worker.supervisor.condition() == std::string("in quarantine: its worker process ") + kCrash);
  CHECK(worker.supervisor.down_words() == std::string("its worker process ") + kCrash +
                                              "; that was once too often, and it is not started again before `collet reload p`");
  worker.clock.pass(1'000'000);
  worker.supervisor.stop();
  worker.supervisor.join();
  CHECK(worker.processes.attempts() == 3);
}

// the end

TEST_CASE("a worker that is stopped has its process end by itself, and waits until it has") {
  Supervised worker;
  worker.start();
  fake::Process& process = worker.processes.wait_for(1);
  worker.stop_meanwhile();
  process.hear(FrameType::close);
  CHECK(worker.stopping.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  process.end("ended with exit code 0");
  REQUIRE(worker.stopping.wait_for(fake::kAtMost) == std::future_status::ready);
  CHECK(worker.causes.wait_for(1) == "its worker process ended with exit code 0");
  CHECK_FALSE(process.was_killed());
  CHECK(process.was_reaped());
  CHECK(worker.processes.attempts() == 1);
}

TEST_CASE("a worker that is stopped while it waits to start another process starts none") {
  Supervised worker({.restarts = {.backoff_ms = 5, .failures_max = 9}});
  worker.start();
  worker.crash(1);
  worker.crash(2);
  worker.clock.wait_for_looks();
  worker.stop_meanwhile();
  REQUIRE(worker.stopping.wait_for(fake::kAtMost) == std::future_status::ready);
  worker.clock.pass(5);
  worker.supervisor.join();
  CHECK(worker.processes.attempts() == 2);
}

TEST_CASE("a worker that is killed while its process is being started kills it then, though it has the plugin") {
  Supervised worker;
  std::promise<void> begun;
  std::promise<void> killed;
  worker.processes.play([&](fake::Process& process) {
    begun.set_value();
    killed.get_future().wait();
    process.open();
  });
  worker.start_meanwhile();
  begun.get_future().wait();
  worker.supervisor.kill("it hangs");
  killed.set_value();
  CHECK(worker.started() == "its worker process was killed: it hangs");
  CHECK(worker.processes.wait_for(1).was_killed());
  CHECK(worker.processes.attempts() == 1);
}

TEST_CASE("a worker that is killed while its process loads the plugin kills it at once, and starts no other") {
  Supervised worker;
  worker.processes.play([](fake::Process&) {});
  worker.start_meanwhile();
  fake::Process& process = worker.processes.wait_for(1);
  process.hear(FrameType::open);
  worker.supervisor.kill("it hangs");
  CHECK(worker.started() == "its worker process was killed: it hangs");
  worker.supervisor.join();
  CHECK(process.was_killed());
  CHECK(process.was_reaped());
  CHECK(worker.processes.attempts() == 1);
}

// processes that break the rules

TEST_CASE("a process that closes its connection and goes on is killed, and another follows") {
  Supervised worker({.exit_ms = 1});
  worker.start();
  worker.processes.wait_for(1).close_socket();
  CHECK(worker.causes.wait_for(1) == "its worker process was killed: it closed its connection and went on");
  CHECK(worker.processes.wait_for(1).was_killed());
  worker.processes.wait_for(2);
}

TEST_CASE("a process that closes its connection and ends soon has ended by itself") {
  Supervised worker({.exit_ms = std::chrono::milliseconds(fake::kAtMost).count()});
  worker.start();
  worker.processes.wait_for(1).close_socket();
  worker.processes.wait_for(1).end("ended with exit code 3");
  CHECK(worker.causes.wait_for(1) == "its worker process ended with exit code 3");
  CHECK_FALSE(worker.processes.wait_for(1).was_killed());
}

TEST_CASE("a process that says twice that it has the plugin is killed, and another follows") {
  Supervised worker;
  worker.start();
  worker.processes.wait_for(1).open();
  CHECK(worker.causes.wait_for(1) == "its worker process was killed: it sent a frame that is no answer to being started");
  CHECK(worker.processes.wait_for(1).was_killed());
  worker.processes.wait_for(2);
}

TEST_CASE("a call that goes on after its deadline costs the process, when the time for that is up, and not before") {
  Supervised worker({.hang_ms = 5});
  collet_host host{};
  host.is_cancelled = [](const collet_host*, collet_call) -> std::int32_t { return 1; };
  worker.link.attach(host);
  worker.start();
  worker.link.cancel(7, COLLET_CANCEL_DEADLINE);
  worker.clock.pass(4);
  worker.clock.wait_for_looks();
  CHECK_FALSE(worker.processes.wait_for(1).was_killed());
  worker.clock.pass(1);
  CHECK(worker.causes.wait_for(1) == "its worker process was killed: a call has not ended 5 ms after its deadline");
  CHECK(worker.processes.wait_for(1).was_killed());
}
