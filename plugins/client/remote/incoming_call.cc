#include "client/remote/incoming_call.h"

#include <algorithm>
#include <array>

#include "client/limits.h"
#include "client/net/http_header.h"
#include "client/offer/lineage.h"

namespace collet::client {
namespace {

constexpr std::string_view kOwn = "io.modelcontextprotocol/";
constexpr std::array<std::string_view, kLogRankMax> kSeverities = {"emergency", "alert",  "critical", "error",
                                                         "warning",   "notice", "info",     "debug"};

// What of the caller's abilities counts for a remote: extensions are between each pair of neighbours.
std::string relayed(std::string_view capabilities) {
  std::string out;
  for_each_member(capabilities, [&](std::string_view key, std::string_view value) {
    if (key != "extensions" && key != "tasks") append_member(out, key, value);
  });
  return "{" + out + "}";
}

}  // namespace

std::string_view method_of(const IncomingCall& call) {
  switch (call.kind) {
    case COLLET_RESOURCE:
      return "resources/read";
    case COLLET_PROMPT:
      return "prompts/get";
    case COLLET_COMPLETE:
      return "completion/complete";
    default:
      return "tools/call";
  }
}

std::string name_of(const IncomingCall& call, const RemoteItem& item) {
  if (call.kind == COLLET_COMPLETE) return {};
  return call.kind == COLLET_RESOURCE ? call.uri : item.name;
}

std::string params_of(const IncomingCall& call, const RemoteItem& item) {
  std::string out;
  out.reserve(64 + item.name.size() + (call.arguments ? call.arguments->size() : 0) + call.input_responses.size());
  if (call.kind == COLLET_COMPLETE) {
    const bool prompt = item.kind == COLLET_PROMPT;
    out += prompt ? R"("ref":{"type":"ref/prompt","name":)" : R"("ref":{"type":"ref/resource","uri":)";
    append_json(out, item.name);
    out += '}';
    const std::string_view members = call.arguments ? members_of(*call.arguments) : std::string_view();
    if (!members.empty()) out.append(",").append(members);
    return out;
  }
  out += call.kind == COLLET_RESOURCE ? R"("uri":)" : R"("name":)";
  append_json(out, call.kind == COLLET_RESOURCE ? call.uri : item.name);
  if (call.arguments) out.append(R"(,"arguments":)").append(*call.arguments);
  if (!call.input_responses.empty()) out.append(R"(,"inputResponses":)").append(call.input_responses);
  return out;
}

Caller read_caller(const Host& host, collet_call call) {
  Caller caller;
  bool has_capabilities = false;
  std::uint64_t hops = 0;
  if (const auto meta = host.info(call, "_meta")) {
    for_each_member(*meta, [&](std::string_view key, std::string_view value) {
      if (key == "progressToken") {
        caller.wants_progress = true;
      } else if (key == "io.modelcontextprotocol/clientCapabilities") {
        caller.capabilities = relayed(value);
        caller.can_tasks = find_member(find_member(value, "extensions"), kTasksExtension).data();
        has_capabilities = true;
      } else if (key == kHops) {
        hops = static_cast<std::uint64_t>(std::clamp(to_number(value), 0.0, double{limits::kHopsMax}));
      } else if (!key.starts_with(kOwn)) {
        append_member(caller.meta, key, value);
      }
    });
  }
  if (!has_capabilities) {
    if (const auto capabilities = host.info(call, "clientCapabilities"))
      caller.capabilities = relayed(*capabilities);
  }
  caller.too_far = hops >= limits::kHopsMax;
  append_member(caller.meta, kHops, std::to_string(hops + 1));
  caller.log_level = host.info(call, "logLevel").value_or("");
  return caller;
}

Result<std::vector<HttpHeader>> caller_headers(const Host& host, collet_call call, const RemoteConfig& config) {
  std::vector<HttpHeader> out;
  if (config.url.empty()) return out;
  const CallerLookup lookup{[&](std::string_view key) { return host.info(call, key); }};
  for (const std::string& name : config.forward_headers) {
    if (auto value = host.info(call, "header:" + name); value && is_header_value(*value))
      out.push_back({name, *value});
  }
  if (config.forward_token) {
    if (auto value = host.info(call, "header:authorization")) out.push_back({"Authorization", *value});
  }
  for (const auto& [name, text] : config.headers) {
    if (is_constant(text)) continue;
    auto value = expand(text, config, lookup);
    if (!value) return Error{"header " + name + ": " + value.message()};
    auto header = checked_header(name, *value);
    if (!header) return header.failure();
    if (!is_header_value(header->value))
      return Error{"header " + name + " would have characters that no header can have"};
    out.push_back(std::move(*header));
  }
  return out;
}

void tell(const Host& host, collet_call call, const Message& message) {
  if (message.method == "notifications/progress") {
    const double done = to_number(find_member(message.params, "progress"));
    const double total = to_number(find_member(message.params, "total"));
    return host.progress(call, done, total, find_string(message.params, "message").value_or(""));
  }
  const std::string_view data = find_member(message.params, "data");
  host.log(call, severity_of(message), find_string(message.params, "logger").value_or(""),
           data.data() ? data : "null");
}

unsigned log_rank(std::string_view level) {
  const auto found = std::find(kSeverities.begin(), kSeverities.end(), level);
  return found == kSeverities.end() ? 0 : static_cast<unsigned>(found - kSeverities.begin()) + 1;
}

std::uint32_t severity_of(const Message& message) {
  const std::string level = find_string(message.params, "level").value_or("");
  const auto found = std::find(kSeverities.begin(), kSeverities.end(), level);
  return found == kSeverities.end() ? COLLET_LOG_INFO : static_cast<std::uint32_t>(found - kSeverities.begin());
}

}  // namespace collet::client
