#include "client/mcp/mirrored_headers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <collet/json.hpp>
#include <collet/kit/base64.hpp>

#include "client/mcp/message.h"
#include "client/net/text.h"

namespace collet::client {
namespace {

bool is_plain(std::string_view value) {
  if (value.empty()) return true;
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (blank(value.front()) || blank(value.back())) return false;
  if (value.starts_with("=?base64?") && value.ends_with("?=")) return false;
  return is_header_value(value);
}

struct Reader {
  std::vector<MirroredParameter> out;
  std::string problem;

  // Annotations count on chains of `properties` only. Each byte is read once, however deep the schema is.
  void read_schema(JsonReader& in, std::vector<std::string>& path) {
    std::string_view annotation, type;
    in.read_object([&](std::string_view key) {
      if (key == "properties" && is_object(in)) return read_properties(in, path);
      const std::string_view value = in.read_raw();
      if (key == "x-mcp-header") annotation = value;
      if (key == "type") type = value;
    });
    if (annotation.data() && !path.empty()) add(to_string(annotation), to_string(type).value_or(""), path);
  }

  void read_properties(JsonReader& in, std::vector<std::string>& path) {
    in.read_object([&](std::string_view name) {
      path.emplace_back(name);
      is_object(in) ? read_schema(in, path) : void(in.read_raw());
      path.pop_back();
    });
  }

  static bool is_object(JsonReader& in) { return in.peek() == std::string_view("object"); }

  void add(const std::optional<std::string>& name, std::string_view type, const std::vector<std::string>& path) {
    if (!name || !is_header_name(*name)) {
      problem = "its x-mcp-header of " + path.back() + " is no header name";
      return;
    }
    if (type != "string" && type != "integer" && type != "boolean") {
      problem = "its x-mcp-header of " + path.back() + " is not on a string, integer or boolean";
      return;
    }
    std::string header = "Mcp-Param-" + *name;
    if (std::any_of(out.begin(), out.end(),
                    [&](const auto& other) { return equals_ignoring_case(other.header, header); })) {
      problem = "it has two parameters for " + header;
      return;
    }
    out.push_back({std::move(header), path});
  }
};

}  // namespace

Result<std::vector<MirroredParameter>> read_mirrored(std::string_view input_schema) {
  if (input_schema.find("x-mcp-header") == std::string_view::npos) return std::vector<MirroredParameter>();
  Reader reader;
  std::vector<std::string> path;
  try {
    JsonReader in(input_schema);
    reader.read_schema(in, path);
  } catch (const collet::Error& wrong) {
    return Error{wrong.what()};
  }
  if (!reader.problem.empty()) return Error{reader.problem};
  return std::move(reader.out);
}

std::vector<HttpHeader> mirrored_headers(const std::vector<MirroredParameter>& parameters,
                                         std::string_view arguments) {
  std::vector<HttpHeader> headers;
  for (const MirroredParameter& parameter : parameters) {
    std::string_view value = arguments;
    for (const std::string& key : parameter.path) value = find_member(value, key);
    if (!value.data() || value == "null") continue;
    if (value.starts_with('{') || value.starts_with('[')) continue;
    const auto text = to_string(value);
    headers.push_back({parameter.header, encode_header_value(text ? std::string_view(*text) : value)});
  }
  return headers;
}

std::string encode_header_value(std::string_view value) {
  if (is_plain(value)) return std::string(value);
  return "=?base64?" + kit::base64(value) + "?=";
}

}  // namespace collet::client
