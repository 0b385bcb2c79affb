#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "cli/input.h"
#include "cli/remote_tables.h"
#include "cli/setup_clients.h"
#include "cli/setup_lock.h"
#include "cli/setup_record.h"
#include "cli/trial_call.h"
#include "cli/verbs.h"
#include "foreign/file.h"
#include "foreign/remote_set.h"
#include "service/program.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;
using foreign::Remote;

std::string default_config_file() {
  const auto environment = [](const char* name) { return std::getenv(name) ? std::getenv(name) : ""; };
  const fs::path folder = environment("XDG_CONFIG_HOME");
  return ((folder.empty() ? fs::path(environment("HOME")) / ".config" : folder) / "collet/collet.toml").string();
}

std::string names_of(const std::vector<FoundClient>& clients) {
  std::string names;
  for (const FoundClient& each : clients) names.append(names.empty() ? "" : ",").append(each.client->name);
  return names;
}

std::string without_blank_lines(const std::string& text) {
  const std::size_t begin = text.find_first_not_of('\n');
  return text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

class Setup {
 public:
  Setup(const SetupOptions& options, int in, Output& out) : options_(options), in_(in), out_(out) {
    const std::string file =
        options.common.config_file.empty() ? default_config_file() : options.common.config_file;
    config_file_ = foreign::real_path(file).string();
    endpoint_ = {options.name, "", false, service::program_file(), {"stdio", "--config", config_file_}};
  }

  int run() {
    if (options_.rollback) {
      if (!options_.from.empty() || !options_.into.empty() || !options_.workspace.empty() || !options_.tool.empty())
        return complain("--rollback takes back all that was written: it goes with none of --from, --into, "
                        "--workspace and --call");
      return roll_back(record_, options_.dry_run);
    }
    std::error_code failure;
    if (!options_.workspace.empty() && !fs::is_directory(options_.workspace, failure))
      return complain(fmt::format("--workspace: {} is no folder", options_.workspace));
    const auto arguments = read_arguments(options_.arguments, in_, limits::kMessageBytesMax);
    if (!arguments) return complain(arguments.message());
    arguments_ = *arguments;
    std::unique_ptr<SetupLock> lock;
    if (!options_.dry_run) {
      auto taken = SetupLock::take(record_.lock_file());
      if (!taken) return complain(taken.message());
      lock = *std::move(taken);
      auto steps = record_.settle();
      if (!steps) return complain(steps.message());
      steps_ = *std::move(steps);
    }
    auto target = open_target(config_file_);
    if (!target) return complain(target.message());
    target_ = *std::move(target);
    clients_ = find_clients(options_.workspace);
    show_clients();
    if (auto chosen = choose(); !chosen) return complain(chosen.message());
    if (auto planned = plan(); !planned) return complain(planned.message());
    show_plan();
    if (options_.dry_run) {
      say("Nothing is written: that is what --dry-run is for.");
      return exit_code_;
    }
    if (!config_text_.empty() || !entries_.empty()) {
      if (auto yes = consent(); !yes) return complain(yes.message());
      if (auto written = write(); !written) return complain(written.message());
    }
    const int called = trial_call({.words = words(),
                                   .tool = options_.tool,
                                   .arguments = arguments_,
                                   .deadline_ms = options_.common.timeout_ms},
                                  out_);
    return called == kOk ? exit_code_ : called;
  }

 private:
  struct Entry {
    const foreign::Client* client;
    PlannedEntry planned;
  };

  std::vector<std::string> words() const {
    std::vector<std::string> all = {endpoint_.command};
    all.insert(all.end(), endpoint_.args.begin(), endpoint_.args.end());
    return all;
  }

  void show_clients() const {
    if (clients_.empty()) say("No configuration of an MCP client was found here.");
    for (const FoundClient& client : clients_) {
      for (const ClientFile& file : client.files) {
        tell(fmt::format("{:<14} {}  {}", client.client->name, file.file, summary(file)));
      }
    }
  }

  std::string summary(const ClientFile& file) const {
    if (!file.findings) return file.findings.message();
    std::string servers;
    bool has_collet = false;
    for (const Remote& remote : file.findings->remotes) {
      const bool is_own = is_self(target_, remote);
      has_collet = has_collet || is_own;
      if (!is_own) servers += (servers.empty() ? "" : ", ") + remote.name;
    }
    if (servers.empty()) servers = "no servers";
    return servers + (has_collet ? "; Collet is in it" : "");
  }

  // From which clients servers are taken, and into which Collet is put.
  Result<void> choose() {
    const bool asks = isatty(in_) && !options_.dry_run;
    if (!asks && !options_.dry_run && (options_.from.empty() || options_.into.empty()))
      return error("say --from and --into (CLIENTS, all or none), or run this on a terminal");
    const std::string all = names_of(clients_);
    auto from = chosen(options_.from, asks, "Take over the servers of which", all);
    if (!from) return from.failure();
    auto into = chosen(options_.into, asks, "Put Collet into which", all);
    if (!into) return into.failure();
    from_ = *std::move(from);
    into_ = *std::move(into);
    return {};
  }

  Result<std::set<std::string>> chosen(std::string given, bool asks, std::string_view question,
                                       const std::string& all) {
    if (given.empty() && asks) {
      tell(fmt::format("{}? [{}; all or none; Enter for all]", question, all.empty() ? "none found" : all));
      given = read_line(in_);
    }
    std::replace(given.begin(), given.end(), ' ', ',');
    std::set<std::string> names;
    std::istringstream words(given.empty() || given == "all" ? all : given);
    for (std::string name; std::getline(words, name, ',');) {
      if (name.empty() || name == "none") continue;
      if (!foreign::find_client(name))
        return error("there is no client {}; known: {}", name, foreign::known_clients());
      names.insert(name);
    }
    return names;
  }

  Result<void> plan() {
    if (auto planned = plan_config(); !planned) return planned;
    for (const foreign::Client& client : foreign::clients()) {
      if (!into_.count(std::string(client.name))) continue;
      auto planned = plan_entry(client, endpoint_, target_);
      if (!planned) {
        complain(planned.message());
        exit_code_ = kPartly;
      } else if (*planned) {
        entries_.push_back({&client, **std::move(planned)});
      } else {
        say(fmt::format("{} has Collet already.", client.name));
      }
    }
    return {};
  }

  // What is to stand in Collet's own configuration.
  Result<void> plan_config() {
    remotes_ = collect();
    if (!drop_known(target_, remotes_)) exit_code_ = kPartly;
    is_new_ = target_.text.empty();
    config_size_ = target_.text.size();
    if (is_new_)
      target_.text =
          fmt::format("[plugins]\npaths = [{}]\n", config::toml_string(service::default_plugin_folder().string()));
    if (remotes_.empty()) {
      if (is_new_) config_text_ = target_.text;
      return {};
    }
    auto added = addition(target_, remotes_);
    if (!added) return added.failure();
    config_text_ = (is_new_ ? target_.text : "") + *added;
    return {};
  }

  std::vector<Remote> collect() {
    foreign::RemoteSet found;
    for (const FoundClient& client : clients_) {
      if (!from_.count(std::string(client.client->name))) continue;
      for (const ClientFile& file : client.files) {
        if (!file.findings) {
          exit_code_ = kPartly;
          continue;
        }
        report(file.file, *file.findings);
        if (!file.findings->left_out.empty()) exit_code_ = kPartly;
        std::vector<Remote> remotes = file.findings->remotes;
        drop_self(target_, file.file, remotes);
        for (const Remote& remote : remotes) {
          const auto added = found.add(remote, client.client->name);
          if (added && *added != remote.name)
            tell(foreign::at(file.file,
                             {remote.at, fmt::format("note: {}: is now {}, as another server is called so",
                                                     remote.name, *added)}));
        }
      }
    }
    return std::move(found.remotes());
  }

  void show_plan() {
    if (!config_text_.empty()) {
      tell(fmt::format("{} {}:", is_new_ ? "To be made:" : "To be added to", config_file_));
      show(remotes_);
      if (remotes_.empty()) say("every plugin that came with Collet, and no remote");
    }
    for (const Entry& entry : entries_) {
      const std::string file = entry.planned.change.file.string();
      std::error_code failure;
      tell(fmt::format("{} {} ({}):", fs::exists(file, failure) ? "To be added to" : "To be made:", file,
                       entry.client->name));
      say(without_blank_lines(entry.planned.change.inserted));
    }
    if (config_text_.empty() && entries_.empty()) say("There is nothing to write.");
  }

  Result<void> consent() const {
    if (options_.yes) return {};
    if (!isatty(in_))
      return error("nothing is written: there is no terminal to ask on; say --yes if all of that may be");
    tell("Shall that be written, so that Collet runs and connects to all of that? [y/N]");
    const std::string answer = read_line(in_);
    if (answer == "y" || answer == "Y" || answer == "yes") return {};
    return error("nothing is written");
  }

  Result<void> write() {
    if (!config_text_.empty()) {
      const foreign::Check check = [this](const fs::path& draft) -> Result<void> {
        auto loaded = config::load(draft.string());
        if (!loaded) return error("{} would not be right then: {}", config_file_, loaded.message());
        return {};
      };
      auto done = write_step("", {config_file_, {}, config_size_, config_text_, {}}, check);
      if (!done) return done.failure();
      if (*done) return error("nothing is written: {}", (*done)->message);
    }
    for (Entry& entry : entries_) {
      auto done = write_step(std::string(entry.client->name), entry.planned.change, entry.planned.check);
      if (!done) return done.failure();
      if (!*done) continue;
      complain((*done)->message);
      exit_code_ = kPartly;
    }
    warn_of_readers(config_file_, remotes_);
    const auto is_both = [this](const std::string& client) { return into_.count(client) > 0; };
    if (!remotes_.empty() && std::any_of(from_.begin(), from_.end(), is_both))
      say("What Collet has taken over is still in the files of the clients, too: take it out there to have it "
          "once.");
    say("`collet setup --rollback` takes it back.");
    return {};
  }

  // Why it was not made, if so. Fails if it cannot be recorded, so that it could not be taken back: no more may be
  // written then.
  Result<std::optional<Error>> write_step(std::string client, foreign::FileChange change,
                                          const foreign::Check& check) {
    if (auto prepared = foreign::prepare(change); !prepared) return std::optional(prepared.failure());
    steps_.push_back({std::move(client), change, true});
    if (auto recorded = record_.write(steps_); !recorded)
      return error("{} is not changed, since that could not be taken back: {}", change.file.string(),
                   recorded.message());
    if (auto applied = foreign::apply(change, check); !applied) {
      steps_.pop_back();
      if (auto recorded = record_.write(steps_); !recorded) return recorded.failure();
      return std::optional(applied.failure());
    }
    tell(change.backup.empty() ? fmt::format("made {}", change.file.string())
                               : fmt::format("changed {}; it is kept as {}", change.file.string(),
                                             change.backup.filename().string()));
    steps_.back() = {std::move(steps_.back().client), std::move(change), false};
    if (auto recorded = record_.write(steps_); !recorded) return recorded.failure();
    return std::optional<Error>();
  }

  const SetupOptions& options_;
  const int in_;
  Output& out_;
  std::string arguments_;
  std::string config_file_;
  foreign::Endpoint endpoint_;
  const SetupRecord record_;
  std::vector<SetupStep> steps_;
  Target target_;  // what config_file_ has
  std::vector<FoundClient> clients_;
  std::set<std::string> from_, into_;
  std::vector<Remote> remotes_;
  std::string config_text_;  // to be added to the end of config_file_
  std::uint64_t config_size_ = 0;
  bool is_new_ = false;
  std::vector<Entry> entries_;
  int exit_code_ = kOk;
};

}  // namespace

int setup(const SetupOptions& options, int in, Output& out) { return Setup(options, in, out).run(); }

}  // namespace collet::cli
