#include "client/mcp/message.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <collet/json.hpp>

#include "client/mcp/broken_text.h"

namespace collet::client {
namespace {

bool is_object(std::string_view json) { return json.starts_with('{'); }

Message read(collet::JsonReader& in) {
  Message message;
  in.read_object([&](std::string_view key) {
    std::string scratch;
    if (key == "id") {
      message.id = in.read_raw();
    } else if (key == "method") {
      message.method = in.read_raw();
      if (!message.method.starts_with('"')) in.fail("expected string");
      message.method = message.method.substr(1, message.method.size() - 2);
    } else if (key == "params") {
      message.params = in.read_raw();
    } else if (key == "result") {
      message.result = in.read_raw();
    } else if (key == "error") {
      message.error = in.read_raw();
    } else {
      in.read_raw();
    }
  });
  return message;
}

int to_code(std::string_view json) {
  int code = 0;
  const auto [rest, bad] = std::from_chars(json.data(), json.data() + json.size(), code);
  return bad == std::errc() && rest == json.data() + json.size() ? code : kInternalError;
}

// What is wrong stands last, after a place that is as long as the remote likes.
std::string end_of(std::string_view problem) {
  constexpr std::size_t kShown = 200;
  if (problem.size() <= kShown) return std::string(problem);
  return to_utf8("…" + std::string(problem.substr(problem.size() - kShown)));
}

const char* problem_of(const Message& message) {
  if (!message.method.data() && !message.is_response()) return "it has neither method nor result nor error";
  if (message.result.data() && message.error.data()) return "it has a result and an error";
  if (message.params.data() && !is_object(message.params)) return "its params are no object";
  if (message.result.data() && !is_object(message.result)) return "its result is no object";
  if (message.error.data() && !is_object(message.error)) return "its error is no object";
  return nullptr;
}

Result<void> for_each_of_batch(std::string_view text,
                               const std::function<void(const Message&, std::string_view)>& each) {
  std::vector<std::string_view> elements;
  const auto collect = [&](std::string_view element) { elements.push_back(element); };
  std::string again;
  if (!for_each_element(text, collect)) {
    elements.clear();
    again = mended(text);
    if (!for_each_element(again, collect)) return Error{"not valid JSON"};
  }
  Result<void> result;
  for (const std::string_view element : elements) {
    const auto message = parse_message(element);
    message ? each(*message, element) : void(result = message.failure());
  }
  return result;
}

}  // namespace

KeptMessage::KeptMessage(const Message& message) : method_(message.method) {
  if (message.id.data()) id_ = message.id;
  if (message.params.data()) params_ = message.params;
}

Message KeptMessage::view() const {
  Message out;
  out.method = method_;
  if (id_) out.id = *id_;
  if (params_) out.params = *params_;
  return out;
}

std::optional<std::uint64_t> Message::number() const {
  std::string_view digits = id;
  if (digits.size() > 2 && digits.starts_with('"') && digits.ends_with('"')) {
    digits = digits.substr(1, digits.size() - 2);
  } else if (digits.ends_with(".0")) {
    digits.remove_suffix(2);
  }
  std::uint64_t number = 0;
  const auto [rest, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (bad != std::errc() || rest != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Result<Message> parse_message(std::string_view text) {
  try {
    collet::JsonReader in(text);
    const Message message = read(in);
    in.read_end();
    if (const char* problem = problem_of(message))
      return Error{std::string("not a JSON-RPC message: ") + problem};
    return message;
  } catch (const collet::Error& wrong) {
    return Error{end_of(wrong.what())};
  }
}

std::string on_one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

Result<void> for_each_message(std::string_view text,
                              const std::function<void(const Message&, std::string_view)>& each) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '[') return for_each_of_batch(text.substr(first), each);
  if (const auto message = parse_message(text)) {
    each(*message, text);
    return {};
  }
  const std::string again = mended(text);
  const auto message = parse_message(again);
  if (!message) return message.failure();
  each(*message, again);
  return {};
}

RpcError read_error(std::string_view error) {
  RpcError out{.code = kInternalError, .message = {}, .data = {}};
  for_each_member(error, [&](std::string_view key, std::string_view value) {
    if (key == "code") out.code = to_code(value);
    if (key == "message") out.message = to_string(value).value_or("");
    if (key == "data") out.data = value;
  });
  if (out.message.empty()) out.message = "it gives no reason";
  return out;
}

bool for_each_member(std::string_view object, const std::function<void(std::string_view, std::string_view)>& each) {
  if (object.empty()) return false;  // what is not there is looked into often: without an exception
  try {
    collet::JsonReader in(object);
    in.read_object([&](std::string_view key) { each(key, in.read_raw()); });
    return true;
  } catch (const collet::Error&) {
    return false;
  }
}

bool for_each_element(std::string_view array, const std::function<void(std::string_view)>& each) {
  try {
    collet::JsonReader in(array);
    in.read_array([&] { each(in.read_raw()); });
    return true;
  } catch (const collet::Error&) {
    return false;
  }
}

std::string_view find_member(std::string_view object, std::string_view key) {
  std::string_view found;
  for_each_member(object, [&](std::string_view each, std::string_view value) {
    if (each == key) found = value;
  });
  return found;
}

std::optional<std::string> to_string(std::string_view json) {
  if (!json.starts_with('"')) return std::nullopt;
  try {
    std::string scratch;
    return std::string(collet::JsonReader(json).read_string(scratch));
  } catch (const collet::Error&) {
    return std::nullopt;
  }
}

std::string to_utf8(std::string_view bytes) {
  std::string quoted;
  collet::append_json(quoted, bytes);
  return to_string(quoted).value();
}

std::optional<std::string> find_string(std::string_view object, std::string_view key) {
  return to_string(find_member(object, key));
}

std::optional<std::uint64_t> find_unsigned(std::string_view object, std::string_view key) {
  const std::string_view value = find_member(object, key);
  std::uint64_t number = 0;
  const auto [rest, bad] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || bad != std::errc() || rest != value.data() + value.size()) return std::nullopt;
  return number;
}

void append_member(std::string& out, std::string_view key, std::string_view json) {
  if (!out.empty()) out += ',';
  append_json(out, key);
  out.append(":").append(json);
}

std::string_view members_of(std::string_view object) {
  const std::size_t begin = object.find('{'), end = object.rfind('}');
  return begin == std::string_view::npos || end <= begin ? std::string_view()
                                                         : object.substr(begin + 1, end - begin - 1);
}

double to_number(std::string_view json) {
  double number = 0;
  std::from_chars(json.data(), json.data() + json.size(), number);
  return number;
}

}  // namespace collet::client
