// MCP over one pair of streams: a line is a message.
#pragma once

#include <memory>

#include "base/callback.h"
#include "protocol/server.h"
#include "transport/lines.h"

namespace collet::protocol {

// Loop thread. `on_end` is called once when the client has closed its side; the endpoint is then quiet.
class StdioEndpoint final : public transport::LineHandler, public StdioClient {
 public:
  StdioEndpoint(ServerLoop& loop, int in, int out, std::size_t line_bytes_max, Callback<void()> on_end);
  ~StdioEndpoint();

  // Calls `done` when everything that was answered has been taken.
  void flush(Callback<void()> done) { stream_.flush(std::move(done)); }

  void on_line(std::string_view line) override;
  void on_line_too_long() override;
  void on_end() override;

  void send(std::string_view message) override { stream_.write({&message, 1}); }
  Session& session() override { return *session_; }

 private:
  std::optional<rpc::Error> identify(Request& request);

  ServerLoop& loop_;
  EventBudget no_events_{0};  // a stream that breaks is not resumed
  const SessionPtr session_ = std::make_shared<Session>("", "", no_events_);
  transport::LineStream stream_;
  LineOutlet outlet_;
  Callback<void()> on_end_;
};

}  // namespace collet::protocol
