#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"
#include "plugin/elf_file.h"
#include "schema/lint.h"

namespace collet::cli {
namespace {

// What a vendor wants to know of one library before shipping it: what the file says, and what the plugin in it
// offers.
struct Findings {
  std::string elf_text;
  std::string elf_json = "null";
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::string plugin;  // id and version, if it could be loaded
  std::vector<std::string> items;
};

void inspect_elf(const std::string& file, Findings& findings) {
  const auto elf = plugin::read_elf_file(file);
  if (!elf) {
    findings.errors.push_back(elf.message());
    return;
  }
  findings.elf_text = elf->to_text();
  findings.elf_json = elf->to_json();
  findings.errors = elf->errors;
  findings.warnings = elf->warnings;
}

void lint(const registry::Item& tool, Findings& findings) {
  json::Document definition;
  if (json::parse(tool.def->definition, definition)) return;
  const json::Value* schema = json::find(definition, "inputSchema");
  if (!schema) return;
  for (const schema::Lint& lint : schema::lint_tool(tool.name, *schema)) {
    findings.warnings.push_back(
        fmt::format("{}{}{}: {}", tool.name, lint.location.empty() ? "" : " ", lint.location, lint.message));
  }
}

void inspect_plugin(const std::string& file, Findings& findings) {
  config::Config config;
  config::Plugin entry;
  entry.id = std::filesystem::path(file).stem();
  entry.library = file;
  config.plugin = {entry};
  Host host(config, 1);
  host.load();
  const registry::SnapshotPtr snapshot = host.registry().current();
  for (const auto& report : host.reports()) {
    if (!report.ok()) findings.errors.push_back(report.error);
    if (report.ok()) findings.plugin = report.plugin_id + " " + report.version;
  }
  for (const auto kind : {registry::Kind::tool, registry::Kind::resource, registry::Kind::resource_template,
                          registry::Kind::prompt}) {
    for (const auto& item : snapshot->items(kind)) findings.items.push_back(item.name);
  }
  for (const auto& tool : snapshot->items(registry::Kind::tool)) lint(tool, findings);
  for (const auto& item : snapshot->rejected()) findings.errors.push_back(item.name + ": " + item.reason);
}

std::string json_strings(const std::vector<std::string>& strings) {
  std::string out = "[";
  for (const std::string& string : strings) {
    if (out.size() > 1) out += ',';
    text::append_json_string(out, string);
  }
  return out + "]";
}

void print(int out, const std::string& file, const Findings& findings, bool json) {
  if (json) {
    std::string text = R"({"file":)";
    text::append_json_string(text, file);
    text += R"(,"plugin":)";
    text::append_json_string(text, findings.plugin);
    text += R"(,"items":)" + json_strings(findings.items) + R"(,"errors":)" + json_strings(findings.errors) +
            R"(,"warnings":)" + json_strings(findings.warnings) + R"(,"elf":)" + findings.elf_json + "}";
    dprintf(out, "%s\n", text.c_str());
    return;
  }
  dprintf(out, "%s\n%s", file.c_str(), findings.elf_text.c_str());
  if (!findings.plugin.empty()) dprintf(out, "plugin       %s\n", findings.plugin.c_str());
  for (const std::string& item : findings.items) dprintf(out, "item         %s\n", item.c_str());
  for (const std::string& warning : findings.warnings) dprintf(out, "warning      %s\n", warning.c_str());
  for (const std::string& error : findings.errors) dprintf(out, "error        %s\n", error.c_str());
}

}  // namespace

int check(const CheckOptions& options) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  log::configure(log::Level::off, log::Format::text);
  bool good = true;
  for (const std::string& file : options.files) {
    Findings findings;
    inspect_elf(file, findings);
    if (findings.errors.empty()) inspect_plugin(file, findings);
    print(streams.out, file, findings, options.common.json);
    good = good && findings.errors.empty();
  }
  return good ? kOk : kUsage;
}

}  // namespace collet::cli
