#include "client/mcp/http_message.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <optional>

#include "client/limits.h"
#include "client/mcp/message.h"
#include "client/mcp/mirrored_headers.h"
#include "client/net/text.h"

namespace collet::client {
namespace {

// What a refusal says: a JSON-RPC error, or a few words. A page or a traceback says nothing about sessions,
// whatever words it has.
struct Refusal {
  std::string text;           // in lower case
  bool of_transport = false;  // an error as SDKs make it before they look at the request
  std::optional<std::uint64_t> request;
};

// Of words about a session.
bool says_unknown(std::string_view text) {
  for (const std::string_view words :
       {"not found", "unknown", "expired", "invalid", "no valid", "not valid", "no such", "no session", "not exist",
        "n't exist", "terminated", "missing", "required"}) {
    if (text.find(words) != std::string_view::npos) return true;
  }
  return false;
}

Refusal read_refusal(std::string_view body) {
  constexpr std::size_t kWordsMax = 300;
  const auto message = parse_message(body);
  if (!message || !message->error.data()) return {lower(body.size() <= kWordsMax ? body : ""), false, {}};
  const RpcError error = read_error(message->error);
  const auto request = message->number();
  const bool of_transport =
      error.code == -32000 || error.code == -32001 || (!request && error.code == kInvalidRequest);
  return {lower(error.message), of_transport, request};
}

}  // namespace

void each_header(const Sender& sender, const Outgoing& message, bool post,
                 const std::function<void(std::string_view name, std::string_view value)>& add) {
  for (const HttpHeader& header : sender.headers) {
    const bool overridden =
        std::any_of(message.headers.begin(), message.headers.end(),
                    [&](const HttpHeader& other) { return equals_ignoring_case(header.name, other.name); });
    if (!overridden) add(header.name, header.value);
  }
  for (const HttpHeader& header : message.headers) add(header.name, header.value);
  if (post) add("Content-Type", "application/json");
  add("Accept", post ? "application/json, text/event-stream" : "text/event-stream");
  if (!sender.version.empty()) add("MCP-Protocol-Version", sender.version);
  if (!sender.session.empty()) add("Mcp-Session-Id", sender.session);
  if (sender.era == Era::modern && post) {
    add("Mcp-Method", message.method);
    if (!message.name.empty()) add("Mcp-Name", encode_header_value(message.name));
  }
}

bool has_type(const HttpHead& head, std::string_view type) {
  const std::string_view value = head.header("content-type");
  return equals_ignoring_case(value.substr(0, type.size()), type);
}

bool is_rpc_message(std::string_view body) {
  bool any = false;
  return for_each_message(body, [&](const Message&, std::string_view) { any = true; }).ok() && any;
}

std::string what_is_wrong(std::string_view body) {
  const auto read = for_each_message(body, [](const Message&, std::string_view) {});
  return read ? "its answer is none to this request" : "its answer is no message: " + read.message();
}

// 404 is what the specification has (2025-11-25, Session Management). Others answer 410, and 400, 500 or 503 with
// words, mostly in a JSON-RPC error that names no request. One that names the request is its answer, unless its
// code is one of those that SDKs use for the transport. A server that has failed in words of its own may have acted
// before.
SessionLoss session_loss(int status, std::string_view body, RequestId request, bool in_session) {
  const bool gone = status == 404 || status == 410;
  if (!gone && status != 400 && status != 500 && status != 503) return SessionLoss::none;
  const Refusal refusal = read_refusal(body);
  const bool speaks_of_it = refusal.text.find("session") != std::string::npos;
  if (status == 400 && refusal.of_transport && refusal.text.find("not initialized") != std::string::npos) {
    return SessionLoss::certain;
  }
  if (refusal.request && refusal.request == request && !(refusal.of_transport && speaks_of_it)) {
    return SessionLoss::none;
  }
  if (gone && in_session) return SessionLoss::certain;
  if (!speaks_of_it || (!in_session && status != 400)) return SessionLoss::none;
  if (says_unknown(refusal.text) && (status == 400 || refusal.of_transport)) return SessionLoss::certain;
  return in_session ? SessionLoss::possible : SessionLoss::none;
}

std::string describe(const HttpHead& head, std::string_view body) {
  constexpr std::size_t kShown = 200;
  std::string text = "HTTP status " + std::to_string(head.status);
  if (const std::string_view target = head.header("location"); head.status / 100 == 3 && target.data()) {
    return text + ": it redirects to " + std::string(target) + ", set `url` to that";
  }
  if (const std::string problem = encoding_problem(head); !problem.empty()) return text + ": " + problem;
  std::string_view shown = body.substr(0, body.find('\n')).substr(0, kShown);
  if (!shown.empty()) text += ": " + std::string(shown);
  if (const std::uint64_t pause = retry_after_ms(head)) {
    text += "; it asks to be tried again after " + std::to_string((pause + 999) / 1'000) + " s";
  }
  return text;
}

// Seconds, or a date (RFC 9110, 10.2.3).
std::uint64_t retry_after_ms(const HttpHead& head) {
  if (head.status != 429 && head.status != 503) return 0;
  const std::string value(head.header("retry-after"));
  constexpr std::int64_t kSecondsMax = limits::kRetryAfterMsMax / 1'000;
  std::int64_t seconds = 0;
  const auto [rest, bad] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (bad == std::errc::result_out_of_range) {
    seconds = kSecondsMax;
  } else if (bad != std::errc() || rest != value.data() + value.size()) {
    const time_t until = value.empty() ? -1 : curl_getdate(value.c_str(), nullptr);
    seconds = until == -1 ? 0 : until - std::time(nullptr);
  }
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(seconds, 0, kSecondsMax)) * 1'000;
}

std::string encoding_problem(const HttpHead& head) {
  const std::string_view encoding = head.header("content-encoding");
  if (encoding.empty() || equals_ignoring_case(encoding, "identity")) return {};
  return "its answer has the Content-Encoding " + std::string(encoding) + ", which was not asked for";
}

}  // namespace collet::client
