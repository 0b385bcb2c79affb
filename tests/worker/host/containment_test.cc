// What a plugin does to its worker stays there.
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <thread>

#include "collet/kit/base64.hpp"
#include "plugin/house.h"
#include "support/catch.h"
#include "worker/host/worker_image.h"

using namespace collet;
using namespace collet::plugin;
namespace fs = std::filesystem;
using registry::CancelReason;
using registry::Ending;

namespace {

// Two plugins: "p" makes trouble, "good" is a bystander.
class Scene {
 public:
  explicit Scene(Permissions permissions = {}, worker::WorkerOptions options = {})
      : house(loader_options(options)) {
    std::vector<PluginSpec> specs(2);
    specs[0] = {.id = "p",
                .library = module_path("trouble"),
                .placement = Placement::worker,
                .permissions = std::move(permissions)};
    specs[1] = {.id = "good",
                .library = module_path("sample"),
                .rules = {.prefix = "good_"},
                .placement = Placement::worker};
    for (const LoadReport& report : house.loader.load(specs)) REQUIRE(report.error == "");
  }
  ~Scene() { CHECK(house.call_tool("good_echo", "\"well\"").content.find("well") != std::string::npos); }

  std::string text(const std::string& tool, std::string_view arguments = "{}") {
    const Ending ending = house.call_tool(tool, arguments);
    if (ending.how == Ending::How::failed) return ending.message;
    json::Document block;
    if (json::parse(ending.content, block)) return ending.content;
    return std::string(json::find_string(block, "text").value_or(""));
  }
  std::string condition() { return house.loader.status().at(0).condition; }
  // Calls until the plugin answers again.
  bool comes_back() {
    return becomes_true([&] { return text("echo", "\"back\"") == "\"back\""; });
  }
  pid_t process() {
    const auto deadline = Clock::now() + kPatience;
    while (Clock::now() < deadline) {
      if (const std::string words = condition(); words.starts_with("process ")) return std::stoi(words.substr(8));
      std::this_thread::yield();
    }
    throw std::runtime_error("the worker does not come back");
  }

  House house;

