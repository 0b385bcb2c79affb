#include "rpc/message.h"

#include "base/text.h"

namespace collet::rpc {
namespace {

std::optional<Error> read_id(const json::Value& object, Message& out) {
  const json::Value* id = json::find(object, "id");
  if (!id) return std::nullopt;
  const auto read = Id::from(*id);
  if (!read) return invalid_request("id must be a string or an integer");
  if (read->text().size() > limits::kIdBytesMax) return invalid_request("id is too long");
  out.id = *read;
  return std::nullopt;
}

std::optional<Error> read_call(const json::Value& object, const json::Value& method, Message& out) {
  if (!method.IsString() || method.GetStringLength() == 0) return invalid_request("method must be a string");
  out.kind = out.id.empty() ? Message::Kind::notification : Message::Kind::request;
  out.method = json::view(method);
  out.params = json::find(object, "params");
  if (out.params && !out.params->IsObject()) return invalid_request("params must be an object");
  return std::nullopt;
}

std::optional<Error> read_response(const json::Value& object, Message& out) {
  out.kind = Message::Kind::response;
  out.result = json::find(object, "result");
  out.error = json::find(object, "error");
  if (!out.result && !out.error) return invalid_request("a message needs a method, a result or an error");
  if (out.result && out.error) return invalid_request("a response has a result or an error, not both");
  if (out.id.empty() && out.result) return invalid_request("a response needs the id of its request");
  return std::nullopt;
}

}  // namespace

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

Arena::Arena() : buffer_(new char[kBufferBytes]), allocator_(buffer_.get(), kBufferBytes) {
  document_.emplace(&allocator_);
}

void Arena::clear() {
  document_.reset();
  allocator_.Clear();
  document_.emplace(&allocator_);
}

bool is_batch(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[';
}

Error no_batches() { return invalid_request("send one message at a time: batches were in 2025-03-26 alone"); }

std::optional<Error> split_batch(std::string_view text, std::vector<std::string_view>& out) {
  auto elements = json::split_array(text);
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
  if (auto bad = json::parse(text, arena.buffer(), document, arguments)) {
    return parse_error(fmt::format("{} at byte {}", bad->message, bad->offset));
  }
  if (document.IsArray()) return no_batches();
  if (!document.IsObject()) return invalid_request("a message is a JSON object");
  if (auto bad = read_id(document, out)) return bad;
  if (json::find_string(document, "jsonrpc") != "2.0") return invalid_request("jsonrpc must be \"2.0\"");
  out.arguments = arguments.raw;
  const json::Value* method = json::find(document, "method");
  return method ? read_call(document, *method, out) : read_response(document, out);
}

}  // namespace collet::rpc
