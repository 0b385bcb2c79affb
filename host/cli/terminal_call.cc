#include "cli/terminal_call.h"

#include "base/json.h"
#include "cli/listing.h"
#include "cli/typed_arguments.h"
#include "registry/deadlines.h"
#include "registry/ending.h"
#include "registry/invocation.h"
#include "service/interruption.h"

namespace collet::cli {
namespace {

// What a result is made of. It may be nested as deeply as is allowed, and stands in an array here.
std::vector<std::string> shown_content(const std::string& content, bool on_terminal) {
  json::Document blocks;
  COLLET_ASSERT(!json::parse("[" + content + "]", blocks, {.depth_max = limits::kJsonDepthMax + 1}));
  std::vector<std::string> shown;
  for (const json::Value& block : blocks.GetArray()) {
    const auto text = json::find_string(block, "text");
    const auto data = json::find_string(block, "data");
    if (text) {
      shown.emplace_back(*text);
    } else if (data && on_terminal) {
      shown.push_back(fmt::format("[{}, {}, {} bytes of base64]", json::find_string(block, "type").value_or("data"),
                                  json::find_string(block, "mimeType").value_or("of no type"), data->size()));
    } else {
      shown.push_back(json::to_text(block));
    }
  }
  return shown;
}

class Listener final : public registry::Listener {
 public:
  Listener(loop::Loop& loop, Output& out, const TerminalCall& wanted, const std::string& arguments,
           const registry::Item& item)
      : loop_(loop),
        out_(out),
        json_(wanted.json),
        deadlines_(loop),
        invocation_({.name = item.name,
                     .arguments = arguments,
                     .timeout_ms = wanted.deadline_ms.value_or(item.def->timeout_ms ? item.def->timeout_ms : wanted.timeout_ms)},
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

  // Whether the tool has ended the call.
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
    say("collet: the tool did not answer in time, asking it to stop");
    grace_.arm(deadlines_, limits::kCancelGraceMs);
  }
  void on_end(registry::Ending& ending) override {
    ended_ = true;
    switch (ending.how) {
      case registry::Ending::How::completed:
        json_ ? out_.write(registry::result_text(registry::CallKind::tool, ending) + '\n') : print_text(ending);
        exit_code_ = ending.is_error ? kToolError : kOk;
        break;
      case registry::Ending::How::failed:
        say(fmt::format("collet: the call failed: {} ({})", ending.message, ending.rpc_code));
        break;
      case registry::Ending::How::suspended:
        say("collet: the tool asks for input that a terminal call cannot give");
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
  void print_text(const registry::Ending& ending) {
    const std::vector<std::string> shown = shown_content(ending.content, out_.is_terminal());
    for (const std::string& block : shown) out_.write(block + '\n');
    if (shown.empty() && !ending.structured.empty()) out_.write(ending.structured + '\n');
  }

  loop::Loop& loop_;
  Output& out_;
  const bool json_;
  const registry::StateSealer sealer_;
  registry::Deadlines deadlines_;
  registry::Invocation invocation_;
  registry::Deadline grace_{[this] { loop_.stop(); }};
  bool ended_ = false;
  int exit_code_ = kToolError;
};

std::vector<std::string> tool_names(const registry::Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const registry::Item& tool : snapshot.items(registry::Kind::tool)) names.push_back(tool.name);
  return names;
}

Result<std::string> arguments_of(const registry::Item& tool, const TerminalCall& call) {
  if (call.words.empty()) return call.arguments;
  json::Document definition;
  COLLET_ASSERT(!json::parse(tool.def->definition, definition));
  const json::Value* schema = json::find(definition, mcp::kInputSchema);
  const json::Value anything(true);
  return typed_arguments(schema ? *schema : anything, tool.compiled->input.get(), call.arguments, call.words);
}

}  // namespace

int call_tool(service::Host& host, const TerminalCall& call, Output& out) {
  const registry::SnapshotPtr snapshot = host.registry().current();
  const registry::Item* item = snapshot->find(registry::Kind::tool, call.tool);
  if (!item) {
    return host.exit_code =
               complain_of_unknown("tool", call.tool, tool_names(*snapshot), remote_problems(host.remotes_status()));
  }
  const auto text = arguments_of(*item, call);
  if (!text) return host.exit_code = complain(text.message());
  json::Document arguments;
  COLLET_ASSERT(!json::parse(*text, arguments) && arguments.IsObject());
  if (const auto wrong = registry::check_arguments(*item->compiled, *item->def, item->name, &arguments))
    return host.exit_code = complain(*wrong, kToolError);
  Listener running(host.main_loop(), out, call, *text, *item);
  host.exit_code = running.run(*snapshot);
  if (!running.ended()) host.unload_timeout_ms = limits::kHurriedUnloadMs;
  return host.exit_code;
}

}  // namespace collet::cli
