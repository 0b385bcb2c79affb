#include "service/activity_log.h"

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/display.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "registry/ending.h"
#include "registry/principal.h"

namespace collet::service {
namespace {

// "alice", as the configuration names whoever calls.
std::string_view name_of(const registry::Principal* principal) {
  if (!principal) return "anybody";
  if (!principal->id.empty()) return principal->id;
  return principal->kind == registry::Principal::Kind::local ? "this process" : "anybody";
}

// A URI may have a password, or a key in its query.
std::string shown_name(const registry::CallFacts& facts) {
  const std::string name(facts.name.substr(0, limits::kLoggedNameBytesMax));
  return text::in_quotes(facts.kind == registry::CallKind::resource ? display::redact_url(name) : name);
}

std::string shown_generation(std::uint64_t generation) {
  return generation ? fmt::format("generation {}", generation) : "while it was replaced";
}

std::string outcome_of(const registry::CallEnd& end) {
  switch (end.how) {
    case registry::Ending::How::completed:
      return end.is_error ? "completed with an error" : "completed";
    case registry::Ending::How::failed:
      return fmt::format("failed ({})", end.rpc_code);
    case registry::Ending::How::suspended:
      return "asked for input";
  }
  return {};
}

std::string outcome_of(const protocol::RequestEnd& end) {
  switch (end.how) {
    case protocol::RequestEnd::How::result:
      return "result";
    case protocol::RequestEnd::How::error:
      return fmt::format("error {}", end.code);
    case protocol::RequestEnd::How::gone:
      return "its client has left it";
  }
  return {};
}

}  // namespace

void ActivityLog::join(const config::Log& wanted, registry::Registry& registry, protocol::ServerOptions& options) {
  if (!log::enabled(log::Level::info)) return;
  const bool all = log::enabled(log::Level::debug);
  if (wanted.calls || all) registry.observe(*this);
  if (wanted.requests || all) options.observers.push_back(this);
}

void ActivityLog::on_call_ended(const registry::CallFacts& facts, const registry::CallEnd& end) {
  log::info("call of {} {} for {}: {} by plugin {}, {}, in {} µs, {} bytes in, {} out{}{}", mcp::names_of(facts.kind).noun,
            shown_name(facts), name_of(facts.principal), outcome_of(end), facts.plugin, shown_generation(facts.generation),
            end.took_us, facts.bytes, end.bytes, facts.round ? fmt::format(", round {}", facts.round) : "",
            facts.depth ? fmt::format(", depth {}", facts.depth) : "");
  if (end.reason.empty()) return;
  log::debug("plugin {}: {} {} says: {}", facts.plugin, mcp::names_of(facts.kind).noun, shown_name(facts),
             end.reason.substr(0, limits::kLoggedReasonBytesMax));
}

void ActivityLog::on_request_ended(const protocol::RequestFacts& facts, const protocol::RequestEnd& end) {
  const std::string method = facts.method.empty() ? "that cannot be read" : text::in_quotes(facts.method);
  log::info("request {} of {} ({}, {}): {} in {} µs, {} bytes", method, name_of(facts.principal),
            facts.era == protocol::Era::modern ? "modern" : "legacy",
            facts.transport == protocol::Transport::http ? "http" : "stdio", outcome_of(end), end.took_us, end.bytes);
}

void ActivityLog::on_request_denied(const protocol::DeniedRequest& request) {
  log::info("request to {} from {} is denied: status {}", text::in_quotes(request.path), request.client, request.status);
}

}  // namespace collet::service
