#include "protocol/headers.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "protocol/error.h"

namespace collet::protocol {
namespace {

// The member of params that Mcp-Name mirrors; empty: none.
std::string_view named_by(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") return "taskId";
  return {};
}

std::optional<rpc::Error> check_one(const transport::HttpRequest& http, std::string_view header,
                                    std::string_view expected) {
  const std::string_view value = http.header(header);
  if (!value.data()) return header_mismatch(fmt::format("{} is missing", header));
  if (value == expected && !value.starts_with("=?base64?")) return std::nullopt;
  const auto decoded = decode_header_value(value);
  if (decoded == expected) return std::nullopt;
  return header_mismatch(fmt::format("{} does not match the body", header));
}

// The value at the path; null if there is none, or null itself.
const json::Value* value_at(const json::Value* arguments, const std::vector<std::string>& path) {
  for (const std::string& key : path) {
    if (!arguments) return nullptr;
    arguments = json::find(*arguments, key);
  }
  return arguments && !arguments->IsNull() ? arguments : nullptr;
}

bool is_integer_text(std::string_view text, const json::Value& number) {
  double value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  return bad == std::errc() && end == text.data() + text.size() && value == number.GetDouble();
}

bool says(const std::string& header, const json::Value& value) {
  if (value.IsString()) return header == json::view(value);
  if (value.IsBool()) return header == (value.GetBool() ? "true" : "false");
  return value.IsNumber() && is_integer_text(header, value);
}

bool is_header_text(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

}  // namespace

std::optional<rpc::Error> check_mirrored_parameters(const transport::HttpRequest& http,
                                                    const std::vector<registry::MirroredParameter>& parameters,
                                                    const json::Value* arguments) {
  for (const registry::MirroredParameter& parameter : parameters) {
    const std::string_view header = http.header(parameter.header);
    const json::Value* value = value_at(arguments, parameter.path);
    if (!header.data() && !value) continue;
    if (!header.data()) return header_mismatch(parameter.header + " is missing");
    const auto decoded = is_header_text(header) ? decode_header_value(header) : std::nullopt;
    if (!decoded) return header_mismatch(parameter.header + " has characters that a header may not have");
    if (!value || !says(*decoded, *value)) return header_mismatch(parameter.header + " does not match the body");
  }
  return std::nullopt;
}

std::optional<rpc::Error> check_mirrored(const transport::HttpRequest& http, const rpc::Message& message) {
  const std::string_view method = http.header("mcp-method");
  if (!method.data()) return header_mismatch("Mcp-Method is missing");
  if (method != message.method) return header_mismatch("Mcp-Method does not match the body");
  const std::string_view member = named_by(message.method);
  if (member.empty()) return std::nullopt;
  const auto name = message.params ? json::find_string(*message.params, member) : std::nullopt;
  if (!name) return std::nullopt;  // the method itself will complain
  return check_one(http, "Mcp-Name", *name);
}

std::optional<std::string> decode_header_value(std::string_view value) {
  constexpr std::string_view kPrefix = "=?base64?";
  constexpr std::string_view kSuffix = "?=";
  if (value.size() < kPrefix.size() + kSuffix.size() || !value.starts_with(kPrefix) || !value.ends_with(kSuffix)) {
    return std::string(value);
  }
  value.remove_prefix(kPrefix.size());
  value.remove_suffix(kSuffix.size());
  return text::from_base64(value);
}

}  // namespace collet::protocol
