#include "plugin/crash/recorder.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "plugin/crash/place.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using crash::Place;
using crash::Record;

namespace {

// What a process that runs `body` has recorded of its end.
struct Ended {
  explicit Ended(const std::function<void()>& body) {
    const Descriptor file(memfd_create("record", MFD_CLOEXEC));
    REQUIRE(ftruncate(file.get(), crash::kRecordBytes) == 0);
    std::fflush(nullptr);  // or exit() would write it over there, too
    const pid_t process = fork();
    if (process == 0) {
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      crash::record_end(*crash::map_record(file.get(), 0));
      body();
      _exit(0);
    }
    waitpid(process, &status, 0);
    record = crash::take_record(file.get(), 0);
  }

  int status = 0;
  std::optional<Record> record;
};

constexpr int kExitCode = 3;

// Before what the process that was forked has to destroy, whose threads are not here.
void leave_first() { syscall(SYS_exit_group, kExitCode); }

std::atomic<int> calls_under_way{0};  // so that no call is the last thing that its function does

void pong(int more);
[[gnu::noinline]] void ping(int more) {
  ++calls_under_way;
  if (more == 0) raise(SIGSEGV);
  pong(more - 1);
  --calls_under_way;
}
[[gnu::noinline]] void pong(int more) {
  ++calls_under_way;
  if (more == 0) raise(SIGSEGV);
  ping(more - 1);
  --calls_under_way;
}

Record crashed_after(int calls) {
  const Ended ended([calls] {
    const Place place("p", {.function = "its call()"});
    ping(calls);
  });
  REQUIRE(ended.record);
  return *ended.record;
}

}  // namespace

TEST_CASE("a process that ends by itself records nothing") {
  const Ended ended([] {});
  CHECK(ended.status == 0);
  CHECK_FALSE(ended.record);
}

TEST_CASE("a crash is recorded with the innermost place, and ends the process as it would have") {
  const Ended ended([] {
    const Place outer("p", {.function = "its call()"});
    { const Place over("p", {.function = "its create()"}); }
    std::string name(100, 'n');
    const Place inner("p", {"its call()", "tool", name, 7});
    name.assign(100, 'x');  // gone since
    raise(SIGSEGV);
  });
  CHECK(WTERMSIG(ended.status) == SIGSEGV);
  REQUIRE(ended.record);
  CHECK(ended.record->stage == Record::kWhole);
  CHECK(ended.record->signal == SIGSEGV);
  CHECK(ended.record->plugin.view() == "p");
  CHECK(ended.record->function.view() == "its call()");
  CHECK(ended.record->kind.view() == "tool");
  CHECK(ended.record->item.view() == std::string(60, 'n'));
  CHECK(ended.record->call == 7);
  CHECK(ended.record->frame_count > 0);
}

TEST_CASE("as many frames are recorded as there is room for, and that there are more") {
  const int others = static_cast<int>(crashed_after(0).frame_count);
  for (const bool past : {false, true}) {
    const Record record = crashed_after(static_cast<int>(Record::kFramesMax) - others + past);
    CHECK(record.frame_count == Record::kFramesMax);
    CHECK(record.cut_off == past);
  }
}

TEST_CASE("a crash where no plugin runs is recorded without a place") {
  const Ended ended([] {
    const Place of_nobody({}, {});
    abort();
  });
  CHECK(WTERMSIG(ended.status) == SIGABRT);
  REQUIRE(ended.record);
  CHECK(ended.record->plugin.view().empty());
}

TEST_CASE("who ends the process by a function of the system's is recorded where it was a plugin") {
  const std::pair<const char*, void (*)(int)> enders[] = {
      {"exit",
       [](int code) {
         std::atexit(leave_first);
         std::exit(code);
       }},
      {"_exit", [](int code) { _exit(code); }},
      {"_Exit", [](int code) { std::_Exit(code); }},
      {"quick_exit", [](int code) { std::quick_exit(code); }},
  };
  for (const auto& [name, ender] : enders) {
    const Ended ended([end = ender] {
      const Place place("p", {.function = "its create()"});
      end(kExitCode);
    });
    CHECK(WEXITSTATUS(ended.status) == kExitCode);
    REQUIRE(ended.record);
    CHECK(ended.record->signal == 0);
    CHECK(ended.record->ender.view() == name);
    CHECK(ended.record->code == kExitCode);
    CHECK_FALSE(Ended([end = ender] { end(kExitCode); }).record);
  }
}

TEST_CASE("the end of a process that was forked is not that of the one it comes from") {
  const Ended ended([] {
    const Place place("p", {.function = "its call()"});
    const pid_t other = fork();
    if (other == 0) raise(SIGSEGV);
    int status = 0;
    waitpid(other, &status, 0);
    const Place none({}, {});
    _exit(WTERMSIG(status));
  });
  CHECK(WEXITSTATUS(ended.status) == SIGSEGV);
  CHECK_FALSE(ended.record);
}

TEST_CASE("what has ended before is not what ends now") {
  Record record{};
  record.stage = Record::kWhole;
  const Ended ended([&] {
    crash::record_end(record);
    _exit(record.stage == Record::kNothing ? 0 : 1);
  });
  CHECK(ended.status == 0);
}
