#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"

namespace collet::cli {
namespace {

constexpr std::pair<registry::Kind, const char*> kKinds[] = {{registry::Kind::tool, "tool"},
                                                             {registry::Kind::resource, "resource"},
                                                             {registry::Kind::resource_template, "template"},
                                                             {registry::Kind::prompt, "prompt"}};

std::string description_of(const registry::Item& item) {
  json::Document document;
  if (json::parse(item.def->definition, document)) return {};
  return std::string(json::find_string(document, "description").value_or(""));
}

std::string first_line(std::string text) {
  constexpr std::size_t kShown = 80;
  text = text.substr(0, text.find('\n'));
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "…";
}

void print_text(int out, const Host& host, const registry::Snapshot& snapshot) {
  std::size_t name_width = 4;
  for (const auto& [kind, label] : kKinds) {
    for (const auto& item : snapshot.items(kind)) name_width = std::max(name_width, item.name.size());
  }
  for (const auto& [kind, label] : kKinds) {
    for (const auto& item : snapshot.items(kind)) {
      dprintf(out, "%-8s  %-*s  %-12s  %s\n", label, static_cast<int>(name_width), item.name.c_str(),
              item.source->c_str(), first_line(description_of(item)).c_str());
    }
  }
  for (const auto& item : snapshot.rejected()) {
    dprintf(out, "%-8s  %-*s  %-12s  %s\n", "left out", static_cast<int>(name_width), item.name.c_str(),
            item.source.c_str(), item.reason.c_str());
  }
  for (const auto& report : host.reports()) {
    if (!report.ok()) dprintf(out, "%-8s  %s: %s\n", "failed", report.id.c_str(), report.error.c_str());
  }
}

void append_member(std::string& out, const char* key, std::string_view value) {
  if (out.back() != '{') out += ',';
  text::append_json_string(out, key);
  out += ':';
  text::append_json_string(out, value);
}

void append_separator(std::string& out) {
  if (out.back() != '[') out += ',';
}

void print_json(int out, const Host& host, const registry::Snapshot& snapshot) {
  std::string text = R"({"items":[)";
  for (const auto& [kind, label] : kKinds) {
    for (const auto& item : snapshot.items(kind)) {
      append_separator(text);
      text += '{';
      append_member(text, "kind", label);
      append_member(text, "name", item.name);
      append_member(text, "plugin", *item.source);
      text += R"(,"definition":)" + item.def->definition + '}';
    }
  }
  text += R"(],"leftOut":[)";
  for (const auto& item : snapshot.rejected()) {
    append_separator(text);
    text += '{';
    append_member(text, "name", item.name);
    append_member(text, "plugin", item.source);
    append_member(text, "reason", item.reason);
    text += '}';
  }
  text += R"(],"plugins":[)";
  for (const auto& report : host.reports()) {
    append_separator(text);
    text += '{';
    append_member(text, "id", report.id);
    append_member(text, "library", report.library);
    append_member(text, "pluginId", report.plugin_id);
    append_member(text, "version", report.version);
    if (!report.ok()) append_member(text, "error", report.error);
    text += '}';
  }
  text += "]}";
  dprintf(out, "%s\n", text.c_str());
}

std::string member_text(const json::Value& object, const char* key) {
  const json::Value* value = json::find(object, key);
  if (!value) return {};
  return value->IsString() ? std::string(json::view(*value)) : json::to_text(*value);
}

// One line a remote: its name, its state, what speaks there, and how much of what it offers.
int print_remotes(int out, const Host& host, bool as_json) {
  const std::string health = host.remotes_status();
  json::Document status;
  if (health.empty() || json::parse(health, status)) return complain("there are no remotes in the configuration");
  if (as_json) {
    dprintf(out, "%s\n", health.c_str());
    return kOk;
  }
  for (const json::Value& remote : json::find(status, "remotes")->GetArray()) {
    const auto text = [&](const char* key) { return member_text(remote, key); };
    const std::string about = text("state") == "up"
                                  ? fmt::format("{} ({}, {})  {} tools, {} resources, {} templates, {} prompts",
                                                text("server"), text("version"), text("era"), text("tools"),
                                                text("resources"), text("templates"), text("prompts"))
                                  : text("problem");
    dprintf(out, "%-16s  %-10s  %s  %s\n", text("name").c_str(), text("state").c_str(), text("address").c_str(),
            about.c_str());
  }
  return kOk;
}

}  // namespace

int list(const ListOptions& options) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  Host host(*config, 1);
  host.load();
  host.await_remotes();
  if (options.remotes) return print_remotes(streams.out, host, options.common.json);
  const registry::SnapshotPtr snapshot = host.registry().current();
  options.common.json ? print_json(streams.out, host, *snapshot) : print_text(streams.out, host, *snapshot);
  return kOk;
}

}  // namespace collet::cli
