// A call of the host for something that a remote offers, and how the remote is asked for it.
#pragma once

#include <collet/plugin.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/mcp/message.h"
#include "client/offer/config.h"
#include "client/offer/host.h"
#include "client/offer/imported_item.h"

namespace collet::client {

// A call as the host has made it.
struct IncomingCall {
  collet_call id = 0;
  std::uint32_t kind = COLLET_TOOL;
  std::uint64_t key = 0;  // collet_item_def.user
  std::uint32_t round = 0;
  std::uint32_t state_version = 0;
  std::string uri;  // of a resource that is read
  std::optional<std::string> arguments;
  std::string input_responses;  // JSON object, or empty
  std::string state;
};

std::string_view method_of(const IncomingCall& call);
// What is called, for Mcp-Name; empty: nothing.
std::string name_of(const IncomingCall& call, const RemoteItem& item);
// The members of its params, with commas between.
std::string params_of(const IncomingCall& call, const RemoteItem& item);

// The extension by which a call of a modern client may become a task.
inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";

// What is known of who has called.
struct Caller {
  std::string capabilities = "{}";
  std::string meta;  // members to hand on: trace context and what is not MCP's own
  std::string log_level;
  bool wants_progress = false;
  bool can_tasks = false;  // the extension
  bool too_far = false;    // it has come through too many gateways
};

// The call must not have ended.
Caller read_caller(const Host& host, collet_call call);
// The headers that depend on who has called, as they are configured.
Result<std::vector<HttpHeader>> caller_headers(const Host& host, collet_call call, const RemoteConfig& config);
// Progress or a log message that its remote has sent.
void tell(const Host& host, collet_call call, const Message& message);
// How much is heard of a log from this level on: 1 of "emergency", kLogRankMax of "debug"; 0: it is no level, and nothing is heard.
unsigned log_rank(std::string_view level);
inline constexpr unsigned kLogRankMax = 8;
// COLLET_LOG_* of a log message; of one that names no level we know, that of information.
std::uint32_t severity_of(const Message& message);

}  // namespace collet::client
