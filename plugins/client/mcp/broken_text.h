// What can be made of a message that is no valid JSON, so that it costs no more than it must.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace collet::client {

// The text with what JSON strings cannot have put right: U+FFFD for bytes that are not UTF-8 and for halves of
// surrogate pairs, escapes for control characters. It may still be no JSON.
std::string mended(std::string_view text);

// What a text that cannot be read was meant to be, as far as one can see.
struct Broken {
  bool is_answer = false;           // one with an id, or one that is cut off before its id comes
  std::optional<std::uint64_t> id;  // a number of ours
};
Broken examine(std::string_view text);

}  // namespace collet::client
