#include "cli/listing.h"

#include <algorithm>
#include <utility>

#include "base/display.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/columns.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/string_arguments.h"
#include "mcp/names.h"

namespace collet::cli {
namespace {

constexpr std::size_t kNameColumnsMax = 32;   // longer names stand out, rather than that there is no room for what is behind them
constexpr std::size_t kSignatureIndent = 10;  // under the name

// As a terminal can show it, wherever it is from.
std::string text_of(const json::Value& object, std::string_view key) {
  return display::printable(json::find_string(object, key).value_or(""));
}

// Likewise on as many lines as it has, those behind the first one indented.
std::string lines_of(const json::Value& object, std::string_view key) {
  std::string out;
  for (const char c : display::printable_lines(json::find_string(object, key).value_or(""))) {
    out += c;
    if (c == '\n') out += "          ";
  }
  return out;
}

std::uint64_t number_of(const json::Value& object, std::string_view key) {
  return json::find_uint64(object, key).value_or(0);
}

template <class F>
void for_each(const json::Value& listing, std::string_view key, F&& do_it) {
  const json::Value* array = json::find(listing, key);
  if (!array || !array->IsArray()) return;
  for (const json::Value& value : array->GetArray()) do_it(value);
}

std::string first_line(std::string_view text) { return display::printable(text.substr(0, text.find('\n'))); }

// What a tool is called with, or a prompt; empty of other items.
std::string signature_of(const json::Value& item) {
  const auto kind = json::find_string(item, "kind");
  const bool is_prompt = kind == mcp::names_of(mcp::Kind::prompt).word;
  if (!is_prompt && kind != mcp::names_of(mcp::Kind::tool).word) return {};
  const json::Value nothing(rapidjson::kObjectType);
  const json::Value* stated = json::find(item, "definition");
  const json::Value& definition = stated ? *stated : nothing;
  json::Document made;
  if (is_prompt) COLLET_ASSERT(!json::parse(prompt_schema(definition), made));
  const json::Value* input = is_prompt ? &made : json::find(definition, mcp::kInputSchema);
  return display::printable(signature(json::find_string(item, "name").value_or(""), input ? *input : nothing));
}

void append_plugin_lines(std::string& out, const json::Value& listing, bool running) {
  for_each(listing, "plugins", [&](const json::Value& plugin) {
    const std::string id = text_of(plugin, "id");
    const std::string problem = lines_of(plugin, "error");
    const std::uint64_t generation = number_of(plugin, "generation");
    if (running && generation != 0) {
      const std::string worker = text_of(plugin, "worker");
      out += fmt::format("{:<8}  {}: generation {} ({} {}), {}, {} calls{}{}\n", "plugin", id, generation,
                         text_of(plugin, "pluginId"), text_of(plugin, "version"), text_of(plugin, "state"),
                         number_of(plugin, "callsInFlight"), worker.empty() ? "" : ", worker: ", worker);
    }
    if (!problem.empty()) out += fmt::format("{:<8}  {}: {}\n", "failed", id, problem);
    std::string_view word = "ended";
    for_each(plugin, "place", [&](const json::Value& line) {
      out += fmt::format("{:<8}  {}: {}\n", std::exchange(word, {}), id, display::printable(json::view(line)));
    });
  });
  for_each(listing, "draining", [&](const json::Value& draining) {
    std::string waits_for;
    for_each(draining, "waitsFor", [&](const json::Value& call) {
      waits_for += (waits_for.empty() ? ": " : "; ") + std::string(json::view(call));
    });
    out += fmt::format("{:<8}  {}: generation {} waits for {} calls{}\n", "draining", text_of(draining, "id"),
                       number_of(draining, "generation"), number_of(draining, "callsInFlight"), waits_for);
  });
  for_each(listing, "leftBehind", [&](const json::Value& left) {
    out += fmt::format("{:<8}  {}: generation {} stays mapped: {}\n", "left", text_of(left, "id"),
                       number_of(left, "generation"), text_of(left, "reason"));
  });
}

}  // namespace

// They stand in items of an array of an object here.
bool read_listing(std::string_view json_text, json::Document& listing) {
  return !json::parse(json_text, listing, {.depth_max = limits::kJsonDepthMax + 3});
}

void for_each_item(const json::Value& listing, mcp::Kind kind, Callback<void(const json::Value& item)> do_it) {
  for_each(listing, "items", [&](const json::Value& item) {
    if (json::find_string(item, "kind") == mcp::names_of(kind).word) do_it(item);
  });
}

std::string remotes_json(std::string_view listing) {
  json::Document document;
  if (!read_listing(listing, document)) return {};
  const json::Value* remotes = json::find(document, "remotes");
  return remotes ? R"({"remotes":)" + json::to_text(*remotes) + '}' : std::string();
}

// Its name, its state, where it is, what speaks there and how much of what it offers.
std::string remotes_text(std::string_view listing) {
  json::Document document;
  if (!read_listing(listing, document)) return {};
  std::string out;
  for_each(document, "remotes", [&](const json::Value& remote) {
    const std::string about =
        text_of(remote, "state") == "up"
            ? fmt::format("{} ({}, {})  {} tools, {} resources, {} templates, {} prompts",
                          text_of(remote, "server"), text_of(remote, "version"), text_of(remote, "era"),
                          number_of(remote, "tools"), number_of(remote, "resources"),
                          number_of(remote, "templates"), number_of(remote, "prompts"))
            : text_of(remote, "problem");
    std::string unread;
    for_each(remote, "unread",
             [&](const json::Value& list) { unread += "; " + display::printable(json::view(list)); });
    out += fmt::format("{:<16}  {:<10}  {}  {}{}\n", text_of(remote, "name"), text_of(remote, "state"),
                       text_of(remote, "address"), about, unread);
  });
  return out;
}

std::vector<std::string> remote_problems(std::string_view json_text) {
  json::Document document;
  std::vector<std::string> problems;
  if (!read_listing(json_text, document)) return problems;
  for_each(document, "remotes", [&](const json::Value& remote) {
    if (!remote.IsObject()) return;
    const std::string name = text_of(remote, "name"), state = text_of(remote, "state");
    const std::string why = text_of(remote, "problem");
    if (state != "up" && state != "disabled") {
      problems.push_back(fmt::format("remote {} is {}{}{}", name, state, why.empty() ? "" : ": ", why));
    }
    for_each(remote, "unread", [&](const json::Value& list) {
      problems.push_back(fmt::format("remote {}: {}", name, display::printable(json::view(list))));
    });
  });
  return problems;
}

std::vector<std::string> unloaded_plugins(std::string_view json_text) {
  json::Document listing;
  std::vector<std::string> ids;
  if (!read_listing(json_text, listing)) return ids;
  for_each(listing, "plugins", [&](const json::Value& plugin) {
    if (json::find_string(plugin, "state") == "failed") ids.push_back(text_of(plugin, "id"));
  });
  return ids;
}

int complain_of_unknown(std::string_view kind, std::string_view name, const std::vector<std::string>& known,
                        const std::vector<std::string>& problems) {
  const std::string meant = suggestion(name, known);
  std::string why = fmt::format("there is no {} {}{}", kind, name, meant.empty() ? "; `collet list` shows what there is" : meant);
  for (const std::string& problem : problems) why += "\n  " + problem;
  return complain(why, problems.empty() ? kUsage : kUnreachable);
}

std::string listing_text(std::string_view json_text, std::size_t width) {
  json::Document listing;
  if (!read_listing(json_text, listing)) return {};
  std::size_t name_width = 4;
  for_each(listing, "items",
           [&](const json::Value& item) { name_width = std::max(name_width, columns_of(text_of(item, "name"))); });
  name_width = std::min(name_width, kNameColumnsMax);
  const auto line = [&](const std::string& kind, const json::Value& item, const std::string& rest) {
    return fmt::format("{:<8}  {}  {:<12}  {}", kind, padded(text_of(item, "name"), name_width), text_of(item, "plugin"), rest);
  };
  std::string out;
  for_each(listing, "items", [&](const json::Value& item) {
    const json::Value* definition = json::find(item, "definition");
    const std::string about = definition ? first_line(json::find_string(*definition, "description").value_or("")) : std::string();
    out += shortened(line(text_of(item, "kind"), item, about), width) + '\n';
    const std::string called = signature_of(item);
    if (!called.empty()) out += shortened(std::string(kSignatureIndent, ' ') + called, width) + '\n';
  });
  for_each(listing, "leftOut", [&](const json::Value& item) { out += line("left out", item, text_of(item, "reason")) + '\n'; });
  append_plugin_lines(out, listing, json::find(listing, "server") != nullptr);
  return out;
}

}  // namespace collet::cli
