#include "client/imported_item.h"

#include <map>

#include <collet/json.hpp>

#include "client/limits.h"
#include "client/message.h"

namespace collet::client {
namespace {

std::string_view name_member(std::uint32_t kind) {
  if (kind == COLLET_RESOURCE) return "uri";
  return kind == COLLET_RESOURCE_TEMPLATE ? "uriTemplate" : "name";
}

constexpr unsigned kDiffLinesMax = 12;

struct Diff {
  std::string out;
  unsigned lines = 0;

  static std::string shown(std::string_view json) {
    constexpr std::size_t kShown = 100;
    if (!json.data()) return "nothing";
    return json.size() <= kShown ? std::string(json) : std::string(json.substr(0, kShown)) + "…";
  }

  void compare(const std::string& path, std::string_view before, std::string_view after) {
    if (before == after || lines > kDiffLinesMax) return;
    if (before.starts_with('{') && after.starts_with('{')) {
      std::map<std::string, std::pair<std::string_view, std::string_view>> members;
      for_each_member(
          before, [&](std::string_view key, std::string_view value) { members[std::string(key)].first = value; });
      for_each_member(
          after, [&](std::string_view key, std::string_view value) { members[std::string(key)].second = value; });
      for (const auto& [key, values] : members) compare(path + "/" + key, values.first, values.second);
      return;
    }
    if (!out.empty()) out += '\n';
    out += ++lines > kDiffLinesMax ? "…" : path + ": " + shown(before) + " → " + shown(after);
  }
};

}  // namespace

Result<RemoteItem> read_item(std::uint32_t kind, std::string_view object) {
  RemoteItem item{.kind = kind, .name = {}, .definition = "{", .mirrored = {}};
  std::string_view schema, annotations;
  const bool valid = for_each_member(object, [&](std::string_view key, std::string_view value) {
    if (key == name_member(kind)) {
      item.name = to_string(value).value_or("");
      return;
    }
    if (kind == COLLET_TOOL && key == "execution") {  // how it may run as a task is between the remote and us
      const std::string support = find_string(value, "taskSupport").value_or("");
      if (support == "optional") item.tasks = TaskSupport::optional;
      if (support == "required") item.tasks = TaskSupport::required;
      return;
    }
    if (kind == COLLET_TOOL && key == "inputSchema") schema = value;
    if (kind == COLLET_TOOL && key == "annotations") annotations = value;
    if (item.definition.size() > 1) item.definition += ',';
    collet::append_json(item.definition, key);
    item.definition.append(":").append(value);
  });
  item.definition += '}';
  if (!valid) return Failure{"it is no JSON object"};
  if (item.name.empty()) return Failure{"it has no " + std::string(name_member(kind))};
  if (item.definition.size() > limits::kDefinitionBytesMax) {
    return Failure{item.name + ": its definition has more than " + std::to_string(limits::kDefinitionBytesMax) +
                   " bytes"};
  }
  auto mirrored = read_mirrored(schema);
  if (!mirrored) return Failure{item.name + ": " + mirrored.message()};
  item.mirrored = std::move(*mirrored);
  item.idempotent =
      find_member(annotations, "readOnlyHint") == "true" || find_member(annotations, "idempotentHint") == "true";
  return item;
}

std::string list_element(const RemoteItem& item) {
  JsonMembers out;
  out.text = "{";
  out.add(name_member(item.kind), item.name);
  if (item.definition.size() > 2) out.text += ',';
  return out.text.append(item.definition, 1);
}

std::string json_diff(std::string_view before, std::string_view after) {
  Diff diff;
  diff.compare("", before, after);
  return diff.out;
}

}  // namespace collet::client
