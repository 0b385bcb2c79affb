#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "cli/input.h"
#include "cli/interruption.h"
#include "cli/reloader.h"
#include "cli/terminal_call.h"
#include "cli/verbs.h"

extern char** environ;

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCMake = "test -f build/CMakeCache.txt || cmake -B build; cmake --build build";

// Whether what the command says goes to stderr and its exit code is 0. SIGINT ends it as well as us.
bool run(const std::string& command, const std::string& folder) {
  const std::string line = "cd \"$0\" && { " + command + "\n}";
  const char* arguments[] = {"sh", "-c", line.c_str(), folder.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, "/bin/sh", &actions, nullptr, const_cast<char**>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    complain(fmt::format("cannot run the build command: {}", std::strerror(failed)));
    return false;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0;
}

// The folders that sources lie in: not hidden ones, and none that CMake builds in.
std::vector<std::string> source_folders(const std::string& root) {
  std::vector<std::string> folders{root};
  std::error_code failed;
  for (fs::recursive_directory_iterator at(root, failed), end; !failed && at != end; at.increment(failed)) {
    if (!at->is_directory()) continue;
    if (at->path().filename().string().starts_with('.') || fs::exists(at->path() / "CMakeCache.txt")) {
      at.disable_recursion_pending();
    } else {
      folders.push_back(at->path().string());
    }
  }
  return folders;
}

// Build, reload, call, and again.
class Workbench {
 public:
  Workbench(const DevOptions& options, Host& host, const config::Config& config, Output& out)
      : options_(options),
        host_(host),
        loop_(host.main_loop()),
        timeout_ms_(config.plugins.timeout_ms),
        out_(out),
        settle_(loop_),
        interruption_(loop_,
                      [this] {
                        interrupted_ = true;
                        loop_.stop();
                      }),
        reloader_(host, config, options.call.common.config_file,
                  [common = options.call.common] { return read_config(common); }) {}

  int work() {
    show();
    while (!interrupted_ && !out_.failed()) {
      wait_for_change();
      if (interrupted_ || !run(options_.build_command, options_.folder)) continue;
      reload();
      if (!interrupted_) show();
    }
    return kOk;
  }

 private:
  // Also for one that has come since the last call.
  void wait_for_change() {
    say("collet: waiting for a change in " + options_.folder);
    waiting_ = true;
    if (changed_) settle_.start(limits::kSettleMs, [this] { loop_.stop(); });
    loop_.run();
    waiting_ = changed_ = false;
    watches_ = watch();  // there may be new folders
  }

  std::vector<std::unique_ptr<loop::FolderWatch>> watch() {
    std::vector<std::unique_ptr<loop::FolderWatch>> watches;
    for (const std::string& folder : source_folders(options_.folder)) {
      auto opened = loop::FolderWatch::open(loop_, folder, [this](std::string_view) {
        changed_ = true;
        if (waiting_) settle_.start(limits::kSettleMs, [this] { loop_.stop(); });
      });
      if (opened) watches.push_back(std::move(*opened));
    }
    return watches;
  }

  void reload() {
    reloader_.reload_all([this](const ReloadOutcome&) { loop_.stop(); });
    loop_.run();
  }

  void show() {
    if (options_.call.tool.empty()) return;
    call_tool(host_,
              {.tool = options_.call.tool,
               .arguments = options_.call.arguments,
               .timeout_ms = timeout_ms_,
               .json = options_.call.common.json},
              out_);
  }

  const DevOptions& options_;
  Host& host_;
  loop::Loop& loop_;
  const std::uint64_t timeout_ms_;
  Output& out_;
  bool interrupted_ = false;
  bool waiting_ = false;
  bool changed_ = false;
  loop::Timer settle_;
  std::vector<std::unique_ptr<loop::FolderWatch>> watches_ = watch();
  const Interruption interruption_;
  Reloader reloader_;
};

}  // namespace

int dev(const DevOptions& given, int in, Output& out) {
  DevOptions options = given;
  std::error_code failed;
  options.folder = fs::canonical(given.folder, failed).string();
  if (failed) return complain(fmt::format("cannot look into {}: {}", given.folder, failed.message()));
  if (options.build_command.empty()) options.build_command = kCMake;
  auto config = options.call.common.config_file.empty()
                    ? Result<config::Config>(config::Config::defaults(fs::path(options.folder) / "build/plugins"))
                    : read_config(options.call.common);
  if (!config) return complain(config.message());
  auto arguments = read_arguments(given.call.arguments, in, config->server.limits.message_bytes_max);
  if (!arguments) return complain(arguments.message());
  options.call.arguments = *std::move(arguments);
  log::configure(config->log.level, config->log.format);
  if (!run(options.build_command, options.folder)) say("collet: the build has failed");
  Host host(*config, 1);
  host.load();
  return Workbench(options, host, *config, out).work();
}

}  // namespace collet::cli