 private:
  static LoaderOptions loader_options(worker::WorkerOptions options) {
    LoaderOptions all = test_options();
    options.executable = COLLET_TEST_WORKER;
    all.make_worker = [options](WorkerOrder order) -> std::unique_ptr<Image> {
      return std::make_unique<worker::WorkerImage>(std::move(order), options);
    };
    return all;
  }
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("what ends a worker fails its calls with plugin and cause, and it comes back") {
  const std::pair<const char*, const char*> cases[] = {
      {"crash", "plugin p: its worker process crashed with SIGSEGV (Segmentation fault)"},
      {"abort", "plugin p: its worker process crashed with SIGABRT (Aborted)"},
      {"exit", "plugin p: its worker process ended with exit code 7"},
      {"scribble", "plugin p: its worker process was killed: it sent a frame that is larger than the limit"},
  };
  for (const auto& [tool, message] : cases) {
    Scene scene;
    Recorder bystander;
    scene.house.start_tool("hang", "{}", bystander);
    bystander.wait_notices(1);
    CHECK(scene.text(tool) == message);
    CHECK(bystander.wait_end().message == message);
    CHECK(bystander.ends() == 1);
    CHECK(scene.comes_back());
  }
}

TEST_CASE("a worker that closes its connection and goes on is killed") {
  Scene scene({}, {.exit_ms = 50});
  CHECK(scene.text("hang_up") == "plugin p: its worker process was killed: it closed its connection and went on");
  CHECK(scene.comes_back());
}

TEST_CASE("a worker whose descriptors are all closed ends, by itself or by its host") {
  Scene scene({}, {.exit_ms = 50});
  CHECK(scene.text("close_all").starts_with("plugin p: its worker process "));
  CHECK(scene.comes_back());
}

TEST_CASE("a call that does not end after its deadline is a hang: the worker is killed") {
  Scene scene({}, {.hang_ms = 50});
  Recorder recorder;
  const CallId id = scene.house.start_tool("hang", "{}", recorder);
  recorder.wait_notices(1);
  scene.house.cancel("hang", id, CancelReason::client);  // a client may leave; that is no reason
  Recorder overdue;
  const CallId other = scene.house.start_tool("hang", "{}", overdue);
  overdue.wait_notices(1);
  CHECK(scene.text("echo", "1") == "1");
  scene.house.cancel("hang", other, CancelReason::deadline);
  CHECK(overdue.wait_end().message ==
        "plugin p: its worker process was killed: a call has not ended 50 ms after its deadline");
  CHECK(recorder.wait_end().message == overdue.wait_end().message);
  CHECK(scene.comes_back());
}

TEST_CASE("how often a worker has been started again, and why, is seen") {
  Scene scene;
  const std::string cause = "its worker process crashed with SIGSEGV (Segmentation fault)";
  scene.text("crash");
  CHECK(scene.comes_back());
  CHECK(scene.condition().ends_with(", restarts: 1, the last because " + cause));
  CHECK(scene.house.loader.reload("p").ok());
  CHECK(scene.condition().find("restarts") == std::string::npos);
}

TEST_CASE("a worker that fails again and again is left alone, and says so, until it is reloaded") {
  Scene scene({}, {.restarts = {.backoff_ms = 1, .failures_max = 3}});
  for (unsigned i = 0; i < 2; ++i) {
    scene.text("crash");
    CHECK(scene.comes_back());
  }
  CHECK(scene.house.loader.count_missing() == 0);
  scene.text("crash");
  const auto deadline = Clock::now() + kPatience;
  while (!scene.condition().starts_with("in quarantine") && Clock::now() < deadline) std::this_thread::yield();
  CHECK(scene.condition() == "in quarantine: its worker process crashed with SIGSEGV (Segmentation fault)");
  CHECK(scene.text("echo").find("`collet reload p`") != std::string::npos);
  CHECK(scene.house.loader.count_missing() == 1);
  CHECK(scene.house.loader.reload("p").ok());
  CHECK(scene.house.loader.count_missing() == 0);
  CHECK(scene.text("echo", "1") == "1");
}

TEST_CASE("items that a worker had added are gone when it comes back, and can be added again") {
  Scene scene;
  CHECK(scene.text("churn") == "churned");
  CHECK(scene.text("more", "1") == "1");
  scene.text("crash");
  CHECK(scene.comes_back());
  CHECK_FALSE(scene.house.registry.current()->find(registry::Kind::tool, "more"));
  CHECK(scene.text("churn") == "churned");
  CHECK(scene.text("more", "2") == "2");
}

TEST_CASE("what clients watch is told to the process that takes the place of one that died") {
  Scene scene;
  scene.house.loader.watch("a://b", true);
  CHECK(scene.text("watched") == "a://b");
  scene.text("crash");
  CHECK(scene.comes_back());
  CHECK(scene.text("watched") == "a://b");
}

TEST_CASE("what a worker had to tell clients is gone with it") {
  Scene scene;
  const PluginSpec talker{.id = "talker",
                          .library = module_path("extended"),
                          .rules = {.prefix = "talker_"},
                          .placement = Placement::worker};
  REQUIRE(scene.house.loader.load({talker}).front().error == "");
  CHECK(scene.text("talker_instruct", R"({"later":1})") == "");
  CHECK(scene.house.loader.instructions(all_plugins) == R"({"later":1})");
  scene.text("talker_crash");
  CHECK(becomes_true([&] { return scene.house.loader.instructions(all_plugins) == "as created"; }));
}

TEST_CASE("a plugin that does not say how it is keeps nobody waiting for long") {
  Scene scene({}, {.status_ms = 50});
  CHECK(scene.house.loader.health("p").empty());
  CHECK(scene.text("echo", "1") == "1");
}

TEST_CASE("what a plugin prints does not reach the host's stdout, what it eats is its own") {
  Scene scene({.memory_bytes_max = 1u << 30, .files_max = 64});
  CHECK(scene.text("print") == "printed");
  CHECK(scene.text("eat_files") == "EMFILE");
  CHECK(Scene({.threads_max = 64}).text("threads") == "EAGAIN");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(scene.text("eat_memory") == "ENOMEM");
#endif
}

TEST_CASE("what is not granted is denied") {
  Scene scene;
  CHECK(scene.text("socket") == "EPERM");
  CHECK(scene.text("exec") == "EPERM");
  CHECK(scene.text("fork") == "EPERM");
  CHECK(scene.text("kill_parent") == "EPERM");
  CHECK(scene.text("open", R"({"path":"/etc/passwd"})") == "EACCES");
  CHECK(scene.text("environment") == "none");
  if (geteuid() == 0) CHECK(scene.text("user") == "other");
}

TEST_CASE("what is granted is allowed, and no more") {
  setenv("COLLET_TEST_VARIABLE", "seen", 1);
  Scene scene({.read = {"/etc/passwd"}, .network = true, .environment = {"COLLET_TEST_VARIABLE"}});
  CHECK(scene.text("socket") == "0");
  CHECK(scene.text("open", R"({"path":"/etc/passwd"})") == "0");
  CHECK(scene.text("open", R"({"path":"/etc/group"})") == "EACCES");
  CHECK(scene.text("environment") == "seen");
  CHECK(scene.text("exec") == "EPERM");
}

TEST_CASE("what is denied names the key that would allow it, also in the error of its call") {
  Scene scene({.files_max = 64});
  CHECK(scene.text("must_open", R"({"path":"/etc/shadow"})") ==
        "plugin p: call() returned COLLET_E_INVALID (-1) (plugin p: open(\"/etc/shadow\") for reading was denied: "
        "add \"/etc/shadow\" to plugin.p.permissions.read)");
  CHECK(scene.text("must_open", R"({"path":"/none"})") == "plugin p: call() returned COLLET_E_INVALID (-1)");
  CHECK(scene.text("must_open", R"({"path":"/dev/null"})") == "opened");
  CHECK(
      scene.text("must_make", R"({"path":"/etc/../etc/collet-test"})")
          .find(
              R"(open(\"/etc/collet-test\") for writing was denied: add \"/etc\" to plugin.p.permissions.write)") !=
      std::string::npos);
  scene.text("eat_files");
  CHECK(scene.text("must_open", R"({"path":"/dev/null"})").find("plugin.p.permissions.files_max = 64") !=
        std::string::npos);
}

std::string path_text(const std::string& path) { return fmt::format(R"({{"path":"{}"}})", path); }

// A system call by its number, with up to five arguments.
std::string call_text(long number, std::vector<long> arguments = {}) {
  std::string text = fmt::format("[{}", number);
  for (const long argument : arguments) text += fmt::format(",{}", argument);
  return text + "]";
}

TEST_CASE("a worker has no terminal, and can type into none") {
  Scene scene({.write = {"/dev"}});
  CHECK(scene.text("type") == "nothing");
}

TEST_CASE("a worker's system calls reach itself and no other process") {
  Scene scene({.network = true});
  const long host = getpid();
  const std::pair<const char*, std::string> cases[] = {
      {"prlimit64", call_text(SYS_prlimit64, {host, RLIMIT_CPU})},
      {"sched_setaffinity", call_text(SYS_sched_setaffinity, {host, 8})},
      {"sched_setscheduler", call_text(SYS_sched_setscheduler, {host, SCHED_IDLE})},
      {"sched_setattr", call_text(SYS_sched_setattr, {host})},
      {"setpriority of a process", call_text(SYS_setpriority, {PRIO_PROCESS, host, 19})},
      {"setpriority of a user", call_text(SYS_setpriority, {PRIO_USER, 0, 19})},
      {"ioprio_set", call_text(SYS_ioprio_set, {1, host, 3 << 13})},
      {"kill", call_text(SYS_kill, {host, 0})},
      {"kill of all", call_text(SYS_kill, {-1, 0})},
      {"tgkill", call_text(SYS_tgkill, {host, host, 0})},
      {"rt_sigqueueinfo", call_text(SYS_rt_sigqueueinfo, {host, 0})},
      {"whom a file signals", call_text(SYS_fcntl, {1, F_SETOWN, host})},
      {"what signal a file sends", call_text(SYS_fcntl, {1, F_SETSIG, SIGTERM})},
      {"pidfd_open", call_text(SYS_pidfd_open, {host, 0})},
      {"process_madvise", call_text(SYS_process_madvise, {0})},
      {"migrate_pages", call_text(SYS_migrate_pages, {host})},
      {"ptrace", call_text(SYS_ptrace, {16, host})},
      {"unshare", call_text(SYS_unshare, {CLONE_NEWUSER})},
      {"clone of namespaces", call_text(SYS_clone, {CLONE_NEWUSER | SIGCHLD})},
      {"mount_setattr", call_text(SYS_mount_setattr, {AT_FDCWD})},
      {"fspick", call_text(SYS_fspick, {AT_FDCWD})},
      {"fanotify_init", call_text(SYS_fanotify_init, {0})},
      {"adjtimex", call_text(SYS_adjtimex, {0})},
      {"syslog", call_text(SYS_syslog, {10})},
      {"personality", call_text(SYS_personality, {0})},
      {"memfd_create", call_text(SYS_memfd_create, {0})},
      {"shmget", call_text(SYS_shmget, {0, 4096, 01600})},
      {"mq_open", call_text(SYS_mq_open, {0})},
      {"a unix socket", call_text(SYS_socket, {AF_UNIX, SOCK_STREAM})},
      {"a number that there is not", call_text(4'000)},
      {"what dies with whom", call_text(SYS_prctl, {PR_SET_PDEATHSIG, 0})},
      {"whose children it adopts", call_text(SYS_prctl, {PR_SET_CHILD_SUBREAPER, 1})},
  };
  for (const auto& [what, arguments] : cases) {
    INFO(what);
    CHECK(scene.text("raw", arguments) == "EPERM");
  }
  CHECK(scene.text("raw", call_text(SYS_clone3)) == "ENOSYS");
  CHECK(scene.text("raw", call_text(SYS_prlimit64, {0, RLIMIT_NOFILE})) == "0");
  CHECK(scene.text("raw", call_text(SYS_kill, {getpid(), 0})) == "EPERM");
}

TEST_CASE("a worker that may run programs gets no namespaces for them, and signals none but its own") {
  Scene scene({.exec = true});
  CHECK(scene.text("raw", call_text(SYS_clone, {CLONE_NEWUSER | SIGCHLD})) == "EPERM");
  CHECK(scene.text("raw", call_text(SYS_kill, {getpid(), 0})) == "ESRCH");
}

TEST_CASE("the process that is named is the one that has the library, for who looks at it with a debugger") {
  Scene scene;
  std::ifstream maps(fmt::format("/proc/{}/maps", scene.process()));
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  CHECK(text.find("trouble.so") != text.npos);
}

TEST_CASE("what a worker has started ends with it") {
  Scene scene({.exec = true});
  const std::string seconds = fmt::format("86400.{}", getpid());
  const auto left = [&] {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "cmdline");
      const std::string line{std::istreambuf_iterator<char>(file), {}};
      count += line.starts_with("sleep") && line.find(seconds) != line.npos;
    }
    return count;
  };
  CHECK(scene.text("leave", path_text(seconds)) == "0");
  CHECK(becomes_true([&] { return left() == 1; }));
  scene.text("crash");
  CHECK(scene.comes_back());
  CHECK(becomes_true([&] { return left() == 0; }));
}

TEST_CASE("a worker sees what it is granted, as who owns it, and nothing else") {
  constexpr uid_t kOwner = 1234;
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-seen-{}", getpid());
  const auto at = [&](const char* name) { return path_text((folder / name).string()); };
  fs::create_directories(folder / "private/granted/kept");
  fs::create_directory_symlink("private/granted", folder / "link");
  std::ofstream(folder / "private/granted/file") << "text";
  std::ofstream(folder / "private/other") << "text";
  fs::permissions(folder / "private/granted", fs::perms(0700));
  fs::permissions(folder / "private/granted/file", fs::perms(0600));
  fs::permissions(folder / "private", fs::perms(0700));
  if (geteuid() == 0) {
    for (const char* name : {"private/granted", "private/granted/file", "private/granted/kept"}) {
      REQUIRE(chown((folder / name).c_str(), kOwner, kOwner) == 0);
    }
  }
  {
    Scene scene({.read = {(folder / "link/kept").string()}, .write = {(folder / "link").string()}});
    if (geteuid() == 0) CHECK(scene.text("user") == "other");
    CHECK(scene.text("open", at("link/file")) == "0");
    CHECK(scene.text("must_make", at("link/new")) == "made");
    CHECK(scene.text("must_make", at("private/granted/kept/new")) == "made");
    CHECK(scene.text("stat", at("link/file")) == "0");
    CHECK(scene.text("stat", at("private/other")) == "ENOENT");
    CHECK(scene.text("stat", path_text("/etc/passwd")) == "ENOENT");
    CHECK(scene.text("stat", path_text("/proc/self")) == "0");
    CHECK(scene.text("stat", path_text(fmt::format("/proc/{}", getpid()))) == "ENOENT");
  }
  if (geteuid() == 0) {  // of a file system that cannot have owners seen as others
    Scene scene({.read = {"/sys/kernel/mm", "/proc/cpuinfo"}});
    CHECK(scene.text("user") == "other");
    CHECK(scene.text("open", path_text("/sys/kernel/mm")) == "0");
    CHECK(scene.text("open", path_text("/proc/cpuinfo")) == "0");
  }
  if (geteuid() == 0) {  // of somebody else, in what is granted
    REQUIRE(chown((folder / "private/granted/file").c_str(), kOwner + 1, kOwner) == 0);
    Scene scene({.write = {(folder / "link").string()}});
    CHECK(scene.text("chmod", at("link/file")) == "EPERM");
    CHECK(scene.text("fchmod", at("link/file")) != "0");
    CHECK(scene.text("utime", at("link/file")) == "EPERM");
    CHECK(scene.text("open", at("link/file")) == "EACCES");
  }
  struct stat made;
  CHECK(stat((folder / "private/granted/new").c_str(), &made) == 0);
  CHECK(made.st_uid == (geteuid() == 0 ? kOwner : geteuid()));
  CHECK(made.st_gid == (geteuid() == 0 ? kOwner : getegid()));
  fs::remove_all(folder);
}

TEST_CASE("a link that leads out of what may be written can be taken away, and not followed") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-links-{}", getpid());
  fs::create_directory(folder);
  fs::create_symlink("/etc/passwd", folder / "out");
  {
    Scene scene({.write = {folder.string()}});
    CHECK(scene.text("open", path_text((folder / "out").string())) == "EACCES");
    CHECK(scene.text("unlink", path_text((folder / "out").string())) == "0");
    CHECK(scene.text("unlink", path_text("/etc/passwd")) == "EACCES");
  }
  CHECK_FALSE(fs::exists(fs::symlink_status(folder / "out")));
  fs::remove_all(folder);
}

TEST_CASE("a worker that may write where copies of plugins lie sees none but its own") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-copies-{}", getpid());
  fs::create_directory(folder);
  const char* const before = std::getenv("XDG_RUNTIME_DIR");
  const std::optional<std::string> kept = before ? std::optional<std::string>(before) : std::nullopt;
  setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  {
    Scene scene({.write = {folder.string()}});
    CHECK(scene.text("list", path_text(folder.string())) == "1");
    CHECK(scene.text("list", path_text((folder / "collet").string())) == "1");
    const std::string ours = fs::directory_iterator(folder / "collet")->path().string();
    CHECK(scene.text("list", path_text(ours)) == "1");
    CHECK(scene.text("must_make", path_text(ours + "/new")) == "cannot");
  }
  kept ? setenv("XDG_RUNTIME_DIR", kept->c_str(), 1) : unsetenv("XDG_RUNTIME_DIR");
  fs::remove_all(folder);
}

