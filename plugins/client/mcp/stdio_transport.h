// A remote that is a child process: one message a line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "client/mcp/message.h"
#include "client/mcp/transport.h"
#include "client/net/child.h"

namespace collet::client {

class StdioTransport final : public Transport, private ChildListener {
 public:
  // `started` is called once the child runs, later; what is sent before waits. If it cannot run the connection goes down.
  // `log` is given what it writes to stderr. `children` and `listener` are borrowed.
  static Result<std::unique_ptr<StdioTransport>> start(Children& children, const Command& command,
                                                       TransportListener& listener, std::function<void()> started,
                                                       std::function<void(std::string_view)> log);
  ~StdioTransport() override {
    if (child_) child_->end();
  }

  void send(Outgoing message) override {
    const std::uint64_t end = child_->write(on_one_line(std::move(message.text)));
    if (message.id) ends_.emplace(message.id, end);
  }
  void finish(RequestId id, bool) override { ends_.erase(id); }
  void set_version(Era, std::string_view) override {}
  // Where requests may be sent from elsewhere, each as a line.
  std::shared_ptr<ChildInput> input() const { return child_->input(); }

 private:
  StdioTransport(TransportListener& listener, std::function<void()> started, std::function<void(std::string_view)> log)
      : listener_(listener), started_(std::move(started)), log_(std::move(log)) {}

  void on_started() override { started_(); }
  void on_line(std::string_view line) override {
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) listener_.on_text(line, 0);
  }
  void on_error_line(std::string_view line) override { log_(line); }
  void on_ended(const std::string& reason, std::uint64_t taken) override {
    for (const auto& [id, end] : std::exchange(ends_, {})) {
      if (end > taken) listener_.on_lost(id, {.sent = false, .http_status = 0, .message = reason});
    }
    listener_.on_down(reason);
  }

  TransportListener& listener_;
  const std::function<void()> started_;
  const std::function<void(std::string_view)> log_;
  std::unique_ptr<Child> child_;
  std::map<RequestId, std::uint64_t> ends_;  // of requests under way: how much was queued with them
};

inline Result<std::unique_ptr<StdioTransport>> StdioTransport::start(Children& children, const Command& command,
                                                                     TransportListener& listener,
                                                                     std::function<void()> started,
                                                                     std::function<void(std::string_view)> log) {
  std::unique_ptr<StdioTransport> made(new StdioTransport(listener, std::move(started), std::move(log)));
  auto child = children.start(command, *made);
  if (!child) return child.failure();
  made->child_ = std::move(*child);
  return made;
}

}  // namespace collet::client
