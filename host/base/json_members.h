// Objects as text: written member by member, or changed so, where what is kept stays byte for byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/callback.h"

namespace collet::json {

// An object that is being written.
class ObjectText {
 public:
  // `json` is the value's text.
  ObjectText& add(std::string_view key, std::string_view json);
  ObjectText& add_text(std::string_view key, std::string_view text);
  ObjectText& add_number(std::string_view key, std::uint64_t number);
  ObjectText& add_bool(std::string_view key, bool value) { return add(key, value ? "true" : "false"); }
  // All of it. Nothing can be added any more.
  std::string take();

 private:
  void append_key(std::string_view key);

  std::string text_ = "{";
};

// Likewise an array.
class ArrayText {
 public:
  ArrayText& add(std::string_view json);
  std::string take();

 private:
  std::string text_ = "[";
};

// What takes the place of a member's value; nothing for the member to go. The key is without its quotes and escapes.
using RewriteMember = Callback<std::optional<std::string>(std::string_view key, std::string_view value)>;

// `object` with each value as `rewrite` has it; itself if it is no object.
std::string rewrite_members(std::string_view object, RewriteMember rewrite);

// Without the member of that name.
std::string without_member(std::string_view object, std::string_view key);

}  // namespace collet::json
