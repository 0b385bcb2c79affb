// Replaces plugins while the server runs. What asks for it, signals, files that change, the admin socket, plugins
// that fail in their probation, comes from anywhere; the work is done on one thread of its own, one thing after
// another.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plugin/run/thread.h"
#include "service/file_watch.h"
#include "service/host.h"

namespace collet::service {

// What came of it.
struct ReloadOutcome {
  std::string error;  // of the configuration: nothing was touched
  std::vector<plugin::LoadReport> reports;
  bool ok() const;
};

class Reloader {
 public:
  // Reads the configuration as it was read at the start, with all checks.
  using ReadConfig = std::function<Result<config::Config>()>;

  // Main thread, before the loops run. The host has loaded `config`; `file` is where that came from, or empty.
  Reloader(Host& host, config::Config config, std::string file, ReadConfig read_config);
  // After the loops have ended. What is under way is given a moment; if that is not enough the process ends here.
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Before the loops run: what else is to be read anew when somebody asks for it; a failure is told in the log.
  void also(std::function<Result<void>()> renew) { renew_ = std::move(renew); }

  // All of these: any thread. `done` is called on the thread that does the work.
  using Done = Callback<void(const ReloadOutcome& outcome)>;
  // Takes over the configuration and every file that has changed, and tries again what has failed.
  void reload_all(Done done, plugin::ItemsMay items_may = plugin::ItemsMay::not_go);
  // Replaces one plugin, changed or not.
  void reload(std::string plugin, Done done, plugin::ItemsMay items_may = plugin::ItemsMay::not_go);
  // Files have changed, nobody knows which.
  void note_files();

 private:
  ReloadOutcome take_over(bool asked, plugin::ItemsMay items_may = plugin::ItemsMay::not_go);
  Result<void> read_anew(bool asked);
  void roll_back(const std::string& plugin, std::uint64_t generation);
  struct Watched {
    std::set<std::string> folders;
    std::set<std::string> files;
  };
  Watched watched() const;
  void tell(const ReloadOutcome& outcome);
  void try_again_later();

  Host& host_;
  const std::string file_;
  const ReadConfig read_config_;
  std::function<Result<void>()> renew_;
  // The three below belong to the thread that does the work.
  config::Config config_;
  plugin::FileStamp config_stamp_;
  std::vector<plugin::PluginSpec> specs_;
  std::optional<FileWatch> watch_;  // main loop
  loop::Timer again_;               // main loop
  plugin::ControlThread work_;
};

}  // namespace collet::service
