#include "cli/terminal_call.h"

#include "base/json.h"
#include "cli/interruption.h"
#include "cli/listing.h"
#include "registry/principal.h"

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
  Listener(loop::Loop& loop, Output& out, bool json) : loop_(loop), out_(out), json_(json) {}

  int run(const registry::Item& item, const TerminalCall& wanted) {
    registry::Call call;
    call.handle = item.def->handle;
    call.name = item.def->name;
    call.arguments = wanted.arguments;
    call.principal = &principal_;
    call.timeout_ms = wanted.deadline_ms.value_or(item.def->timeout_ms ? item.def->timeout_ms : wanted.timeout_ms);
    loop::Timer deadline(loop_);
    loop_.post([&] {
      id_ = item.provider->start(call, *this);
      if (ended_) return;
      deadline.start(call.timeout_ms, [&] {
        say("collet: the tool did not answer in time, asking it to stop");
        item.provider->cancel(id_, registry::CancelReason::deadline);
        if (!ended_) deadline.start(limits::kCancelGraceMs, [this] { loop_.stop(); });
      });
    });
    const Interruption interruption(loop_, [this, &item] {
      say("collet: interrupted");
      if (id_) item.provider->cancel(id_, registry::CancelReason::client);
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
  void on_end(registry::Ending& ending) override {
    ended_ = true;
    switch (ending.how) {
      case registry::Ending::How::completed:
        json_ ? print_json(ending) : print_text(ending);
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
    if (key == "_meta") return R"({"progressToken":1})";  // a person wants to see how far it is
    return std::nullopt;
  }

 private:
  const registry::Principal principal_{.kind = registry::Principal::Kind::local, .source = "this process"};

  void print_text(const registry::Ending& ending) {
    const std::vector<std::string> shown = shown_content(ending.content, out_.is_terminal());
    for (const std::string& block : shown) out_.write(block + '\n');
    if (shown.empty() && !ending.structured.empty()) out_.write(ending.structured + '\n');
  }

  void print_json(const registry::Ending& ending) {
    std::string text = R"({"content":[)" + ending.content + "]";
    if (!ending.structured.empty()) text += R"(,"structuredContent":)" + ending.structured;
    if (!ending.fields.empty()) text += "," + ending.fields;
    if (!ending.meta.empty()) text += R"(,"_meta":)" + ending.meta;
    text += ending.is_error ? R"(,"isError":true})" : "}";
    out_.write(text + '\n');
  }

  loop::Loop& loop_;
  Output& out_;
  const bool json_;
  registry::CallId id_ = 0;
  bool ended_ = false;
  int exit_code_ = kToolError;
};

std::vector<std::string> tool_names(const registry::Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const registry::Item& tool : snapshot.items(registry::Kind::tool)) names.push_back(tool.name);
  return names;
}

}  // namespace

int call_tool(Host& host, const TerminalCall& call, Output& out) {
  json::Document arguments;
  COLLET_ASSERT(!json::parse(call.arguments, arguments) && arguments.IsObject());
  const registry::SnapshotPtr snapshot = host.registry().current();
  const registry::Item* item = snapshot->find(registry::Kind::tool, call.tool);
  if (!item) {
    const std::string meant = suggestion(call.tool, tool_names(*snapshot));
    std::string why = fmt::format("there is no tool {}{}", call.tool,
                                  meant.empty() ? "; `collet list` shows what there is" : meant);
    const std::vector<std::string> problems = remote_problems(host.remotes_status());
    for (const std::string& problem : problems) why += "\n  " + problem;
    return complain(why, problems.empty() ? kUsage : kUnreachable);
  }
  if (const auto wrong = registry::check_arguments(*item->compiled, *item->def, item->name, &arguments))
    return complain(*wrong, kToolError);
  Listener running(host.main_loop(), out, call.json);
  host.exit_code = running.run(*item, call);
  if (!running.ended()) host.unload_timeout_ms = limits::kHurriedUnloadMs;
  return host.exit_code;
}

}  // namespace collet::cli
