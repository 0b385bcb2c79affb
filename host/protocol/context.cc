#include "protocol/context.h"

#include "base/text.h"
#include "protocol/error.h"
#include "protocol/severity.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kProtocolVersion = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view kClientInfo = "io.modelcontextprotocol/clientInfo";
constexpr std::string_view kClientCapabilities = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view kLogLevel = "io.modelcontextprotocol/logLevel";

std::optional<rpc::Error> read_progress_token(Context& out) {
  const json::Value* token = out.meta ? json::find(*out.meta, "progressToken") : nullptr;
  if (token && !token->IsString() && !token->IsInt64() && !token->IsUint64()) {
    return rpc::invalid_params("_meta.progressToken must be a string or an integer");
  }
  out.progress_token = token;
  return std::nullopt;
}

std::optional<std::string> text_of(const json::Value* value) {
  if (!value) return std::nullopt;
  return json::to_text(*value);
}

// A JSON object, or nothing if there are none. A worker that nobody trusts gets it with each call: no credentials.
std::optional<std::string> headers_text(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    if (text::equals_ignoring_case(name, "authorization")) continue;
    out += out.empty() ? '{' : ',';
    text::append_json_string(out, name);
    out += ':';
    text::append_json_string(out, value);
  }
  if (out.empty()) return std::nullopt;
  return out + '}';
}

std::optional<std::string> unless_empty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

const json::Value* claimed_version(const rpc::Message& message) {
  return message.meta ? json::find(*message.meta, kProtocolVersion) : nullptr;
}

std::optional<rpc::Error> read_modern(const rpc::Message& message, Context& out) {
  out.era = Era::modern;
  out.meta = message.meta;
  const json::Value* version = claimed_version(message);
  if (!version || !version->IsString()) return bad_meta(fmt::format("_meta needs \"{}\"", kProtocolVersion));
  out.capabilities = json::find(*out.meta, kClientCapabilities);
  if (!out.capabilities || !out.capabilities->IsObject()) {
    return bad_meta(fmt::format("_meta needs \"{}\", an object", kClientCapabilities));
  }
  out.version = known_modern(json::view(*version));
  if (out.version.empty()) return unsupported_version(json::view(*version));
  out.client_info = json::find(*out.meta, kClientInfo);
  if (out.client_info && !out.client_info->IsObject())
    return bad_meta(fmt::format("\"{}\" must be an object", kClientInfo));
  if (const json::Value* level = json::find(*out.meta, kLogLevel)) {
    if (level->IsString()) out.log_severity = severity_from(json::view(*level));
    if (!out.log_severity) return bad_meta(fmt::format("\"{}\" is no log level", kLogLevel));
  }
  return read_progress_token(out);
}

std::optional<rpc::Error> read_legacy(const rpc::Message& message, Context& out) {
  out.era = Era::legacy;
  out.meta = message.meta;
  out.log_severity = out.session ? out.session->log_severity() : severity_from("info");
  return read_progress_token(out);
}

std::optional<std::string> Context::info(std::string_view key) const {
  if (key == "protocolVersion") return std::string(version);
  if (key == "era") return era == Era::modern ? "modern" : "legacy";
  if (key == "transport") return transport == Transport::http ? "http" : "stdio";
  if (key == "principal") return unless_empty(registry::id_of(principal));
  if (key == "tenant") return principal ? unless_empty(principal->tenant) : std::nullopt;
  if (key == "scopes") {
    const bool was_asked = principal && principal->kind == registry::Principal::Kind::token;
    return was_asked ? std::optional(text::json_strings(principal->scopes)) : std::nullopt;
  }
  if (key == "session") return session ? unless_empty(session->id()) : std::nullopt;
  if (key == "clientInfo") return session ? unless_empty(session->client().info) : text_of(client_info);
  if (key == "clientCapabilities") {
    return session ? unless_empty(session->client().capabilities) : text_of(capabilities);
  }
  if (key == "logLevel" && log_severity) return std::string(kSeverityNames[*log_severity]);
  if (key == mcp::kMeta) return text_of(meta);
  if (key == "headers") return headers_text(headers);
  if (key.starts_with("header:")) {
    for (const auto& [name, value] : headers) {
      if (text::equals_ignoring_case(name, key.substr(std::string_view("header:").size()))) return value;
    }
  }
  return std::nullopt;
}

}  // namespace collet::protocol
