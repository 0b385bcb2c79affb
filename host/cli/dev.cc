#include <filesystem>
#include <optional>

#include "cli/input.h"
#include "cli/shell_command.h"
#include "cli/terminal_call.h"
#include "cli/verbs.h"
#include "service/interruption.h"
#include "service/reloader.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCMake = "test -f build/CMakeCache.txt || cmake -B build; cmake --build build";

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
  Workbench(const DevOptions& options, service::Host& host, const config::Config& config, Output& out)
      : options_(options),
        host_(host),
        loop_(host.main_loop()),
        config_(config),
        out_(out),
        settle_(loop_),
        interruption_(loop_,
                      [this] {
                        interrupted_ = true;
                        loop_.stop();
                      }) {}

  int work() {
    if (!build()) say("collet: the build has failed");
    if (interrupted_) return kOk;
    host_.load();
    reloader_.emplace(host_, config_, options_.call.common.config_file,
                      [common = options_.call.common] { return read_config(common); });
    show();
    while (!interrupted_ && !out_.failed()) {
      wait_for_change();
      if (interrupted_ || !build()) continue;
      reload();
      if (!interrupted_) show();
    }
    return kOk;
  }

 private:
  // What has been built when we are interrupted counts as little as what cannot be built.
  bool build() {
    const auto command = ShellCommand::start(loop_, options_.build_command, options_.folder, [this] { loop_.stop(); });
    if (!command) {
      complain(command.message());
      return false;
    }
    loop_.run();
    return !interrupted_ && (*command)->good();
  }

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
    reloader_->reload_all([this](const service::ReloadOutcome&) { loop_.stop(); }, plugin::ItemsMay::go);
    loop_.run();
  }

  void show() {
    if (options_.call.tool.empty()) return;
    make_call(host_,
              {.name = options_.call.tool,
               .arguments = options_.call.arguments,
               .timeout_ms = config_.plugins.timeout_ms,
               .form = {.json = options_.call.common.json, .file = {}}},
              out_);
  }

  const DevOptions& options_;
  service::Host& host_;
  loop::Loop& loop_;
  const config::Config& config_;
  Output& out_;
  bool interrupted_ = false;
  bool waiting_ = false;
  bool changed_ = false;
  loop::Timer settle_;
  std::vector<std::unique_ptr<loop::FolderWatch>> watches_ = watch();
  const service::Interruption interruption_;
  std::optional<service::Reloader> reloader_;
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
  config->plugins.debug = true;
  auto store = service::open_store(*config);
  if (!store) return complain(store.message());
  service::Host host(*config, 1, {}, *std::move(store));
  return Workbench(options, host, *config, out).work();
}

}  // namespace collet::cli
