#include "cli/host.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/display.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/interruption.h"
#include "cli/plugin_specs.h"
#include "cli/while_loading.h"
#include "config/config.h"
#include "config/header_name.h"
#include "loop/standard_streams.h"
#include "worker/host/worker_image.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

void append_text(std::string& json, std::string_view name, std::string_view value) {
  if (json.back() != '{') json += ',';
  text::append_json_string(json, name);
  json += ':';
  text::append_json_string(json, value);
}

std::string name_of(const std::string& header) { return header.substr(0, header.find(':')); }

// {"Authorization":"Bearer …"}
std::string headers_of(const CommonOptions& options) {
  std::string json = "{";
  if (!options.token.empty()) append_text(json, "Authorization", "Bearer " + options.token);
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    const std::size_t value = header.find_first_not_of(" \t", colon + 1);
    append_text(json, name_of(header), value == std::string::npos ? "" : header.substr(value));
  }
  return json + '}';
}

// The first variable that ${env:NAME} in there wants and that is not set; empty if there is none.
std::string unset_variable(std::string_view text) {
  constexpr std::string_view kBegin = "${env:";
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const std::size_t begin = at + kBegin.size(), end = text.find('}', begin);
    if (end == std::string_view::npos) break;
    const std::string name(text.substr(begin, end - begin));
    if (name.find(":-") == std::string::npos && !std::getenv(name.c_str())) return name;
  }
  return {};
}

// Of an option, in words that show no value; empty if it can be sent.
std::string problem_of_value(std::string_view option, const std::string& value) {
  if (const std::string name = unset_variable(value); !name.empty())
    return fmt::format("{}: the environment variable {} is not set", option, display::printable(name));
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control))
    return fmt::format("{}: it has a line break or another control character", option);
  return {};
}

// What is wrong with how the one server was named; empty if nothing is.
std::string problem_of(const CommonOptions& options) {
  if (std::string wrong = problem_of_value("--url", options.url); !wrong.empty()) return wrong;
  const std::string_view url = options.url;
  const bool is_http =
      text::equals_ignoring_case(url.substr(0, 7), "http://") || text::equals_ignoring_case(url.substr(0, 8), "https://");
  if (options.command.empty() && !is_http && !options.url.starts_with("${"))
    return fmt::format("--url: {} is no http:// or https:// URL", display::printable(display::redact_url(options.url)));
  if (std::string wrong = problem_of_value("--token", options.token); !wrong.empty()) return wrong;
  for (const std::string& header : options.headers) {
    const std::string name = name_of(header);
    if (!text::is_token(name))
      return fmt::format("--header: '{}' is no name of a header", display::printable(name));
    if (config::is_own_header(name)) return fmt::format("--header: {} is set by Collet itself", name);
    if (!options.token.empty() && text::equals_ignoring_case(name, "Authorization"))
      return "--token and --header Authorization exclude each other: both say who you are";
    if (std::string wrong = problem_of_value("--header " + name, header); !wrong.empty()) return wrong;
  }
  return {};
}

// No plugins, and one remote whose items keep their names. A command is run as it would be at the prompt where it was
// typed: by the shell, with the variables of the person, who sees its stderr.
config::Config only_remote(const CommonOptions& options) {
  const bool by_url = options.command.empty();
  const std::string name = by_url ? display::redact_url(options.url) : "remote";  // tokens are kept under it
  std::string json = R"({"prefix":"")";
  append_text(json, "name", name);
  if (by_url) {
    append_text(json, "url", options.url);
    json += R"(,"headers":)" + headers_of(options);
  } else {
    json += R"(,"inherit_env":["*"],"command":"/bin/sh","args":["-c",)";
    text::append_json_string(json, options.command);
    json += ']';
  }
  config::Config config;
  config.log.level = log::Level::warning;
  config.remotes_used_by = "terminal";
  config.remote.push_back({name, json + '}', {}});
  return config;
}

// As [plugins] cgroup says; null if there are none, and why, where the configuration names a folder for them.
std::shared_ptr<worker::ControlGroups> open_groups(const std::string& wanted, std::string& why_not) {
  const std::string folder = wanted == "auto" ? worker::ControlGroups::delegated() : wanted == "off" ? "" : wanted;
  if (folder.empty()) return nullptr;
  auto groups = worker::ControlGroups::below(folder);
  if (groups) {
    if (const std::string_view missing = (*groups)->missing(); !missing.empty() && wanted != "auto")
      why_not = fmt::format("{} in control groups", missing);
    return std::move(*groups);
  }
  log::warning("workers have no control groups: {}", groups.message());
  if (wanted != "auto") why_not = fmt::format("control groups ({})", groups.message());
  return nullptr;
}

}  // namespace

fs::path default_plugin_folder() {
  const fs::path program = program_file();
  const fs::path built = program.parent_path().parent_path() / "plugins";
  if (fs::is_directory(built)) return built;
  return program.parent_path().parent_path() / COLLET_PLUGIN_FOLDER;
}

std::string program_file() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

Result<config::Config> read_config(const CommonOptions& options) {
  if (!options.config_file.empty()) return config::load(options.config_file);
  return config::Config::defaults(default_plugin_folder());
}

Result<config::Config> load_config(const CommonOptions& options) {
  if (options.name_server()) {
    if (const std::string wrong = problem_of(options); !wrong.empty()) return error("{}", wrong);
    config::Config config = only_remote(options);
    log::configure(config.log.level, config.log.format);
    return config;
  }
  auto config = read_config(options);
  if (config) log::configure(config->log.level, config->log.format);
  return config;
}

