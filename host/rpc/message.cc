#include "rpc/message.h"

#include <algorithm>

#include "base/text.h"
#include "mcp/names.h"
#include "rpc/envelope.h"

namespace collet::rpc {
namespace {

// The members that JSON-RPC names, found in one pass.
struct Members {
  const json::Value* jsonrpc = nullptr;
  const json::Value* id = nullptr;
  const json::Value* method = nullptr;
  const json::Value* params = nullptr;
  const json::Value* result = nullptr;
  const json::Value* error = nullptr;

  explicit Members(const json::Value& object) {
    for (auto member = object.MemberBegin(); member != object.MemberEnd(); ++member) {
      if (const json::Value** slot = slot_of(json::view(member->name))) *slot = &member->value;
    }
  }
  const json::Value** slot_of(std::string_view name) {
    switch (name.size()) {
      case 2:
        return name == "id" ? &id : nullptr;
      case 5:
        return name == "error" ? &error : nullptr;
      case 6:
        return name == "method" ? &method : name == "params" ? &params : name == "result" ? &result : nullptr;
      case 7:
        return name == "jsonrpc" ? &jsonrpc : nullptr;
      default:
        return nullptr;
    }
  }

  Message::Kind kind() const {
    if (method) return id ? Message::Kind::request : Message::Kind::notification;
    return result || error ? Message::Kind::response : Message::Kind::request;
  }
};

// The name of a member that the object has twice; data() is null if there is none.
std::string_view find_twice(const json::Value& object) {
  constexpr rapidjson::SizeType kFew = 16;
  const auto begin = object.MemberBegin();
  const auto end = object.MemberEnd();
  if (object.MemberCount() <= kFew) {
    for (auto later = begin; later != end; ++later) {
      const std::string_view name = json::view(later->name);
      for (auto earlier = begin; earlier != later; ++earlier) {
        if (json::view(earlier->name) == name) return name;
      }
    }
    return {};
  }
  std::vector<std::string_view> names;
  names.reserve(object.MemberCount());
  for (auto member = begin; member != end; ++member) names.push_back(json::view(member->name));
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? std::string_view() : *twice;
}

std::optional<Error> check_members(const json::Value& object) {
  if (object.MemberCount() > limits::kMembersMax) return invalid_request("an object of it has too many members");
  const std::string_view twice = find_twice(object);
  if (!twice.data()) return std::nullopt;
  return invalid_request(fmt::format("{} is there twice", twice.substr(0, 64)));
}

// Checks the params and the objects in them.
std::optional<Error> read_params(const json::Value& params, Message& out) {
  if (auto bad = check_members(params)) return bad;
  for (auto member = params.MemberBegin(); member != params.MemberEnd(); ++member) {
    const std::string_view name = json::view(member->name);
    if (!member->value.IsObject() || name == "arguments") continue;
    if (auto bad = check_members(member->value)) return bad;
    if (name == mcp::kMeta) out.meta = &member->value;
  }
  return std::nullopt;
}

// What can be said of a message that is refused as a whole.
void read_envelope(std::string_view message, Message& out) {
  EnvelopeScanner scanner;
  scanner.feed(message);
  scanner.read_into(out);
}

std::optional<Error> read_id(const json::Value* id, Message& out) {
  if (!id) return std::nullopt;
  // To what had none that could be read.
  if (id->IsNull() && out.kind == Message::Kind::response) return std::nullopt;
  const auto read = Id::from(*id);
  if (!read) return invalid_request("id must be a string or an integer");
  if (read->text().size() > limits::kIdBytesMax) return invalid_request("id is too long");
  out.id = *read;
  return std::nullopt;
}

std::optional<Error> read_call(const Members& members, Message& out) {
  const json::Value& method = *members.method;
  if (!method.IsString() || method.GetStringLength() == 0) return invalid_request("method must be a string");
  out.method = json::view(method);
  if (members.params && !members.params->IsObject()) return invalid_request("params must be an object");
  out.params = members.params;
  return out.params ? read_params(*out.params, out) : std::nullopt;
}

std::optional<Error> read_response(const Members& members, Message& out) {
  out.result = members.result;
  out.error = members.error;
  if (!out.result && !out.error) return invalid_request("a message needs a method, a result or an error");
  if (out.result && out.error) return invalid_request("a response has a result or an error, not both");
  if (out.id.empty() && out.result) return invalid_request("a response needs the id of its request");
  return std::nullopt;
}

}  // namespace

Id Id::null() {
  Id id;
  id.text_ = "null";
  return id;
}

std::optional<Id> Id::from(const json::Value& value) {
  if (!value.IsString() && !value.IsInt64() && !value.IsUint64()) return std::nullopt;
  Id id;
  if (value.IsString()) {
    text::append_json_string(id.text_, json::view(value));
  } else {
    json::append(id.text_, value);
  }
  return id;
}

Arena::Arena() : buffer_(new char[kBufferBytes]), allocator_(buffer_.get(), kBufferBytes) { make_document(); }

void Arena::make_document() {
  constexpr std::size_t kStackBytes = 1u << 10;
  document_.emplace(&allocator_, kStackBytes, &stack_allocator_);
}

void Arena::clear() {
  document_.reset();
  allocator_.Clear();
  text_.trim();
  make_document();
}

bool is_batch(std::string_view text) {
  text = text::without_byte_order_mark(text);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[';
}

Error no_batches() { return invalid_request("send one message at a time: batches were in 2025-03-26 alone"); }

std::optional<Error> split_batch(std::string_view text, std::vector<std::string_view>& out) {
  auto elements = json::split_array(text::without_byte_order_mark(text));
  if (!elements) return parse_error("the batch is not JSON");
  if (elements->empty()) return invalid_request("the batch is empty");
  if (elements->size() > limits::kBatchMessagesMax) return invalid_request("the batch has too many messages");
  out = std::move(*elements);
  return std::nullopt;
}

std::optional<Error> parse_message(std::string_view text, Arena& arena, Message& out) {
  out = Message{};
  json::RawMember arguments{"params", "arguments", {}};
  json::Document& document = arena.document();
  const std::string_view message = text::without_byte_order_mark(text);
  std::optional<json::ParseError> not_json;
  try {
    not_json = json::parse(message, arena.buffer(), document, arguments);
  } catch (const std::bad_alloc&) {
    arena.clear();
    read_envelope(message, out);
    return out_of_memory();
  }
  if (not_json) {
    read_envelope(message, out);
    return parse_error(
        fmt::format("{} at byte {}", not_json->message, text.size() - message.size() + not_json->offset));
  }
  if (document.IsArray()) return no_batches();
  if (!document.IsObject()) return invalid_request("a message is a JSON object");
  const Members members(document);
  out.kind = members.kind();
  if (auto bad = check_members(document)) {
    read_envelope(message, out);
    return bad;
  }
  if (auto bad = read_id(members.id, out)) return bad;
  if (!members.jsonrpc || !members.jsonrpc->IsString() || json::view(*members.jsonrpc) != "2.0") {
    return invalid_request("jsonrpc must be \"2.0\"");
  }
  out.arguments = arguments.raw;
  return members.method ? read_call(members, out) : read_response(members, out);
}

}  // namespace collet::rpc
