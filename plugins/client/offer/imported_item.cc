#include "client/offer/imported_item.h"

#include <map>

#include <collet/json.hpp>

#include "client/limits.h"
#include "client/mcp/message.h"
#include "client/offer/old_schema.h"

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

namespace {

// The schema of a tool's arguments, which the specification wants to say that they are an object.
std::string with_type(std::string_view schema) {
  if (find_member(schema, "type").data()) return std::string(schema);
  const std::string_view members = schema.substr(schema.find_first_not_of(" \t\r\n", 1));
  return R"({"type":"object")" + std::string(members.starts_with('}') ? "" : ",") + std::string(members);
}

}  // namespace

Result<RemoteItem> read_item(std::uint32_t kind, std::string_view object, std::string_view version) {
  RemoteItem item{.kind = kind, .name = {}, .definition = "{", .mirrored = {}};
  std::string_view annotations;
  std::string input_schema, output_schema;
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
    const bool is_schema = kind == COLLET_TOOL && (key == "inputSchema" || key == "outputSchema");
    if (is_schema && !value.starts_with('{')) {
      item.mended = "its " + std::string(key) + " is no object and is left out";
      return;
    }
    if (is_schema) {
      const bool is_input = key == "inputSchema";
      std::string& schema = is_input ? input_schema : output_schema;
      schema = version.empty() || has_dialect(version) ? std::string(value) : as_2020_12(value);
      if (is_input) schema = with_type(schema);
      value = schema;
    }
    if (kind == COLLET_TOOL && key == "annotations") annotations = value;
    if (item.definition.size() > 1) item.definition += ',';
    collet::append_json(item.definition, key);
    item.definition.append(":").append(value);
  });
  item.definition += '}';
  if (!valid) return Error{"it is no JSON object"};
  if (item.name.empty()) return Error{"it has no " + std::string(name_member(kind))};
  if (item.definition.size() > limits::kDefinitionBytesMax) {
    return Error{item.name + ": its definition has more than " + std::to_string(limits::kDefinitionBytesMax) +
                 " bytes"};
  }
  auto mirrored = read_mirrored(input_schema);
  if (!mirrored) return Error{item.name + ": " + mirrored.message()};
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
