#include "base/config_places.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/json_members.h"
#include "base/limits.h"

namespace collet {
namespace {

unsigned number_at(const json::Value& array, rapidjson::SizeType index) {
  return index < array.Size() && array[index].IsUint() ? array[index].GetUint() : 0;
}

}  // namespace

void ConfigPlaces::add(const std::string& pointer, Place key, Place value) {
  if (members_.size() < limits::kConfigPlacesMax) members_.insert_or_assign(pointer, Member{key, value});
}

ConfigPlaces::Place ConfigPlaces::find(std::string_view pointer, Of part) const {
  for (;;) {
    if (const auto found = members_.find(pointer); found != members_.end()) {
      return part == Of::key ? found->second.key : found->second.value;
    }
    const std::size_t slash = pointer.rfind('/');
    if (slash == std::string_view::npos) return {};
    pointer = pointer.substr(0, slash);
  }
}

std::string ConfigPlaces::to_text() const {
  json::ObjectText members;
  for (const auto& [pointer, member] : members_) {
    members.add(pointer, fmt::format("[{},{},{},{}]", member.key.line, member.key.column, member.value.line, member.value.column));
  }
  return json::ObjectText().add_text("table", table_).add_text("file", file_).add("members", members.take()).take();
}

ConfigPlaces ConfigPlaces::of_text(std::string_view text) {
  json::Document document;
  if (json::parse(text, document) || !document.IsObject()) return {};
  ConfigPlaces places(std::string(json::find_string(document, "table").value_or("")),
                      std::string(json::find_string(document, "file").value_or("")));
  const json::Value* members = json::find(document, "members");
  if (!members || !members->IsObject()) return places;
  for (const auto& [pointer, at] : members->GetObject()) {
    if (!at.IsArray()) continue;
    places.add(std::string(json::view(pointer)), {number_at(at, 0), number_at(at, 1)}, {number_at(at, 2), number_at(at, 3)});
  }
  return places;
}

}  // namespace collet
