// MCP's messages as HTTP carries them (2026-07-28, basic/transports/streamable-http).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/mcp/transport.h"
#include "client/net/http.h"

namespace collet::client {

// Who sends, as its headers say it.
struct Sender {
  std::vector<HttpHeader> headers;  // of every request
  Era era = Era::modern;
  std::string version;  // of the protocol; empty: not agreed upon
  std::string session;  // likewise
};

// Calls `add` with each header of a message that is sent as a POST, or of a GET that opens a stream.
void each_header(const Sender& sender, const Outgoing& message, bool post,
                 const std::function<void(std::string_view name, std::string_view value)>& add);

bool has_type(const HttpHead& head, std::string_view type);
bool is_rpc_message(std::string_view body);
// Of a body that has not answered the request, in words.
std::string what_is_wrong(std::string_view body);
// A response that is no answer, likewise.
std::string describe(const HttpHead& head, std::string_view body);
// How long a response of 429 or 503 asks us to wait, within kRetryAfterMsMax; 0: it does not say.
std::uint64_t retry_after_ms(const HttpHead& head);
// Why its body cannot be read at all; empty: it can.
std::string encoding_problem(const HttpHead& head);

// Whether a response refuses a request because of our session.
enum class SessionLoss : std::uint8_t {
  none,
  possible,  // it speaks of it: the remote may have acted on the request
  certain,   // it does not know it, so that it has not
};
// `request` is what was refused; `in_session`: it was one of a legacy session.
SessionLoss session_loss(int status, std::string_view body, RequestId request, bool in_session);

}  // namespace collet::client
