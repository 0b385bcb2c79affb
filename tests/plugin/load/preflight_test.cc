#include "plugin/load/preflight.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "house.h"
#include "plugin/load/preflight_frame.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

TEST_CASE("reports arrive in pieces of any size") {
  std::string sent;
  preflight::append_frame(sent, "");
  preflight::append_frame(sent, "a report");
  for (std::size_t size = 0; size < sent.size(); ++size) {
    std::string_view rest = std::string_view(sent).substr(0, size);
    std::vector<std::string_view> frames;
    while (const auto frame = preflight::take_frame(rest)) frames.push_back(*frame);
    CHECK(frames.size() == (size < 4 ? 0 : 1));
  }
  std::string_view rest = sent;
  CHECK(preflight::take_frame(rest)->empty());
  CHECK(preflight::take_frame(rest) == "a report");
  CHECK(rest.empty());
}

TEST_CASE("each file gets its own verdict, also after one that takes the child down") {
  Preflight preflight(COLLET_TEST_PREFLIGHT);
  CHECK(preflight.run({}).empty());
  const PreflightFile good{module_path("sample"), "{}"};
  const PreflightFile crashing{module_path("hostile_create_crashes"), "{}"};
  const PreflightFile refusing{module_path("sample_concurrent"), R"({"a":"refuse"})"};
  const auto results = preflight.run({crashing, good, refusing, crashing, good});
  REQUIRE(results.size() == 5);
  CHECK(results[0].message() == "in trial loading it crashed with SIGSEGV (Segmentation fault)");
  CHECK(results[1]);
  CHECK(results[2].message() == "its create() returned COLLET_E_INVALID (-1)");
  CHECK_FALSE(results[3]);
  CHECK(results[4]);
}

TEST_CASE("a file that closes a standard descriptor is the only one to be blamed for it") {
  const PreflightFile closing{module_path("hostile_create_closes_fds"), "{}"};
  const PreflightFile good{module_path("sample"), "{}"};
  const auto results = Preflight(COLLET_TEST_PREFLIGHT).run({closing, good});
  REQUIRE(results.size() == 2);
  CHECK(results[0].message() == "it closes file descriptor 0, which is not its own");
  CHECK(results[1]);
}

namespace {

// Of this process, living or not yet waited for.
std::vector<pid_t> children() {
  std::vector<pid_t> all;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) all.push_back(pid);
  }
  return all;
}

}  // namespace

TEST_CASE("from the second run on one process stays, from which the trials come") {
  const PreflightFile good{module_path("sample"), "{}"};
  REQUIRE(children().empty());
  {
    Preflight preflight(COLLET_TEST_PREFLIGHT);
    CHECK(preflight.run({good})[0]);
    CHECK(children().empty());
    CHECK(preflight.run({good})[0]);
    const std::vector<pid_t> parent = children();
    REQUIRE(parent.size() == 1);
    CHECK(preflight.run({good})[0]);
    CHECK(children() == parent);

    kill(parent[0], SIGKILL);  // as by a system that is out of memory
    siginfo_t ended;
    REQUIRE(waitid(P_PID, static_cast<id_t>(parent[0]), &ended, WEXITED | WNOWAIT) == 0);
    CHECK(preflight.run({good})[0]);
    REQUIRE(children().size() == 1);
    CHECK(children() != parent);
  }
  CHECK(children().empty());
}

TEST_CASE("a trial that hangs is ended, and the next one is none the worse for it") {
  const PreflightFile good{module_path("sample"), "{}"};
  Preflight preflight(COLLET_TEST_PREFLIGHT, 3'000);  // enough for the one that does not
  for (int i = 0; i < 2; ++i) {
    const auto results = preflight.run({{module_path("hostile_create_hangs"), "{}"}, good});
    CHECK(results[0].message() == "in trial loading it did not finish within 3000 ms");
    CHECK(results[1]);
  }
}

TEST_CASE("what a file starts in its trial ends with that, also what has left it") {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that it would become a child of this process
  {
    Preflight preflight(COLLET_TEST_PREFLIGHT);
    for (int i = 0; i < 2; ++i) {
      const auto results = preflight.run({{module_path("hostile_create_leaves_a_process"), "{}"},
                                          {module_path("hostile_create_forks_and_crashes"), "{}"}});
      CHECK(results[0]);
      CHECK_FALSE(results[1]);
      CHECK(children().size() == (i == 0 ? 0 : 1));  // the parent of trials
    }
  }
  CHECK(children().empty());
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}
