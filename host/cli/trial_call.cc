#include "cli/trial_call.h"

#include "base/json.h"
#include "cli/loaded.h"
#include "cli/terminal_call.h"
#include "registry/definition.h"

namespace collet::cli {
namespace {

// As a shell takes it for itself.
std::string in_shell(std::string_view word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The tool that was named, or one that changes nothing and can be called by what is known.
std::optional<TerminalCall> choose_call(const TrialCall& trial, const registry::Snapshot& snapshot) {
  TerminalCall call{.name = trial.tool,
                    .arguments = trial.arguments,
                    .timeout_ms = limits::kCallTimeoutMs,
                    .deadline_ms = trial.deadline_ms};
  if (!call.name.empty()) return call;
  for (const char* arguments : {R"({"text":"Collet is set up"})", "{}"}) {
    json::Document parsed;
    COLLET_ASSERT(!json::parse(arguments, parsed));
    for (const registry::Item& item : snapshot.items(registry::Kind::tool)) {
      const bool is_known = item.name == "echo" || std::string_view(arguments) == "{}";
      if (!is_known || !(item.compiled->hints & mcp::kReadOnly)) continue;
      if (registry::check_arguments(*item.compiled, *item.def, item.name, &parsed)) continue;
      call.name = item.name;
      call.arguments = arguments;
      return call;
    }
  }
  return std::nullopt;
}

}  // namespace

// As a client would: the command that was written is started and asked for a tool.
int trial_call(const TrialCall& trial, Output& out) {
  CommonOptions common;
  common.timeout_ms = trial.deadline_ms;
  for (const std::string& word : trial.words)
    common.command += (common.command.empty() ? "" : " ") + in_shell(word);
  const auto config = load_config(common);
  if (!config) return complain(config.message());
  service::Host host(*config, 1);
  if (const auto reached = load_and_await_remotes(host, common); !reached)
    return complain(reached.message(), kUnreachable);
  const registry::SnapshotPtr snapshot = host.registry().current();
  const auto wanted = choose_call(trial, *snapshot);
  const std::size_t tools = snapshot->items(registry::Kind::tool).size();
  say(fmt::format("Collet answers with {} tools.", tools));
  if (!wanted) {
    say("None of them can be called for a trial without arguments; say --call TOOL.");
    return kOk;
  }
  say(fmt::format("A call of {} through it:", wanted->name));
  return make_call(host, *wanted, out);
}

}  // namespace collet::cli
