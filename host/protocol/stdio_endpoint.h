// MCP over one pair of streams: a line is a message.
#pragma once

#include <memory>

#include "base/callback.h"
#include "protocol/legacy/memory_event_logs.h"
#include "protocol/server_loop.h"
#include "protocol/stdio_client.h"
#include "rpc/envelope.h"
#include "transport/lines.h"

namespace collet::protocol {

// Loop thread. `on_end` is called once when the client sends no more, or is gone; what runs may still be answered.
class StdioEndpoint final : public transport::LineHandler, public StdioClient {
 public:
  StdioEndpoint(ServerLoop& loop, int in, int out, std::size_t line_bytes_max, Callback<void()> on_end);
  ~StdioEndpoint();

  // What its client takes of the answers.
  transport::LineStream& stream() { return stream_; }

  void on_line(std::string_view line) override;
  void on_long_line(std::string_view piece, bool last) override;
  void on_end() override;

  void send(std::string_view message) override { stream_.write({&message, 1}); }
  Session& session() override { return *session_; }

 private:
  std::optional<rpc::Error> identify(Request& request);
  std::string_view legacy_version() const;
  void refuse(Request& request, const rpc::Error& error);
  void note_framing(std::string_view line, rpc::Error& error);
  void log_malformed(std::string_view line, std::string_view why);

  ServerLoop& loop_;
  MemoryEventLogs no_events_{0};  // a stream that breaks is not resumed
  const SessionPtr session_;
  transport::LineStream stream_;
  LineOutlet outlet_;
  std::string_view modern_version_;                   // of the client's last request; empty: that was legacy
  std::optional<rpc::EnvelopeScanner> long_line_;     // while it lasts
  bool long_line_refused_ = false;
  bool framing_noted_ = false;
  std::uint64_t log_since_ms_ = 0;
  unsigned logged_ = 0;  // since then
  Callback<void()> on_end_;
};

}  // namespace collet::protocol
