#include "cli/terminal_call.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "base/json.h"
#include "base/text.h"
#include "foreign/remote.h"

namespace collet::cli {
namespace {

// What the other side of a call says; it may not steer the terminal.
void say(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    fmt::print(stderr, "{}\n", foreign::printable(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

class Listener final : public registry::Listener {
 public:
  Listener(loop::Loop& loop, int out, bool json) : loop_(loop), out_(out), json_(json) {}

  int run(const registry::Item& item, const std::string& arguments, std::uint64_t timeout_ms) {
    registry::Call call;
    call.handle = item.def->handle;
    call.name = item.def->name;
    call.arguments = arguments;
    call.timeout_ms = item.def->timeout_ms ? item.def->timeout_ms : timeout_ms;
    loop::Timer deadline(loop_);
    loop_.post([&] {
      id_ = item.provider->start(call, *this);
      if (ended_) return;
      deadline.start(call.timeout_ms, [this, &item] {
        std::fprintf(stderr, "collet: the tool did not answer in time, asking it to stop\n");
        item.provider->cancel(id_, registry::CancelReason::deadline);
      });
    });
    const loop::Signal interrupt(loop_, SIGINT, [this, &item] {
      std::fprintf(stderr, "collet: interrupted\n");
      if (id_) item.provider->cancel(id_, registry::CancelReason::client);
      loop_.stop();
    });
    if (!ended_) loop_.run();
    return exit_code_;
  }

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
        std::fprintf(stderr, "collet: the tool asks for input that a terminal call cannot give\n");
        break;
    }
    loop_.stop();
  }
  std::optional<std::string_view> info(std::string_view key) const override {
    if (key == "transport") return "cli";
    return std::nullopt;
  }

 private:
  void print_text(const registry::Ending& ending) {
    json::Document content;
    COLLET_ASSERT(!json::parse("[" + ending.content + "]", content));
    for (const json::Value& block : content.GetArray()) {
      const auto text = json::find_string(block, "text");
      const std::string line = text ? std::string(*text) : json::to_text(block);
      dprintf(out_, "%s\n", line.c_str());
    }
    if (content.Empty() && !ending.structured.empty()) dprintf(out_, "%s\n", ending.structured.c_str());
  }

  void print_json(const registry::Ending& ending) {
    std::string text = R"({"content":[)" + ending.content + "]";
    if (!ending.structured.empty()) text += R"(,"structuredContent":)" + ending.structured;
    if (!ending.fields.empty()) text += "," + ending.fields;
    if (!ending.meta.empty()) text += R"(,"_meta":)" + ending.meta;
    text += ending.is_error ? R"(,"isError":true})" : "}";
    dprintf(out_, "%s\n", text.c_str());
  }

  loop::Loop& loop_;
  const int out_;
  const bool json_;
  registry::CallId id_ = 0;
  bool ended_ = false;
  int exit_code_ = kToolError;
};

}  // namespace

int call_tool(Host& host, const TerminalCall& call) {
  json::Document arguments;
  if (json::parse(call.arguments, arguments) || !arguments.IsObject()) {
    return complain("--args must be a JSON object");
  }
  const registry::SnapshotPtr snapshot = host.registry().current();
  const registry::Item* item = snapshot->find(registry::Kind::tool, call.tool);
  if (!item) return complain("there is no tool " + call.tool + "; `collet list` shows what there is");
  if (const auto wrong = registry::check_arguments(*item->compiled, *item->def, item->name, &arguments))
    return complain(*wrong, kToolError);
  Listener running(host.main_loop(), call.out, call.json);
  host.exit_code = running.run(*item, call.arguments, call.timeout_ms);
  return host.exit_code;
}

}  // namespace collet::cli