Host::Host(const config::Config& config, unsigned loops, std::vector<registry::StateSealer::Key> state_keys)
    : unload_timeout_ms(config.server.limits.drain_timeout_ms),
      config_(config),
      loops_([loops] {
        std::vector<std::unique_ptr<loop::Loop>> made;
        for (unsigned i = 0; i < loops; ++i) made.push_back(std::make_unique<loop::Loop>());
        return made;
      }()),
      registry_(config.server.limits.tool_name_bytes_max,
                static_cast<std::int64_t>(config.server.limits.schema_steps_max)),
      groups_(open_groups(config.plugins.cgroup, no_groups_)),
      loader_(this->loops(), registry_,
              {.preflight_timeout_ms = config.plugins.create_timeout_ms,
               .create_timeout_ms = config.plugins.create_timeout_ms,
               .state_keys = std::move(state_keys),
               .fetch = {.user_agent = "collet/" COLLET_VERSION, .ca_file = config.fetch.ca},
               .debug = config.plugins.debug,
               .make_worker = [this](plugin::WorkerOrder order) -> std::unique_ptr<plugin::Image> {
                 worker::WorkerOptions options;
                 options.start_timeout_ms = config_.plugins.create_timeout_ms;
                 options.log_level = static_cast<int>(config_.log.level);
                 options.groups = groups_;
                 options.unenforced = no_groups_;
                 options.debug = config_.plugins.debug;
                 return std::make_unique<worker::WorkerImage>(std::move(order), std::move(options));
               },
               .resource_updated =
                   [this](std::string_view, std::string_view uri) {
                     if (resource_updated_) resource_updated_(uri);
                   },
               .given_up =
                   [this](std::string plugin, std::uint64_t generation) {
                     const std::lock_guard lock(given_up_mutex_);
                     if (given_up_) given_up_(std::move(plugin), generation);
                   }}) {}

Host::~Host() { end_or_leave(); }

void Host::end_or_leave() {
  registry_.publish_to(nullptr);  // the loops have ended
  const std::vector<std::string> left = end();
  if (left.empty()) return;
  for (const std::string& what : left) log::warning("{}", what);
  leave();
}

std::vector<std::string> Host::end() {
  return loader_.shutdown(unload_timeout_ms, plugin::Loader::Loops::ended);
}

void Host::leave() const {
  loader_.remove_copies();
  _exit(exit_code);
}

std::vector<loop::Loop*> Host::loops() const {
  std::vector<loop::Loop*> all;
  for (const auto& loop : loops_) all.push_back(loop.get());
  return all;
}

void Host::load() {
  specs_ = plugin_specs(config_);
  if (specs_.empty()) log::warning("nothing is offered: the configuration names no plugin and no remote");
  reports_ = loader_.load(specs_);
  loop::fill_standard_descriptors();  // in case a create() has closed one
  for (const plugin::LoadReport& report : reports_) {
    if (!report.ok()) log::error("plugin {} ({}) is not served: {}", report.id, report.library, report.error);
    for (const std::string& warning : report.warnings) log::warning("plugin {}: {}", report.id, warning);
  }
}

Result<void> Host::load_and_await_remotes(const CommonOptions& options) {
  bool interrupted = false;
  const Interruption interruption(main_loop(), [&] {
    interrupted = true;
    main_loop().stop();
  });
  exit_code = kUnreachable;  // if it has to be left on the way
  {
    const WhileLoading loading(*this, limits::kHurriedUnloadMs);
    load();
  }
  auto reached = await_remotes(options, interrupted);
  if (reached) exit_code = kOk;
  return reached;
}

Result<void> Host::await_remotes(const CommonOptions& options, const bool& interrupted) {
  constexpr std::uint64_t kBetweenMs = 5;
  const std::string awaited = !options.name_server() ? "the remotes"
                              : options.url.empty()  ? options.command
                                                     : display::redact_url(options.url);
  // One that was asked for by name is waited for as long as it may take to start.
  const std::uint64_t patience_ms =
      options.timeout_ms.value_or(options.name_server() ? limits::kServerStartMs : limits::kRemotesReadyMs);
  const auto begin = std::chrono::steady_clock::now();
  const auto waited = [&] { return std::chrono::steady_clock::now() - begin; };
  bool told = false;
  loop::Timer between(main_loop());
  const auto wait = [&] {
    between.start(kBetweenMs, [this] { main_loop().stop(); });
    main_loop().run();
  };
  json::Document health;
  for (; waited() < std::chrono::milliseconds(patience_ms); wait()) {
    if (interrupted) {
      unload_timeout_ms = limits::kHurriedUnloadMs;
      return error("interrupted while waiting for {}", awaited);
    }
    if (!told && waited() > std::chrono::milliseconds(limits::kQuietMs)) {
      say(fmt::format("collet: waiting for {}, for up to {:.3g} s", awaited,
                      static_cast<double>(patience_ms) / 1e3));
      told = true;
    }
    const std::string text = remotes_status();
    if (text.empty() || json::parse(text, health)) {
      if (options.name_server()) return error("{} cannot be reached without the plugin \"client\"", awaited);
      return {};
    }
    const json::Value* pending = json::find(health, "pending");
    if (!pending || !pending->IsTrue()) break;
  }
  const json::Value* remotes = json::find(health, "remotes");
  if (!options.name_server() || !remotes || !remotes->IsArray() || remotes->Empty()) return {};
  const json::Value& remote = (*remotes)[0];
  if (json::find_string(remote, "state") == "up") return {};
  return error("{} cannot be reached: {}", awaited,
               display::printable(json::find_string(remote, "problem").value_or("it does not answer")));
}

}  // namespace collet::cli
