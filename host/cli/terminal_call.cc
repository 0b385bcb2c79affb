#include "cli/terminal_call.h"

#include "base/json.h"
#include "cli/listing.h"
#include "cli/string_arguments.h"
#include "cli/typed_arguments.h"
#include "registry/callee.h"
#include "registry/deadlines.h"
#include "registry/ending.h"
#include "registry/invocation.h"
#include "service/interruption.h"

namespace collet::cli {
namespace {

class Listener final : public registry::Listener {
 public:
  Listener(loop::Loop& loop, Output& out, const TerminalCall& wanted, std::optional<std::string> arguments,
           const registry::Item& item)
      : loop_(loop),
        out_(out),
        wanted_(wanted),
        deadlines_(loop),
        invocation_({.kind = wanted.kind,
                     .name = wanted.name,
                     .arguments = std::move(arguments),
                     .timeout_ms = wanted.deadline_ms.value_or(item.def->timeout_ms ? item.def->timeout_ms : wanted.timeout_ms),
                     .completed = wanted.completed},
                    {.principal = std::make_shared<registry::Principal>(
                         registry::Principal{.kind = registry::Principal::Kind::local, .source = "this process"})},
                    sealer_, deadlines_, *this) {}

  int run(const registry::Snapshot& snapshot) {
    loop_.post([&] { invocation_.begin(snapshot, 0); });
    const service::Interruption interruption(loop_, [this] {
      say("collet: interrupted");
      invocation_.cancel(registry::CancelReason::client);
      loop_.stop();
    });
    if (!ended_) loop_.run();
    return exit_code_;
  }

  // Whether the plugin has ended the call.
  bool ended() const { return ended_; }

  void on_progress(const registry::Progress& progress) override {
    say(progress.total > 0 ? fmt::format("{}/{} {}", progress.done, progress.total, progress.message)
                           : fmt::format("{} {}", progress.done, progress.message));
  }
  void on_log(const registry::LogMessage& message) override {
    json::Document data;
    const bool is_text = !json::parse(message.data, data) && data.IsString();
    say(is_text ? json::view(data) : std::string_view(message.data));
  }
  void on_deadline() override {
    say(fmt::format("collet: the {} did not answer in time, asking it to stop", noun()));
    grace_.arm(deadlines_, limits::kCancelGraceMs);
  }
  void on_end(registry::Ending& ending) override {
    ended_ = true;
    switch (ending.how) {
      case registry::Ending::How::completed:
        exit_code_ = print_result(wanted_.kind, ending, wanted_.form, out_);
        break;
      case registry::Ending::How::failed:
        say(fmt::format("collet: the call failed: {} ({})", ending.message, ending.rpc_code));
        break;
      case registry::Ending::How::suspended:
        say(fmt::format("collet: the {} asks for input that a terminal call cannot give", noun()));
        break;
    }
    loop_.stop();
  }
  std::optional<std::string_view> info(std::string_view key) const override {
    if (key == "transport") return "cli";
    if (key == "logLevel") return "info";
    if (key == mcp::kMeta) return R"({"progressToken":1})";  // a person wants to see how far it is
    return std::nullopt;
  }

 private:
  std::string_view noun() const { return mcp::names_of(wanted_.kind).noun; }

  loop::Loop& loop_;
  Output& out_;
  const TerminalCall& wanted_;
  const registry::StateSealer sealer_;
  registry::Deadlines deadlines_;
  registry::Invocation invocation_;
  registry::Deadline grace_{[this] { loop_.stop(); }};
  bool ended_ = false;
  int exit_code_ = kToolError;
};

registry::Kind kind_of(const TerminalCall& call) {
  switch (call.kind) {
    case registry::CallKind::resource:
      return registry::Kind::resource;
    case registry::CallKind::prompt:
      return registry::Kind::prompt;
    case registry::CallKind::complete:
      return call.completed;
    default:
      return registry::Kind::tool;
  }
}

int complain_of_missing(service::Host& host, const registry::Snapshot& snapshot, const TerminalCall& call) {
  std::vector<std::string> known;
  for (const registry::Item& item : snapshot.items(kind_of(call))) known.push_back(item.name);
  return complain_of_unknown(mcp::names_of(kind_of(call)).word, call.name, known, remote_problems(host.remotes_status()));
}

// Of an item's arguments, typed as the schema says.
Result<std::string> typed(const TerminalCall& call, const json::Value& schema, const schema::Schema* compiled) {
  return call.words.empty() ? call.arguments : typed_arguments(schema, compiled, call.arguments, call.words);
}

Result<std::string> arguments_of(const registry::Item& item, const TerminalCall& call) {
  if (call.kind == registry::CallKind::complete) return completion_arguments(item, call.words);
  json::Document definition, schema;
  COLLET_ASSERT(!json::parse(item.def->definition, definition));
  if (call.kind == registry::CallKind::prompt) {
    COLLET_ASSERT(!json::parse(prompt_schema(definition), schema));
    return typed(call, schema, nullptr);
  }
  const json::Value* input = json::find(definition, mcp::kInputSchema);
  const json::Value anything(true);
  return typed(call, input ? *input : anything, item.compiled->input.get());
}

// Why the item does not take them, in words for a person; or nothing.
std::optional<std::string> problem_of(const registry::Item& item, registry::CallKind kind,
                                      const std::optional<std::string>& given) {
  json::Document arguments;
  COLLET_ASSERT(!given || (!json::parse(*given, arguments) && arguments.IsObject()));
  if (kind == registry::CallKind::tool) return registry::check_arguments(*item.compiled, *item.def, item.name, &arguments);
  if (kind == registry::CallKind::prompt) return registry::check_prompt_arguments(*item.def, &arguments);
  return std::nullopt;
}

}  // namespace

int make_call(service::Host& host, const TerminalCall& call, Output& out) {
  const registry::SnapshotPtr snapshot = host.registry().current();
  const auto found = registry::find_callee(*snapshot, {call.kind, kind_of(call), call.name}, nullptr, nullptr);
  if (!found.item) return host.exit_code = complain_of_missing(host, *snapshot, call);
  std::optional<std::string> arguments;
  if (call.kind != registry::CallKind::resource) {
    auto text = arguments_of(*found.item, call);
    if (!text) return host.exit_code = complain(text.message());
    arguments = *std::move(text);
  }
  if (const auto wrong = problem_of(*found.item, call.kind, arguments)) return host.exit_code = complain(*wrong, kToolError);
  Listener running(host.main_loop(), out, call, std::move(arguments), *found.item);
  host.exit_code = running.run(*snapshot);
  if (!running.ended()) host.unload_timeout_ms = limits::kHurriedUnloadMs;
  return host.exit_code;
}

}  // namespace collet::cli
