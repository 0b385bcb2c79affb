// Reading what peers and files say in JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <collet/json.hpp>

#include "client/auth/limits.h"
#include "client/result.h"

namespace collet::client::auth {

// Reads `text`, one object: on_member(key, reader) takes each value. `what` names the text in the failure.
template <class OnMember>
Result<void> read_json(std::string_view text, const std::string& what, OnMember&& on_member) {
  try {
    JsonReader reader(text);
    reader.read_object([&](std::string_view key) { on_member(key, reader); });
    reader.read_end();
    return {};
  } catch (const Error& error) {
    return Failure{what + ": " + error.what()};
  }
}

// Throws Error, for the use inside of on_member.
inline std::string read_text(JsonReader& reader) {
  std::string scratch;
  return std::string(reader.read_string(scratch));
}

inline std::vector<std::string> read_texts(JsonReader& reader) {
  std::vector<std::string> items;
  reader.read_array([&] {
    if (items.size() == limits::kListItemsMax) {
      reader.fail("has more than " + std::to_string(limits::kListItemsMax) + " elements");
    }
    items.push_back(read_text(reader));
  });
  return items;
}

inline void append_texts(JsonMembers& out, std::string_view key, const std::vector<std::string>& items) {
  out.key(key);
  JsonMembers array{"["};
  for (const std::string& item : items) {
    if (array.text.size() > 1) array.text += ',';
    append_json(array.text, item);
  }
  out.text += array.text + "]";
}

}  // namespace collet::client::auth
