// One JSON-RPC 2.0 message, read in place.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "rpc/error.h"

namespace collet::rpc {

// A request's id, kept as JSON text so that it goes back as it came: 1 and "1" are two ids. Empty: none.
class Id {
 public:
  Id() = default;
  // Of an answer to what has no id that can be read (JSON-RPC 2.0 §5).
  static Id null();
  // Nothing if the value is neither a string nor an integer.
  static std::optional<Id> from(const json::Value& value);

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  bool operator==(const Id&) const = default;

 private:
  std::string text_;
};

// Memory that one message is parsed into, used again for the next one.
class Arena {
 public:
  Arena();
  // Forgets what was parsed.
  void clear();
  std::size_t bytes() const { return allocator_.Capacity() + text_.bytes(); }
  json::Document& document() { return *document_; }
  json::ParseBuffer& buffer() { return text_; }

 private:
  void make_document();

  static constexpr std::size_t kBufferBytes = 8u << 10;  // more than most messages need; beyond it the heap is used
  json::ParseBuffer text_;
  std::unique_ptr<char[]> buffer_;
  json::Document::AllocatorType allocator_;
  json::Allocator stack_allocator_;  // of what the document needs while it is parsed
  std::optional<json::Document> document_;
};

struct Message {
  enum class Kind : std::uint8_t { request, notification, response };
  Kind kind = Kind::request;            // also of what cannot be told: it is answered, a response never is
  Id id;                                // of a request or response
  std::string_view method;              // of a request or notification
  const json::Value* params = nullptr;  // an object, or null if absent
  const json::Value* meta = nullptr;    // params._meta, if that is an object
  const json::Value* result = nullptr;  // of a response: this one …
  const json::Value* error = nullptr;   // … or this one
  std::string_view arguments;           // exact text of params.arguments; data() is null if absent

  // The parameter of that name; null if there is none.
  const json::Value* param(std::string_view name) const { return params ? json::find(*params, name) : nullptr; }
  // Likewise, if it is a text.
  std::optional<std::string_view> param_text(std::string_view name) const {
    return params ? json::find_string(*params, name) : std::nullopt;
  }
};

// Whether a message is an array of messages.
bool is_batch(std::string_view text);
// Why a version that has no batches refuses one.
Error no_batches();
// The messages of a batch, 1 to kBatchMessagesMax; they point into `text`.
[[nodiscard]] std::optional<Error> split_batch(std::string_view text, std::vector<std::string_view>& out);

// Reads `text`, after a byte order mark or not, into `arena`, which `out` then points into; only `arguments` points
// into `text`. On failure `out` has kind and id as far as they could be read. A member that is there twice, at the
// top, in params or in an object of these, is a failure: something between the client and us may have read the
// other one. The arguments of a call are their tool's affair.
[[nodiscard]] std::optional<Error> parse_message(std::string_view text, Arena& arena, Message& out);

}  // namespace collet::rpc