TEST_CASE("a worker that may read everything has the devices that all have") {
  Scene scene({.read = {"/"}});
  CHECK(scene.text("open", path_text("/dev/urandom")) == "0");
  CHECK(scene.text("open", path_text("/etc/passwd")) == "0");
  CHECK(scene.text("must_make", path_text("/etc/collet-test")) != "made");
}

TEST_CASE("where files may be written no device, pipe or socket can be made, and modes and times are changed there alone") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-walls-{}", getpid());
  fs::create_directories(folder / "granted");
  for (const char* name : {"granted/file", "other"}) std::ofstream(folder / name) << "text";
  {
    Scene scene({.read = {folder.string()}, .write = {(folder / "granted").string()}});
    const auto at = [&](const char* name) { return fmt::format(R"({{"path":"{}"}})", (folder / name).string()); };
    CHECK(scene.text("make", at("granted/odd")) == "EACCES");
    CHECK(scene.text("chmod", at("granted/file")) == "0");
    CHECK((fs::status(folder / "granted/file").permissions() & fs::perms::mask) == fs::perms(0755));
    fs::permissions(folder / "granted/file", fs::perms(0600));
    CHECK(scene.text("fchmod", at("granted/file")) == "0");
    CHECK((fs::status(folder / "granted/file").permissions() & fs::perms::mask) == fs::perms(0755));
    const auto changed = [&](const char* name) { return fs::last_write_time(folder / name); };
    for (const char* way : {"utime", "futime"}) {
      const auto other = changed("other");
      fs::last_write_time(folder / "granted/file", other);
      CHECK(scene.text(way, at("granted/file")) == "0");
      CHECK(changed("granted/file") < other);
      CHECK(scene.text(way, at("other")) == "EPERM");
      CHECK(changed("other") == other);
    }
    // Which every worker may write, and is nobody's to change.
    CHECK(scene.text("utime", R"({"path":"/dev/null"})") == "EPERM");
    CHECK(scene.text("futime", R"({"path":"/dev/null"})") == "EPERM");
    const fs::perms before = fs::status(folder / "other").permissions();
    CHECK(scene.text("chmod", at("other")) == "EPERM");
    CHECK(scene.text("fchmod", at("other")) == "EPERM");
    CHECK(scene.text("fchmod", R"({"path":"/usr/lib/os-release"})") == "EPERM");
    CHECK(fs::status(folder / "other").permissions() == before);
  }
  {
    Scene reader({.read = {folder.string()}});
    CHECK(reader.text("chmod", fmt::format(R"({{"path":"{}"}})", (folder / "other").string())) == "EPERM");
  }
  fs::remove_all(folder);
}

