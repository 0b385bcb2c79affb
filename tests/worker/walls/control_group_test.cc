// Where this machine has cgroup v2 that may be divided; else it says so and goes on.
#include "worker/walls/control_group.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "plugin/house.h"
#include "support/catch.h"
#include "support/contents.h"
#include "worker/host/worker_image.h"

using namespace collet;
using test::contents;
using namespace collet::plugin;
namespace fs = std::filesystem;

namespace {

// A group of this test's own, in which it may make others.
class Divided {
 public:
  Divided() {
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      if (!folder.empty() || contents(fs::path(mount) / "cgroup.controllers").find("pids") == std::string::npos) continue;
      const bool had_pids = contents(fs::path(mount) / "cgroup.subtree_control").find("pids") != std::string::npos;
      if (!had_pids) restored = fs::path(mount) / "cgroup.subtree_control";
      if (!had_pids) std::ofstream(restored) << "+pids";
      const fs::path made = fs::path(mount) / ("collet-test-" + std::to_string(getpid()));
      if (mkdir(made.c_str(), 0755) != 0) continue;
      folder = made;
      if (contents(folder / "cgroup.type") == "domain\n" && contents(folder / "cgroup.controllers").find("pids") != std::string::npos)
        continue;
      CHECK(rmdir(folder.c_str()) == 0);
      folder.clear();
    }
    if (folder.empty()) std::cout << "control groups: not tested, as there is no cgroup v2 with pids to divide\n";
  }
  ~Divided() {
    if (!folder.empty()) CHECK(rmdir(folder.c_str()) == 0);
    if (!restored.empty()) std::ofstream(restored) << "-pids";
  }
  Divided(const Divided&) = delete;
  Divided& operator=(const Divided&) = delete;

  std::unique_ptr<worker::ControlGroups> groups() const {
    auto made = worker::ControlGroups::below(folder);
    REQUIRE(made);
    return std::move(*made);
  }
  std::vector<fs::path> made() const {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) folders.push_back(entry);
    }
    return folders;
  }
  std::size_t count() const { return made().size(); }

  fs::path folder;    // empty: there can be none
  fs::path restored;  // of the machine's first group, which is left as it was
};

// A child that does this once it is told to, and ends with that exit code.
struct Told {
  explicit Told(const std::function<int()>& what) {
    REQUIRE(pipe(ends) == 0);
    process = fork();
    if (process == 0) {
      close(ends[1]);
      char word;
      if (read(ends[0], &word, 1) != 1) _exit(99);
      _exit(what());
    }
  }
  int go_on() {
    REQUIRE(write(ends[1], "g", 1) == 1);
    return end();
  }
  int end() {
    int status = 0;
    REQUIRE(waitpid(process, &status, 0) == process);
    close(ends[0]);
    close(ends[1]);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  int ends[2];
  pid_t process;
};

// Starts processes until there can be no other. By the kernel's own fork: a sanitizer's adds a thread to each.
void fork_on() {
  for (int forks = 0; forks < 90; ++forks) {
    const long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0);
    if (child < 0) return;
    if (child == 0) {
      for (;;) syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
    }
  }
}

}  // namespace

TEST_CASE("what is no control group is divided by nobody") {
  CHECK(worker::ControlGroups::below("/tmp").message() == "/tmp is no folder of cgroup v2");
}

TEST_CASE("a control group counts the processes of all that a process starts, and ends them") {
  const Divided divided;
  if (divided.folder.empty()) return;
  const auto groups = divided.groups();
  Permissions may;
  may.threads_max = 10;
  {
    auto group = groups->make(may);
    REQUIRE(group);
    CHECK(group->limits_threads());
    Told child([&] {
      fork_on();
      return std::stoi(contents(divided.made().at(0) / "pids.current"));
    });
    REQUIRE(group->add(child.process));
    CHECK(child.go_on() == 12);  // those who wait for a worker may be there besides
    CHECK(divided.count() == 1);
  }
  CHECK(divided.count() == 0);
}

TEST_CASE("what a dead host has left is ended and removed by the next one, and what a living one has is not") {
  const Divided divided;
  if (divided.folder.empty()) return;
  Told left([] { return 0; });  // a process that outlives its host
  Told host([&] {
    auto group = divided.groups()->make({});
    if (!group || !group->add(left.process)) return 1;
    kill(getpid(), SIGKILL);
    return 2;
  });
  CHECK(host.go_on() == -SIGKILL);
  CHECK(divided.count() == 1);
  const auto ours = divided.groups();  // which is the next one
  CHECK(divided.count() == 0);
  CHECK(left.end() == -SIGKILL);
  const auto group = ours->make({});
  REQUIRE(group);
  divided.groups();  // another one
  CHECK(divided.count() == 1);
}

TEST_CASE("a host alone in its group moves on, and divides it") {
  const Divided divided;
  if (divided.folder.empty()) return;
  Told host([&] {
    const auto groups = worker::ControlGroups::below(divided.folder);
    if (!groups || !(*groups)->make({})) return 1;
    return contents("/proc/self/cgroup").find("/host\n") == std::string::npos ? 2 : 0;
  });
  std::ofstream(divided.folder / "cgroup.procs") << host.process;
  CHECK(host.go_on() == 0);
  CHECK(rmdir((divided.folder / "host").c_str()) == 0);
}

TEST_CASE("a host that is not alone in its group stays where it is") {
  const Divided divided;
  if (divided.folder.empty()) return;
  Told other([] { return 0; });
  Told host([&] {
    const auto groups = worker::ControlGroups::below(divided.folder);
    return groups.message().ends_with("this process is not alone in it") ? 0 : 1;
  });
  for (const pid_t process : {other.process, host.process}) {
    std::ofstream procs(divided.folder / "cgroup.procs");
    procs << process;
  }
  CHECK(host.go_on() == 0);
  CHECK(other.go_on() == 0);
  CHECK(divided.count() == 0);
}

TEST_CASE("a worker lives in a control group, which goes with it") {
  const Divided divided;
  if (divided.folder.empty()) return;
  worker::WorkerOptions options;
  options.executable = COLLET_TEST_WORKER;
  options.groups = divided.groups();
  LoaderOptions of_loader = test_options();
  of_loader.make_worker = [&](WorkerOrder order) -> std::unique_ptr<Image> {
    return std::make_unique<worker::WorkerImage>(std::move(order), options);
  };
  {
    House house(std::move(of_loader));
    std::vector<PluginSpec> specs(1);
    specs[0] = {.id = "p", .library = module_path("sample"), .placement = Placement::worker};
    REQUIRE(house.loader.load(specs).at(0).error == "");
    const std::string words = house.loader.status().at(0).condition;
    REQUIRE(words.starts_with("process "));
    const std::string of_worker = contents("/proc/" + words.substr(8) + "/cgroup");
    CHECK_THAT(of_worker, Catch::Contains("0::/" + divided.folder.filename().string() + "/worker-"));
    CHECK(divided.count() == 1);
  }
  CHECK(divided.count() == 0);
}
