// What MCP's schema says of the objects that come from plugins and from clients' answers: a member that is wrong is
// left out of them, so that no client refuses a whole list or result because of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace collet::registry {

// Of the newest revision, and what only older clients know. A definition lacks what the host itself writes.
enum class Shape : std::uint8_t {
  tool,
  resource,
  resource_template,
  prompt,
  content_block,      // of a tool's result
  resource_contents,  // an element of contents
  prompt_message,     // an element of messages
  elicit_result,      // the three answers to what a plugin asks a client
  sampling_result,
  roots_result,
};

inline constexpr Shape kLastShape = Shape::roots_result;

// Its JSON Schema.
std::string shape_text(Shape shape);

struct Fitted {
  std::string_view text() const { return left_out.empty() ? given : std::string_view(mended); }

  std::string_view given;             // borrowed from fit()'s argument
  std::string mended;                 // what takes its place if something is left out
  std::vector<std::string> left_out;  // each with its place and reason
};

// Reads a JSON object that must be of that shape. The smallest members that are wrong are left out, with what needs
// them; what is left is served byte for byte. An error is a predicate that says why there is nothing left to serve:
// "is not a JSON object".
Result<Fitted> fit(Shape shape, std::string_view object);

}  // namespace collet::registry