TEST_CASE("a worker has no rights over the system, though its host be root and grant it files") {
  for (const bool granted : {false, true}) {
    Permissions permissions;
    if (granted) permissions.write = {"/tmp"};
    Scene scene(permissions);
    const std::string rights = scene.text("rights");
    for (const char* set : {"CapInh", "CapEff", "CapPrm", "CapBnd", "CapAmb"}) {
      CHECK(rights.find(fmt::format("{}:\t0000000000000000", set)) != std::string::npos);
    }
  }
}

TEST_CASE("a worker connects to the hosts that it is granted, and to no others") {
  const Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listener.get(), 8) == 0);
  REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const unsigned port = ntohs(address.sin_port);
  const auto to = [](unsigned where) { return fmt::format(R"({{"port":{}}})", where); };
  {
    Scene scene({.hosts = {fmt::format("localhost:{}", port)}});
    CHECK(scene.text("connect", to(port)) == "0");
    CHECK(scene.text("connect", to(port)) == "0");
    CHECK(scene.text("connect", to(port == 1 ? 2 : 1)) == "EACCES");
    CHECK(scene.text("datagram") == "EPERM");
  }
  Scene closed;
  CHECK(closed.text("connect", to(port)) == "EPERM");
}

TEST_CASE("a worker connects to the sockets of this machine that it is granted, and to no others") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-sockets-{}", getpid());
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms(0700));
  const auto listen_at = [](const std::string& name) {
    Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + (name.front() == '/' ? 0 : 1), sizeof address.sun_path - 2);
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener.get(), 8) == 0);
    return listener;
  };
  const std::string granted = (folder / "granted").string();
  const std::string other = (folder / "other").string();
  const std::string fileless = fmt::format("collet-{}", getpid());
  const Descriptor listener = listen_at(granted);
  const Descriptor others = listen_at(other);
  const Descriptor without = listen_at(fileless);
  std::thread greeter([&] {
    for (int accepted = 0; accepted < 2; ++accepted) {
      const Descriptor client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      static_cast<void>(!write(client.get(), "hello", 5));
    }
  });
  for (const bool network : {false, true}) {
    INFO(network);
    const std::string later = (folder / fmt::format("later-{}", network)).string();
    Scene scene({.network = network, .unix_sockets = {granted, "/none", later}});
    fs::create_symlink(other, later);
    CHECK(scene.text("connect_unix", path_text(later)) == "ELOOP");  // what was granted is not what is there now
    CHECK(scene.text("raw", call_text(SYS_socketpair, {AF_UNIX, SOCK_DGRAM})) == "EPERM");
    CHECK(scene.text("connect_unix", path_text(granted)) == "0");
    CHECK(scene.text("connect_unix", path_text(other)) == "EACCES");
    CHECK(scene.text("connect_unix", path_text("/none")) == "ENOENT");
    CHECK(scene.text("connect_unix", path_text(fileless)) == "EACCES");
    CHECK(scene.text("raw", call_text(SYS_socket, {AF_UNIX, SOCK_DGRAM})) == "EPERM");
  }
  shutdown(listener.get(), SHUT_RDWR);  // should nobody have come
  greeter.join();
  CHECK(Scene().text("connect_unix", path_text(granted)) == "EPERM");
  fs::remove_all(folder);
}

