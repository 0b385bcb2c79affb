#include "cli/activity_log.h"

#include "base/log.h"
#include "base/text.h"
#include "registry/principal.h"

namespace collet::cli {
namespace {

// "alice", as the configuration names whoever calls.
std::string_view name_of(const registry::Principal* principal) {
  if (!principal) return "anybody";
  if (!principal->id.empty()) return principal->id;
  return principal->kind == registry::Principal::Kind::local ? "this process" : "anybody";
}

std::string_view noun(registry::CallKind kind) {
  switch (kind) {
    case registry::CallKind::tool:
      return "tool";
    case registry::CallKind::resource:
      return "resource";
    case registry::CallKind::prompt:
      return "prompt";
    case registry::CallKind::complete:
      return "completion";
    case registry::CallKind::route:
      return "route";
  }
  return "item";
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
  if (wanted.calls) registry.observe(*this);
  if (wanted.requests) options.observers.push_back(this);
}

void ActivityLog::on_call_ended(const registry::CallFacts& facts, const registry::CallEnd& end) {
  log::info("call of {} {} for {}: {} by plugin {}, generation {}, in {} µs, {} bytes in, {} out{}{}", noun(facts.kind),
            text::in_quotes(facts.name), name_of(facts.principal), outcome_of(end), facts.plugin, facts.generation,
            end.took_us, facts.bytes, end.bytes, facts.round ? fmt::format(", round {}", facts.round) : "",
            facts.depth ? fmt::format(", inside of {}", facts.depth) : "");
}

void ActivityLog::on_request_ended(const protocol::RequestFacts& facts, const protocol::RequestEnd& end) {
  log::info("request {} of {} ({}, {}): {} in {} µs, {} bytes", text::in_quotes(facts.method), name_of(facts.principal),
            facts.era == protocol::Era::modern ? "modern" : "legacy",
            facts.transport == protocol::Transport::http ? "http" : "stdio", outcome_of(end), end.took_us, end.bytes);
}

}  // namespace collet::cli
