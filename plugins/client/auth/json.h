// Reading what peers and files say in JSON.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <collet/json.hpp>

#include "client/auth/limits.h"
#include "client/net/result.h"

namespace collet::client::auth {

// Reads `text`, one object: on_member(key, reader) takes each value. `what` names the text in the failure.
template <class OnMember>
Result<void> read_json(std::string_view text, const std::string& what, OnMember&& on_member) {
  try {
    JsonReader reader(text);
    reader.read_object([&](std::string_view key) { on_member(key, reader); });
    reader.read_end();
    return {};
  } catch (const collet::Error& error) {
    return Error{what + ": " + error.what()};
  }
}

// The same of what a peer says, which may write null for whatever it does not have.
template <class OnMember>
Result<void> read_document(std::string_view text, const std::string& what, OnMember&& on_member) {
  return read_json(text, what, [&](std::string_view key, JsonReader& reader) {
    if (!reader.read_null()) on_member(key, reader);
  });
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

// Of a peer that may have put one where a list belongs, and the other way round.
inline std::vector<std::string> read_one_or_more(JsonReader& reader) {
  if (reader.peek() == std::string_view("string")) return {read_text(reader)};
  return read_texts(reader);
}

// Seconds, also where a peer has put them in quotes; nothing if they are no number.
inline std::optional<std::int64_t> read_seconds(JsonReader& reader) {
  constexpr double kMost = 1e15;
  double seconds = 0;
  if (reader.peek() == std::string_view("string")) {
    const std::string text = read_text(reader);
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (status != std::errc{} || end != text.data() + text.size() || !(seconds == seconds)) return std::nullopt;
  } else {
    seconds = reader.read_number<double>();
  }
  return static_cast<std::int64_t>(std::clamp(seconds, -kMost, kMost));
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