TEST_CASE("a worker waits for a granted socket where as many wait as may") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-full-{}", getpid());
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms(0700));
  const std::string file = (folder / "socket").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  file.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  const Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(bind(listener.get(), name, sizeof address) == 0);
  REQUIRE(listen(listener.get(), 0) == 0);
  const Descriptor first(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  REQUIRE(connect(first.get(), name, sizeof address) == 0);
  const Descriptor second(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  REQUIRE((connect(second.get(), name, sizeof address) < 0 && errno == EAGAIN));
  {
    Scene scene({.unix_sockets = {file}});
    Recorder waiting;
    scene.house.start_tool("connect_unix", path_text(file), waiting);
    for (int i = 0; i < 20; ++i) CHECK(scene.text("echo", "\"there\"") == "\"there\"");  // its guard has others to answer
    CHECK(waiting.ends() == 0);
    std::thread greeter([&] {
      for (int accepted = 0; accepted < 2; ++accepted) {
        const Descriptor client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        static_cast<void>(!write(client.get(), "hello", 5));
      }
    });
    CHECK(waiting.wait_end().content.find("\"0\"") != std::string::npos);
    shutdown(listener.get(), SHUT_RDWR);  // should nobody have come
    greeter.join();
  }
  fs::remove_all(folder);
}

TEST_CASE("a file that a worker writes is bounded") {
  const fs::path file = fs::temp_directory_path() / fmt::format("collet-file-{}", getpid());
  std::ofstream(file) << "text";
  Permissions permissions;
  permissions.write = {file.string()};
  permissions.file_bytes_max = 1 << 20;
  {
    Scene scene(permissions);
    CHECK(scene.text("grow", fmt::format(R"({{"path":"{}"}})", file.string())) == "EFBIG");
  }
  CHECK(fs::file_size(file) == 1 << 20);
  fs::remove(file);
}

TEST_CASE("a worker that fills the disk is ended, whatever it fills it with, and the cause names the key") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-disk-{}", getpid());
  for (const std::string way : {"fill", "fill_unnamed", "fill_mapped", "fill_empty"}) {
    if (way == "fill_mapped" && geteuid() != 0) continue;  // the kernel shows it to root alone
    INFO(way);
    fs::create_directory(folder);
    std::ofstream(folder / "before") << std::string(8 << 20, 'x');  // which is nobody's fault
    {
      Scene scene({.write = {folder.string()}, .disk_bytes_max = 4 << 20});
      Recorder lasting;
      scene.house.start_tool("hang", "{}", lasting);
      lasting.wait_notices(1);
      for (unsigned i = 0; i < 6; ++i) scene.text(way, path_text(folder / std::to_string(i)));
      const std::string cause = lasting.wait_end().message;
      CHECK(cause.find("what it may write takes over 4194304 bytes more than at its start "
                       "(plugin.p.permissions.disk_bytes_max = 4194304)") != std::string::npos);
      for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename() != "before") fs::remove(entry.path());
      }
      CHECK(scene.comes_back());
    }
    fs::remove_all(folder);
  }
}

