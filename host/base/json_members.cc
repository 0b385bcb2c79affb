#include "base/json_members.h"

#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace collet::json {

std::string rewrite_members(std::string_view object, RewriteMember rewrite) {
  std::vector<TextMember> members;
  if (!split_object(object, members)) return std::string(object);
  std::string out = "{";
  for (const TextMember& member : members) {
    const std::optional<std::string> value = rewrite(member.key, member.value);
    if (!value) continue;
    if (out.size() > 1) out += ',';
    text::append_json_string(out, member.key);
    out += ':';
    out += *value;
  }
  return out + '}';
}

std::string without_member(std::string_view object, std::string_view key) {
  return rewrite_members(object, [key](std::string_view name, std::string_view value) -> std::optional<std::string> {
    if (name == key) return std::nullopt;
    return std::string(value);
  });
}

}  // namespace collet::json
