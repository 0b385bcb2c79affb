#include "protocol/http/headers.h"

#include <algorithm>

#include "base/text.h"
#include "collet/kit/base64.hpp"
#include "protocol/decimal.h"
#include "protocol/error.h"
#include "transport/field_list.h"

namespace collet::protocol {
namespace {

// The member of params that Mcp-Name mirrors; empty: none.
std::string_view named_by(std::string_view method) {
  for (const mcp::CallNames& call : mcp::kCallTable) {
    if (call.method == method) return call.name_param;
  }
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") return "taskId";
  return {};
}

constexpr std::string_view kEncodedBegin = "=?base64?";
constexpr std::string_view kEncodedEnd = "?=";

bool is_header_text(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

// Whether a header's value is the encoding of what `says` says yes to.
template <class Says>
bool encodes(std::string_view value, const Says& says) {
  if (!value.starts_with(kEncodedBegin)) return says(value);
  const auto decoded = decode_header_value(value);
  return decoded && says(*decoded);
}

// Likewise of copies that somebody has joined to a list. A value that may have a comma is none, unless it is
// encoded.
template <class Says>
bool lists_copies(std::string_view value, bool may_have_comma, const Says& says) {
  if (may_have_comma && !value.starts_with(kEncodedBegin)) return false;
  transport::FieldList copies(value);
  bool all = !value.empty();
  while (const auto copy = copies.next()) all = all && encodes(*copy, says);
  return all;
}

// What is wrong with the headers of that name, each of which must encode what `says` says yes to; nothing also if
// there is none.
template <class Says>
std::optional<rpc::Error> check_each(const transport::HttpRequest& http, std::string_view name, bool may_have_comma,
                                     const Says& says) {
  for (const transport::Header* header = http.first(name); header; header = http.next(*header)) {
    if (!is_header_text(header->value)) {
      return header_mismatch(fmt::format("{} has characters that a header may not have", name));
    }
    if (!encodes(header->value, says) && !lists_copies(header->value, may_have_comma, says)) {
      return header_mismatch(fmt::format("{} does not match the body", name));
    }
  }
  return std::nullopt;
}

// Names of tools, prompts and tasks have no comma, URIs may have.
std::optional<rpc::Error> check_name(const transport::HttpRequest& http, const rpc::Message& message,
                                     bool required) {
  constexpr std::string_view kHeader = "Mcp-Name";
  const std::string_view member = named_by(message.method);
  const auto name = member.empty() ? std::nullopt : message.param_text(member);
  if (!http.header(kHeader).data()) {
    // Without a name the method itself will complain.
    return name && required ? std::optional(header_mismatch(fmt::format("{} is missing", kHeader))) : std::nullopt;
  }
  if (!name) return header_mismatch(fmt::format("{} is there, but nothing in the body that it names", kHeader));
  return check_each(http, kHeader, member == "uri", [&](std::string_view said) { return said == *name; });
}

// The value at the path; null if there is none, or null itself.
const json::Value* value_at(const json::Value* arguments, const std::vector<std::string>& path) {
  for (const std::string& key : path) {
    if (!arguments) return nullptr;
    arguments = json::find(*arguments, key);
  }
  return arguments && !arguments->IsNull() ? arguments : nullptr;
}

// The exact text of the value at the path in an object's text; empty if it is not there.
std::string_view text_at(std::string_view object, const std::vector<std::string>& path) {
  for (const std::string& key : path) {
    std::vector<json::TextMember> members;
    if (!json::split_object(object, members)) return {};
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const json::TextMember& member) { return member.key == key; });
    if (found == members.end()) return {};
    object = found->value;
  }
  return object;
}

// A double has lost digits that its text had: only that tells what the body says.
std::string number_text(const json::Value& number, std::string_view arguments,
                        const std::vector<std::string>& path) {
  if (number.IsInt64() || number.IsUint64()) return json::to_text(number);
  return std::string(text_at(arguments, path));
}

std::optional<rpc::Error> check_parameter(const transport::HttpRequest& http,
                                          const registry::MirroredParameter& parameter, const json::Value& value,
                                          std::string_view arguments) {
  if (value.IsString()) {
    return check_each(http, parameter.header, true,
                      [&](std::string_view said) { return said == json::view(value); });
  }
  if (value.IsBool()) {
    const std::string_view word = value.GetBool() ? "true" : "false";
    return check_each(http, parameter.header, false, [&](std::string_view said) { return said == word; });
  }
  const auto number =
      value.IsNumber() ? Decimal::parse(number_text(value, arguments, parameter.path)) : std::nullopt;
  return check_each(http, parameter.header, false,
                    [&](std::string_view said) { return number && Decimal::parse(said) == number; });
}

}  // namespace

std::optional<rpc::Error> check_mirrored_parameters(const transport::HttpRequest& http,
                                                    const std::vector<registry::MirroredParameter>& parameters,
                                                    const json::Value* arguments, std::string_view text) {
  for (const registry::MirroredParameter& parameter : parameters) {
    const bool is_there = http.header(parameter.header).data();
    const json::Value* value = value_at(arguments, parameter.path);
    if (!is_there && !value) continue;
    if (!is_there) return header_mismatch(parameter.header + " is missing");
    const auto bad = value ? check_parameter(http, parameter, *value, text)
                           : check_each(http, parameter.header, true, [](std::string_view) { return false; });
    if (bad) return bad;
  }
  return std::nullopt;
}

std::optional<rpc::Error> check_mirrored(const transport::HttpRequest& http, const rpc::Message& message) {
  const bool required = message.kind == rpc::Message::Kind::request;
  const auto [method, agreed] = http.stated("mcp-method");
  if (!method.data() && required) return header_mismatch("Mcp-Method is missing");
  if (method.data() && !(agreed && method == message.method)) {
    return header_mismatch("Mcp-Method does not match the body");
  }
  return check_name(http, message, required);
}

std::optional<std::string> decode_header_value(std::string_view value) {
  if (value.size() < kEncodedBegin.size() + kEncodedEnd.size() || !value.starts_with(kEncodedBegin) ||
      !value.ends_with(kEncodedEnd)) {
    return std::string(value);
  }
  value.remove_prefix(kEncodedBegin.size());
  value.remove_suffix(kEncodedEnd.size());
  return kit::from_base64(value);
}

}  // namespace collet::protocol
