// JSON-RPC 2.0 as text: an incoming message is split into the texts of its members, an outgoing one is put
// together. No tree is built, so that what a remote answers passes through as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "client/net/result.h"

namespace collet::client {

// One message; the texts point into what was parsed. Absent ones have no data().
struct Message {
  std::string_view id;      // as written: 7 or "a"
  std::string_view method;  // without quotes; nothing that is escaped is a method of MCP
  std::string_view params;  // an object
  std::string_view result;  // an object
  std::string_view error;   // an object

  bool is_response() const { return result.data() || error.data(); }
  bool is_request() const { return method.data() && id.data(); }
  // The number that we gave to a request, also as a string or with a fraction of 0, as some servers send it back;
  // nothing if the id is none of ours.
  std::optional<std::uint64_t> number() const;
};

// A request or a notification that outlives the text it was read from.
class KeptMessage {
 public:
  explicit KeptMessage(const Message& message);
  // As long as this stands where it is.
  Message view() const;

 private:
  std::string method_;
  std::optional<std::string> id_, params_;
};

// A failure says what is wrong with the text.
Result<Message> parse_message(std::string_view text);

// The same message without line breaks, for a transport of lines: in valid JSON they stand between its parts alone.
std::string on_one_line(std::string text);

// Calls `each` for every message of a text: itself, or those of a batch (2025-03-26). What is wrong only within
// strings is put right before, see mended().
Result<void> for_each_message(std::string_view text,
                              const std::function<void(const Message&, std::string_view)>& each);

// The error object of a response.
struct RpcError {
  int code = 0;
  std::string message;
  std::string data;  // JSON text, or empty
};
RpcError read_error(std::string_view error);

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kMissingClientCapability = -32021;
inline constexpr int kUnsupportedVersion = -32022;

// The text of one member of an object's text; data() is null if there is none or `object` is no object.
std::string_view find_member(std::string_view object, std::string_view key);
// A member that is a string, with its escapes undone; nothing if there is none.
std::optional<std::string> find_string(std::string_view object, std::string_view key);
// What a JSON text that is a string says; nothing if it is none.
std::optional<std::string> to_string(std::string_view json);
// Text of unknown origin as JSON can have it: what is not UTF-8 becomes U+FFFD.
std::string to_utf8(std::string_view bytes);
std::optional<std::uint64_t> find_unsigned(std::string_view object, std::string_view key);
// Calls `each` with key and value text of every member; false if `object` is no valid object.
bool for_each_member(std::string_view object, const std::function<void(std::string_view, std::string_view)>& each);
// Calls `each` with the text of every element; false if `array` is no valid array.
bool for_each_element(std::string_view array, const std::function<void(std::string_view)>& each);
// Appends `"key":json`, after a comma if there is something before.
void append_member(std::string& out, std::string_view key, std::string_view json);
// The members of an object's text: {"a":1} → "a":1.
std::string_view members_of(std::string_view object);
double to_number(std::string_view json);

}  // namespace collet::client