TEST_CASE("what a worker writes is counted however deep it lies, and a deep folder alone is nobody's end") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-deep-{}", getpid());
  fs::create_directory(folder);
  {
    Scene scene({.write = {folder.string()}, .disk_bytes_max = 4 << 20});
    Recorder lasting;
    scene.house.start_tool("hang", "{}", lasting);
    lasting.wait_notices(1);
    fs::path deep = folder;
    for (unsigned i = 0; i < 100; ++i) {
      deep /= "d";
      fs::create_directory(deep);
      fs::create_directory(deep.parent_path() / "beside");
    }
    CHECK(lasting.ends() == 0);
    std::ofstream(deep.parent_path() / "file") << std::string(8 << 20, 'x');
    CHECK(lasting.wait_end().message.find("what it may write takes over 4194304 bytes more") != std::string::npos);
    fs::remove_all(folder / "d");
    CHECK(scene.comes_back());
  }
  fs::remove_all(folder);
}

TEST_CASE("a worker that has used its time is ended, and the cause names the key") {
  Scene scene({.cpu_seconds_max = 1});
  const std::string cause = scene.text("burn");
  CHECK(cause.find("SIGXCPU") != std::string::npos);
  CHECK(cause.find("plugin.p.permissions.cpu_seconds_max = 1") != std::string::npos);
  CHECK(scene.comes_back());
}

