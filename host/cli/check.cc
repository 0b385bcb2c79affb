#include <filesystem>
#include <memory>

#include "base/json_members.h"
#include "base/text.h"
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
  std::vector<std::string> warnings;
  std::string plugin;  // id and version, if it could be loaded
  std::vector<std::string> items;
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

config::Config config_of(const std::string& file) {
  config::Plugin entry;
  entry.id = std::filesystem::path(file).stem();
  entry.library = file;
  config::Config config;
  config.plugin = {entry};
  return config;
}

// A host for one library.
struct Trial {
  explicit Trial(const std::string& file) : config(config_of(file)), host(config, 1) {}

  const config::Config config;
  service::Host host;
};

void inspect_items(service::Host& host, Inspection& found) {
  const registry::SnapshotPtr snapshot = host.registry().current();
  for (const auto& report : host.reports()) {
    if (!report.ok()) found.errors.push_back(report.error);
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
void inspect_plugin(const std::string& file, Inspection& found, std::vector<std::unique_ptr<Trial>>& stuck) {
  auto trial = std::make_unique<Trial>(file);
  trial->host.load();
  inspect_items(trial->host, found);
  const std::vector<std::string> left = trial->host.end();
  found.errors.insert(found.errors.end(), left.begin(), left.end());
  if (!left.empty()) stuck.push_back(std::move(trial));
}

void print(Output& out, const std::string& file, const Inspection& found, bool json) {
  if (json) {
    out.print("{}\n", json::ObjectText()
                          .add_text("file", file)
                          .add_text("plugin", found.plugin)
                          .add("items", text::json_strings(found.items))
                          .add("errors", text::json_strings(found.errors))
                          .add("warnings", text::json_strings(found.warnings))
                          .add("elf", found.elf_json)
                          .take());
    return;
  }
  out.print("{}\n{}", file, found.elf_text);
  if (!found.plugin.empty()) out.print("plugin       {}\n", found.plugin);
  for (const std::string& item : found.items) out.print("item         {}\n", item);
  for (const std::string& warning : found.warnings) out.print("warning      {}\n", warning);
  for (const std::string& error : found.errors) out.print("error        {}\n", error);
}

}  // namespace

int check(const CheckOptions& options, Output& out) {
  log::configure(log::Level::off, log::Format::text);
  bool good = true;
  std::vector<std::unique_ptr<Trial>> stuck;
  for (const std::string& file : options.files) {
    Inspection found;
    inspect_elf(file, found);
    if (found.errors.empty()) inspect_plugin(file, found, stuck);
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
