// The members of a JSON object as text: strings without their quotes, everything else as it is written.
#pragma once

#include <map>
#include <string>

#include <collet/json.hpp>

inline std::map<std::string, std::string> members(std::string_view json) {
  std::map<std::string, std::string> out;
  collet::JsonReader reader(json);
  reader.read_object([&](std::string_view key) {
    std::string scratch;
    const bool is_text = std::string_view(reader.peek()) == "string";
    out[std::string(key)] = is_text ? reader.read_string(scratch) : reader.read_raw();
  });
  reader.read_end();
  return out;
}