TEST_CASE("blobs of any size arrive whole, through shared memory or beside it") {
  Scene scene;
  constexpr std::size_t kEdge = limits::kWorkerArenaBlobBytesMin;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kEdge - 1, kEdge, kEdge + 1, std::size_t{16} << 20}) {
    for (unsigned again = 0; again < 2; ++again) {
      const Ending ending = scene.house.call_tool("blob", fmt::format(R"({{"size":{}}})", size));
      REQUIRE(ending.how == Ending::How::completed);
      std::string wanted;
      kit::append_base64(wanted, std::string(size, 'b'));
      CHECK(ending.content == R"({"type":"image","mimeType":"image/png","data":")" + wanted + "\"}");
    }
  }
}

TEST_CASE("killed at any moment under load, a worker's calls are answered once each and nothing is left") {
  Scene scene({}, {.restarts = {.backoff_ms_max = 1, .failures_max = 1'000'000}});
  REQUIRE(scene.comes_back());
  const std::size_t before = open_descriptors();
  std::mt19937 random(7);
  std::size_t answered = 0;
  std::size_t failed = 0;
  for (unsigned round = 0; round < 100; ++round) {
    std::vector<std::unique_ptr<Recorder>> recorders;
    const pid_t victim = scene.process();
    const unsigned moment = random() % 64;
    for (unsigned i = 0; i < 64; ++i) {
      if (i == moment) ::kill(victim, SIGKILL);
      scene.house.start_tool("echo", "1", *recorders.emplace_back(std::make_unique<Recorder>()), i % 2);
    }
    for (const auto& recorder : recorders) {
      const Ending ending = recorder->wait_end();
      ending.how == Ending::How::completed ? ++answered : ++failed;
      if (ending.how == Ending::How::failed) CHECK(ending.message.starts_with("plugin p: "));
    }
    for (const auto& recorder : recorders) CHECK(recorder->ends() == 1);
  }
  CHECK(answered > 0);
  CHECK(failed > 0);
  REQUIRE(scene.comes_back());
  CHECK(open_descriptors() == before);
}
