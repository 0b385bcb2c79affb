#include <algorithm>
#include <memory>
#include <utility>

#include "base/json_members.h"
#include "base/text.h"
#include "cli/config_keys.h"
#include "cli/distributions.h"
#include "cli/one_plugin.h"
#include "cli/verbs.h"
#include "plugin/load/elf_file.h"
#include "schema/lint.h"
#include "service/host.h"

namespace collet::cli {
namespace {

// What a vendor wants to know of one library before shipping it: what the file says, and what the plugin in it
// offers.
struct Inspection {
  std::string elf_text;
  std::string elf_json = "null";
  std::vector<std::string> errors;
  std::vector<std::string> place;  // where it has ended its process
  std::vector<std::string> warnings;
  std::vector<Fit> fits;  // where it loads; empty: that is not known
  std::string plugin;     // id and version, if it could be loaded
  std::string title, vendor, license;  // what it says of itself, or empty
  std::vector<std::string> items;
  std::vector<ConfigKey> keys;  // of its config
};

void inspect_elf(const std::string& file, Inspection& found) {
  const auto elf = plugin::read_elf_file(file);
  if (!elf) {
    found.errors.push_back(elf.message());
    return;
  }
  found.elf_text = elf->to_text();
  found.elf_json = elf->to_json();
  found.errors = elf->errors;
  found.warnings = elf->warnings;
  if (found.errors.empty()) found.fits = fits_of(elf->glibc, elf->glibcxx);
}

void lint(const registry::Item& tool, Inspection& found) {
  json::Document definition;
  if (json::parse(tool.def->definition, definition)) return;
  const json::Value* schema = json::find(definition, mcp::kInputSchema);
  if (!schema) return;
  for (const schema::Lint& lint : schema::lint_tool(tool.name, *schema)) {
    found.warnings.push_back(
        fmt::format("{}{}{}: {}", tool.name, lint.location.empty() ? "" : " ", lint.location, lint.message));
  }
}

// A host for one library.
struct Trial {
  explicit Trial(config::Config with_plugin) : config(std::move(with_plugin)), host(config, 1) {}

  const config::Config config;
  service::Host host;
};

void inspect_info(const std::string& info, Inspection& found) {
  json::Document said;
  if (json::parse(info, said)) return;
  found.title = json::find_string(said, "title").value_or("");
  found.vendor = json::find_string(said, "vendor").value_or("");
  found.license = json::find_string(said, "license").value_or("");
}

void inspect_config(const plugin::LoadReport& report, bool is_configured, Inspection& found) {
  found.keys = config_keys(report.info);
  const bool needs = std::any_of(found.keys.begin(), found.keys.end(), [](const ConfigKey& key) { return key.required; });
  if (!report.ok() && needs && !is_configured) {
    found.warnings.push_back(fmt::format("its config has keys that it needs: say --config FILE, with [plugin.{}.config] in it",
                                         text::bare_or_quoted(report.id)));
  }
}

void inspect_items(service::Host& host, Inspection& found) {
  const registry::SnapshotPtr snapshot = host.registry().current();
  for (const auto& report : host.reports()) {
    if (!report.ok()) found.errors.push_back(report.error);
    found.place = report.place;
    if (report.ok()) found.plugin = report.plugin_id + " " + report.version;
  }
  for (const mcp::KindNames& names : mcp::kKindTable) {
    for (const auto& item : snapshot->items(names.kind)) found.items.push_back(item.name);
  }
  for (const auto& tool : snapshot->items(registry::Kind::tool)) lint(tool, found);
  for (const auto& item : snapshot->mended()) {
    found.warnings.push_back(fmt::format("{}: of its definition is left out: {}", item.name, item.left_out));
  }
  for (const auto& item : snapshot->rejected()) found.errors.push_back(item.name + ": " + item.reason);
}

// One that does not end goes to `stuck`.
void inspect_plugin(const config::Config& config, bool is_configured, Inspection& found, std::vector<std::unique_ptr<Trial>>& stuck) {
  auto trial = std::make_unique<Trial>(config);
  trial->host.load();
  inspect_items(trial->host, found);
  for (const auto& report : trial->host.reports()) {
    inspect_info(report.info, found);
    inspect_config(report, is_configured, found);
  }
  const std::vector<std::string> left = trial->host.end();
  found.errors.insert(found.errors.end(), left.begin(), left.end());
  if (!left.empty()) stuck.push_back(std::move(trial));
}

// The lines behind the first one stand under it; nothing is printed of no text.
void print_lines(Output& out, std::string_view word, std::string_view text) {
  if (text.empty()) return;
  for (std::size_t end = 0; end != std::string_view::npos; word = {}) {
    end = text.find('\n');
    out.print("{:<12} {}\n", word, text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
}

void print(Output& out, const std::string& file, const Inspection& found, bool json) {
  if (json) {
    out.print("{}\n", json::ObjectText()
                          .add_text("file", file)
                          .add_text("plugin", found.plugin)
                          .add_text("title", found.title)
                          .add_text("vendor", found.vendor)
                          .add_text("license", found.license)
                          .add("distributions", to_json(found.fits))
                          .add("items", text::json_strings(found.items))
                          .add("config", to_json(found.keys))
                          .add("errors", text::json_strings(found.errors))
                          .add("place", text::json_strings(found.place))
                          .add("warnings", text::json_strings(found.warnings))
                          .add("elf", found.elf_json)
                          .take());
    return;
  }
  out.print("{}\n{}", file, found.elf_text);
  print_lines(out, "loads on", loading_words(found.fits));
  print_lines(out, "not on", lacking_words(found.fits));
  print_lines(out, "plugin", found.plugin);
  print_lines(out, "title", found.title);
  print_lines(out, "vendor", found.vendor);
  print_lines(out, "license", found.license);
  for (const std::string& item : found.items) print_lines(out, "item", item);
  for (const ConfigKey& key : found.keys) print_lines(out, "config", to_line(key));
  for (const std::string& warning : found.warnings) print_lines(out, "warning", warning);
  for (const std::string& error : found.errors) print_lines(out, "error", error);
  std::string_view word = "place";
  for (const std::string& line : found.place) print_lines(out, std::exchange(word, {}), line);
}

}  // namespace

int check(const CheckOptions& options, Output& out) {
  const bool is_configured = !options.common.config_file.empty();
  const auto config = is_configured ? read_config(options.common) : Result<config::Config>(config::Config());
  if (!config) return complain(config.message());
  log::configure(log::Level::off, log::Format::text);
  bool good = true;
  std::vector<std::unique_ptr<Trial>> stuck;
  for (const std::string& plugin : options.plugins) {
    const auto only = only_plugin(*config, plugin);
    if (!only) {
      good = false;
      complain(only.message());
      continue;
    }
    const std::string& file = only->plugin.front().library;
    Inspection found;
    inspect_elf(file, found);
    if (found.errors.empty()) inspect_plugin(*only, is_configured, found, stuck);
    print(out, file, found, options.common.json);
    good = good && found.errors.empty();
  }
  const int code = good ? kOk : kUsage;
  if (stuck.empty()) return code;
  for (const auto& trial : stuck) trial->host.loader().remove_copies();
  service::Host& last = stuck.back()->host;
  last.exit_code = out.finish(code);
  last.leave();
}

}  // namespace collet::cli
