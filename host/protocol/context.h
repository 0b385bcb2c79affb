// Who asks, in which era and version, and what they want to hear: read from the message, never from the connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "protocol/legacy/session.h"
#include "protocol/version.h"
#include "registry/principal.h"
#include "rpc/error.h"
#include "rpc/message.h"

namespace collet::protocol {

enum class Transport : std::uint8_t { http, stdio };

// Valid as long as the request it was read from.
struct Context {
  Era era = Era::modern;
  Transport transport = Transport::http;
  std::string_view version;
  registry::PrincipalPtr principal;             // who asks
  SessionPtr session;                           // legacy, once initialized
  const json::Value* meta = nullptr;            // params._meta, an object or null
  const json::Value* client_info = nullptr;     // modern
  const json::Value* capabilities = nullptr;    // modern
  const json::Value* progress_token = nullptr;  // string or integer, or null
  std::optional<unsigned> log_severity;         // the least severe message that is wanted; none: no messages
  std::vector<std::pair<std::string, std::string>> headers;  // those of ServerOptions::kept_headers

  // Text for collet_host.call_info; nothing if unknown.
  std::optional<std::string> info(std::string_view key) const;
};

// The protocol version that _meta claims; nothing if there is none. Not yet checked.
const json::Value* claimed_version(const rpc::Message& message);

// Fills in what a modern request says of itself in _meta (2026-07-28, basic, _meta).
std::optional<rpc::Error> read_modern(const rpc::Message& message, Context& out);
// Fills in what a legacy request says; `version` and `session` are the caller's to set.
std::optional<rpc::Error> read_legacy(const rpc::Message& message, Context& out);

}  // namespace collet::protocol
