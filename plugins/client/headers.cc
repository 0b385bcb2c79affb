#include "client/headers.h"

#include <strings.h>

#include <algorithm>
#include <cstdint>

#include <collet/json.hpp>

#include "client/auth/encoding.h"
#include "client/message.h"

namespace collet::client {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

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
  } catch (const Error& wrong) {
    return Failure{wrong.what()};
  }
  if (!reader.problem.empty()) return Failure{reader.problem};
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
  return "=?base64?" + auth::base64(value) + "?=";
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return (c >= ' ' && c < '\x7f') || c == '\t'; });
}

Result<HttpHeader> checked_header(std::string_view name, std::string_view value) {
  if (!is_header_name(name)) return Failure{"'" + std::string(name) + "' is no name of a header"};
  while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
  const auto what = "header " + std::string(name);
  if (value.find_first_of("\r\n") != value.npos) return Failure{what + ": its value has a line break"};
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control))
    return Failure{what + ": its value has a control character"};
  return HttpHeader{std::string(name), std::string(value)};
}

std::string origin_of(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return {};
  std::string origin(url.substr(0, url.find_first_of("/?#", colon + 3)));
  if (const std::size_t at = origin.rfind('@'); at != std::string::npos) origin.erase(colon + 3, at - colon - 2);
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool secure = origin.starts_with("https://");
  if (!secure && !origin.starts_with("http://")) return {};
  if (origin.size() == colon + 3) return {};  // libcurl finds a host further on
  const std::string_view usual = secure ? ":443" : ":80";
  if (origin.ends_with(usual) && origin.size() > usual.size()) origin.resize(origin.size() - usual.size());
  return origin;
}

}  // namespace collet::client
