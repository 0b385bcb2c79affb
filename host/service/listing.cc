#include "service/listing.h"

#include <unistd.h>

#include "base/json.h"
#include "base/json_members.h"
#include "base/text.h"
#include "foreign/remote.h"

namespace collet::service {
namespace {

std::string items_of(const registry::Snapshot& snapshot) {
  json::ArrayText items;
  for (const mcp::KindNames& names : mcp::kKindTable) {
    for (const registry::Item& item : snapshot.items(names.kind)) {
      items.add(json::ObjectText()
                    .add_text("kind", names.word)
                    .add_text("name", item.name)
                    .add_text("plugin", *item.source)
                    .add("definition", item.def->definition)
                    .take());
    }
  }
  return items.take();
}

std::string left_out_of(const registry::Snapshot& snapshot) {
  json::ArrayText items;
  for (const registry::Rejected& item : snapshot.rejected()) {
    items.add(json::ObjectText()
                  .add_text("name", item.name)
                  .add_text("plugin", item.source)
                  .add_text("reason", item.reason)
                  .take());
  }
  return items.take();
}

std::string_view state_of(const plugin::PluginStatus& status) {
  if (status.generation == 0) return "failed";
  return status.on_probation ? "on probation" : "serving";
}

std::string describe(const plugin::PluginStatus& status) {
  json::ObjectText out;
  out.add_text("id", status.id)
      .add_text("library", status.library)
      .add_text("pluginId", status.plugin_id)
      .add_text("version", status.version)
      .add_text("state", state_of(status))
      .add_number("generation", status.generation)
      .add_number("callsInFlight", status.calls_in_flight)
      .add_text("placement", status.placement == Placement::worker ? "worker" : "in-process");
  if (!status.condition.empty()) out.add_text("worker", status.condition);
  if (!status.place.empty()) out.add("place", text::json_strings(status.place));
  if (!status.problem.empty()) out.add_text("error", status.problem);
  return out.take();
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
std::string describe(const json::Value& remote) {
  json::ObjectText out;
  for (const auto& [key, value] : remote.GetObject()) {
    const std::string_view name = json::view(key);
    if (name == "args") continue;
    name == "address" ? out.add_text(name, address_of(remote)) : out.add(name, json::to_text(value));
  }
  return out.take();
}

// Of what the plugin that imports from them says.
std::string remotes_of(const std::string& status) {
  json::Document health;
  if (json::parse(status, health)) return {};
  const json::Value* remotes = json::find(health, "remotes");
  if (!remotes || !remotes->IsArray() || remotes->Empty()) return {};
  json::ArrayText out;
  for (const json::Value& remote : remotes->GetArray()) {
    if (remote.IsObject()) out.add(describe(remote));
  }
  return out.take();
}

std::string describe(const plugin::Draining& draining) {
  return json::ObjectText()
      .add_text("id", draining.plugin)
      .add_number("generation", draining.number)
      .add_number("callsInFlight", draining.calls)
      .add("waitsFor", text::json_strings(draining.waits_for))
      .take();
}

std::string describe(const plugin::LeftBehind& left) {
  return json::ObjectText()
      .add_text("id", left.plugin)
      .add_number("generation", left.number)
      .add_text("reason", left.reason)
      .take();
}

template <class Things>
std::string describe_each(const Things& things) {
  json::ArrayText out;
  for (const auto& thing : things) out.add(describe(thing));
  return out.take();
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
  json::ObjectText out;
  if (listing.replaced) {
    out.add_bool("ok", true);
    out.add("server", fmt::format(R"({{"pid":{},"version":"{}"}})", getpid(), COLLET_VERSION));
  }
  out.add("items", items_of(*listing.snapshot)).add("leftOut", left_out_of(*listing.snapshot));
  out.add("plugins", describe_each(listing.plugins));
  if (!listing.remotes.empty()) out.add("remotes", listing.remotes);
  if (listing.replaced) {
    out.add("draining", describe_each(listing.replaced->draining));
    out.add("leftBehind", describe_each(listing.replaced->left_behind));
  }
  return out.take();
}

}  // namespace collet::service
