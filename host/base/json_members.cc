#include "base/json_members.h"

#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace collet::json {

void ObjectText::append_key(std::string_view key) {
  if (text_.size() > 1) text_ += ',';
  text::append_json_string(text_, key);
  text_ += ':';
}

ObjectText& ObjectText::add(std::string_view key, std::string_view json) {
  append_key(key);
  text_ += json;
  return *this;
}

ObjectText& ObjectText::add_text(std::string_view key, std::string_view text) {
  append_key(key);
  text::append_json_string(text_, text);
  return *this;
}

ObjectText& ObjectText::add_number(std::string_view key, std::uint64_t number) {
  return add(key, std::to_string(number));
}

std::string ObjectText::take() {
  text_ += '}';
  return std::move(text_);
}

ArrayText& ArrayText::add(std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_ += json;
  return *this;
}

std::string ArrayText::take() {
  text_ += ']';
  return std::move(text_);
}

std::string rewrite_members(std::string_view object, RewriteMember rewrite) {
  std::vector<TextMember> members;
  if (!split_object(object, members)) return std::string(object);
  ObjectText out;
  for (const TextMember& member : members) {
    const std::optional<std::string> value = rewrite(member.key, member.value);
    if (value) out.add(member.key, *value);
  }
  return out.take();
}

std::string without_member(std::string_view object, std::string_view key) {
  return rewrite_members(object, [key](std::string_view name, std::string_view value) -> std::optional<std::string> {
    if (name == key) return std::nullopt;
    return std::string(value);
  });
}

}  // namespace collet::json
