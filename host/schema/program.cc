#include "schema/program.h"

#include <cstring>

#include "base/json_pointer.h"

namespace collet::schema {
namespace {

using json::Value;

// RapidJSON's own copy borrows strings that are marked constant. Recurses; the caller has bounded the depth.
void copy(const Value& from, Value& to, json::Document::AllocatorType& memory) {
  switch (from.GetType()) {
    case rapidjson::kStringType:
      to.SetString(from.GetString(), from.GetStringLength(), memory);
      break;
    case rapidjson::kArrayType:
      to.SetArray().Reserve(from.Size(), memory);
      for (const Value& item : from.GetArray()) {
        Value own;
        copy(item, own, memory);
        to.PushBack(own, memory);
      }
      break;
    case rapidjson::kObjectType:
      to.SetObject();
      for (auto member = from.MemberBegin(); member != from.MemberEnd(); ++member) {
        Value name;
        Value value;
        copy(member->name, name, memory);
        copy(member->value, value, memory);
        to.AddMember(name, value, memory);
      }
      break;
    default:
      to.CopyFrom(from, memory);
  }
}

}  // namespace

std::string_view Program::keep(std::string_view text) {
  if (text.empty()) return {};
  char* const own = static_cast<char*>(memory.Malloc(text.size()));
  std::memcpy(own, text.data(), text.size());
  return {own, text.size()};
}

Value* Program::keep(const Value& value) {
  Value* const own = new (memory.Malloc(sizeof(Value))) Value;
  copy(value, *own, memory);
  return own;
}

std::string Program::pointer(std::uint32_t location, std::string_view keyword) const {
  std::vector<const Location*> way;
  for (std::uint32_t at = location; at != kNone; at = locations[at].outer) way.push_back(&locations[at]);
  std::string result;
  for (auto step = way.rbegin(); step != way.rend(); ++step) {
    const Location& here = **step;
    if (here.outer == kNone) {
      if (!here.token.empty()) result.append(here.token) += '#';
    } else if (here.index != kNone) {
      result.append("/").append(std::to_string(here.index));
    } else {
      json::append_pointer_token(result, here.token);
    }
  }
  if (!keyword.empty()) json::append_pointer_token(result, keyword);
  return result;
}

}  // namespace collet::schema
