#include "service/listing.h"

#include <unistd.h>

#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "foreign/remote.h"

namespace collet::service {
namespace {

void append_key(std::string& out, const char* key) {
  if (out.back() != '{') out += ',';
  text::append_json_string(out, key);
  out += ':';
}

void append_member(std::string& out, const char* key, std::string_view value) {
  append_key(out, key);
  text::append_json_string(out, value);
}

void append_number(std::string& out, const char* key, std::uint64_t value) {
  append_key(out, key);
  out += std::to_string(value);
}

void append_separator(std::string& out) {
  if (out.back() != '[') out += ',';
}

void append_items(std::string& out, const registry::Snapshot& snapshot) {
  append_key(out, "items");
  out += '[';
  for (const mcp::KindNames& names : mcp::kKindTable) {
    for (const registry::Item& item : snapshot.items(names.kind)) {
      append_separator(out);
      out += '{';
      append_member(out, "kind", names.word);
      append_member(out, "name", item.name);
      append_member(out, "plugin", *item.source);
      append_key(out, "definition");
      out += item.def->definition + '}';
    }
  }
  out += ']';
  append_key(out, "leftOut");
  out += '[';
  for (const registry::Rejected& item : snapshot.rejected()) {
    append_separator(out);
    out += '{';
    append_member(out, "name", item.name);
    append_member(out, "plugin", item.source);
    append_member(out, "reason", item.reason);
    out += '}';
  }
  out += ']';
}

void append_plugins(std::string& out, const std::vector<plugin::PluginStatus>& plugins) {
  append_key(out, "plugins");
  out += '[';
  for (const plugin::PluginStatus& status : plugins) {
    append_separator(out);
    out += '{';
    append_member(out, "id", status.id);
    append_member(out, "library", status.library);
    append_member(out, "pluginId", status.plugin_id);
    append_member(out, "version", status.version);
    append_member(out, "state",
                  status.generation == 0 ? "failed"
                  : status.on_probation  ? "on probation"
                                         : "serving");
    append_number(out, "generation", status.generation);
    append_number(out, "callsInFlight", status.calls_in_flight);
    append_member(out, "placement", status.placement == Placement::worker ? "worker" : "in-process");
    if (!status.condition.empty()) append_member(out, "worker", status.condition);
    if (!status.problem.empty()) append_member(out, "error", status.problem);
    out += '}';
  }
  out += ']';
}

std::string address_of(const json::Value& remote) {
  std::string address(json::find_string(remote, "address").value_or(""));
  std::vector<std::string> arguments;
  if (const json::Value* args = json::find(remote, "args"); args && args->IsArray()) {
    for (const json::Value& argument : args->GetArray()) arguments.emplace_back(json::view(argument));
  }
  for (const std::string& argument : foreign::redact_arguments(arguments)) address += ' ' + argument;
  return address;
}

// With a command's arguments behind it, by which one `npx` is told from the other.
void append_remote(std::string& out, const json::Value& remote) {
  out += '{';
  for (const auto& [key, value] : remote.GetObject()) {
    const std::string name(json::view(key));
    if (name == "args") continue;
    append_key(out, name.c_str());
    name == "address" ? text::append_json_string(out, address_of(remote)) : json::append(out, value);
  }
  out += '}';
}

// Of what the plugin that imports from them says.
std::string remotes_of(const std::string& status) {
  json::Document health;
  if (json::parse(status, health)) return {};
  const json::Value* remotes = json::find(health, "remotes");
  if (!remotes || !remotes->IsArray() || remotes->Empty()) return {};
  std::string out = "[";
  for (const json::Value& remote : remotes->GetArray()) {
    if (!remote.IsObject()) continue;
    append_separator(out);
    append_remote(out, remote);
  }
  return out + ']';
}

void append_replaced(std::string& out, const Listing::Replaced& replaced) {
  append_key(out, "draining");
  out += '[';
  for (const plugin::Draining& draining : replaced.draining) {
    append_separator(out);
    out += '{';
    append_member(out, "id", draining.plugin);
    append_number(out, "generation", draining.number);
    append_number(out, "callsInFlight", draining.calls);
    append_key(out, "waitsFor");
    out += '[';
    for (const std::string& call : draining.waits_for) {
      append_separator(out);
      text::append_json_string(out, call);
    }
    out += "]}";
  }
  out += ']';
  append_key(out, "leftBehind");
  out += '[';
  for (const plugin::LeftBehind& left : replaced.left_behind) {
    append_separator(out);
    out += '{';
    append_member(out, "id", left.plugin);
    append_number(out, "generation", left.number);
    append_member(out, "reason", left.reason);
    out += '}';
  }
  out += ']';
}

}  // namespace

std::string_view done_name(plugin::LoadReport::Done done) {
  using Done = plugin::LoadReport::Done;
  switch (done) {
    case Done::unchanged:
      return "unchanged";
    case Done::loaded:
      return "loaded";
    case Done::replaced:
      return "replaced";
    case Done::adjusted:
      return "adjusted";
    case Done::reconfigured:
      return "reconfigured";
    case Done::removed:
      return "removed";
    case Done::failed:
      return "failed";
  }
  return {};
}

Listing list(Host& host, bool running) {
  const plugin::Loader& loader = host.loader();
  Listing listing{.snapshot = host.registry().current(),
                  .plugins = loader.status(),
                  .remotes = remotes_of(host.remotes_status()),
                  .replaced = std::nullopt};
  if (running) listing.replaced = {loader.draining(), loader.left_behind()};
  return listing;
}

std::string to_json(const Listing& listing) {
  std::string out = "{";
  if (listing.replaced) {
    out += R"("ok":true)";
    append_key(out, "server");
    out += fmt::format(R"({{"pid":{},"version":"{}"}})", getpid(), COLLET_VERSION);
  }
  append_items(out, *listing.snapshot);
  append_plugins(out, listing.plugins);
  if (!listing.remotes.empty()) {
    append_key(out, "remotes");
    out += listing.remotes;
  }
  if (listing.replaced) append_replaced(out, *listing.replaced);
  return out + '}';
}

}  // namespace collet::service
