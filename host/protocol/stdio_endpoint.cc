#include "protocol/stdio_endpoint.h"

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "protocol/error.h"
#include "protocol/legacy/batch.h"
#include "protocol/server.h"

namespace collet::protocol {
namespace {

constexpr std::size_t kShownBytes = 120;  // of a line that is no message

bool is_blank(std::string_view line) {
  return text::without_byte_order_mark(line).find_first_not_of(" \t\r") == std::string_view::npos;
}

// How the Language Server Protocol begins a message; MCP over stdio has no headers.
bool is_content_length(std::string_view line) {
  constexpr std::string_view kName = "content-length:";
  return text::equals_ignoring_case(text::without_byte_order_mark(line).substr(0, kName.size()), kName);
}

}  // namespace

StdioEndpoint::StdioEndpoint(ServerLoop& loop, int in, int out, std::size_t line_bytes_max, Callback<void()> on_end)
    : loop_(loop),
      session_(std::make_shared<Session>("", loop.server().options().local, no_events_)),
      stream_(loop.loop(), in, out, *this, line_bytes_max),
      outlet_(stream_),
      on_end_(std::move(on_end)) {
  loop_.clients().set_stdio(this);
}

StdioEndpoint::~StdioEndpoint() {
  loop_.held_open().end_all();  // while it can be told
  loop_.calls().cancel_all(registry::CancelReason::client);
  loop_.clients().set_stdio(nullptr);
}

void StdioEndpoint::on_line(std::string_view line) {
  if (is_blank(line)) return;
  if (rpc::is_batch(line) && session_->client().version == kBatchVersion) {
    return handle_batch(loop_, line, std::make_shared<Batch>(outlet_), {}, [this](Request& request) {
      request.context.transport = Transport::stdio;
      return identify(request);
    });
  }
  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::stdio;
  auto bad = loop_.read(line, *request);
  if (bad) {
    note_framing(line, *bad);
    log_malformed(line, bad->message);
  } else {
    bad = identify(*request);
  }
  const rpc::Message::Kind kind = request->message.kind;
  if (kind == rpc::Message::Kind::request) {
    if (bad) return refuse(*request, *bad);
    request->exchange = rpc::Exchange(request->message.id, outlet_);
    return loop_.handle(std::move(request));
  }
  // What needs no answer gets none, not even an error. A response that cannot be read ends the wait for it as well.
  if (bad && kind != rpc::Message::Kind::response) return;
  request->context.session = session_;
  loop_.notice(*request);
}

std::optional<rpc::Error> StdioEndpoint::identify(Request& request) {
  request.context.principal = session_->principal();
  if (claimed_version(request.message)) {
    auto bad = read_modern(request.message, request.context);
    modern_version_ = request.context.version;
    return bad;
  }
  modern_version_ = {};
  request.context.session = session_;
  request.context.version = legacy_version();
  return read_legacy(request.message, request.context);
}

std::string_view StdioEndpoint::legacy_version() const {
  return session_->initialized() ? session_->client().version : kVersionWithoutHeader;
}

// Its id may stand anywhere in it.
void StdioEndpoint::on_long_line(std::string_view piece, bool last) {
  if (!long_line_) {
    long_line_.emplace();
    log_malformed(piece, "the message is too long");
    piece = text::without_byte_order_mark(piece);
  }
  long_line_->feed(piece);
  if (!long_line_refused_ && (last || long_line_->settled())) {
    long_line_refused_ = true;
    const RequestPtr request = loop_.new_request();
    long_line_->read_into(request->message);
    if (request->message.kind == rpc::Message::Kind::request) {
      refuse(*request, rpc::parse_error("the message is too long"));
    } else if (request->message.kind == rpc::Message::Kind::response) {
      request->context.session = session_;
      loop_.notice(*request);  // which ends the wait for it
    }
  }
  if (!last) return;
  long_line_.reset();
  long_line_refused_ = false;
}

void StdioEndpoint::refuse(Request& request, const rpc::Error& error) {
  const std::string_view version = modern_version_.empty() ? legacy_version() : modern_version_;
  request.context.transport = Transport::stdio;
  request.context.principal = session_->principal();
  if (modern_version_.empty()) request.context.era = Era::legacy;
  request.exchange = rpc::Exchange(id_of_refusal(request.message.id, version), outlet_);
  loop_.refuse(request, error);
}

void StdioEndpoint::note_framing(std::string_view line, rpc::Error& error) {
  if (!is_content_length(line)) return;
  error = rpc::parse_error("this is a Content-Length header; over stdio each message is one line, without headers");
  if (std::exchange(framing_noted_, true)) return;
  log::warning(
      "the client frames its messages with Content-Length headers, as language servers do; in MCP over stdio each "
      "message is one line of JSON and its end, without headers");
}

// A client that sends nothing else must not fill the log.
void StdioEndpoint::log_malformed(std::string_view line, std::string_view why) {
  const std::uint64_t now = loop_.loop().now_ms();
  if (logged_ == 0 || now >= log_since_ms_ + limits::kStdioLogMs) {
    if (logged_ > limits::kStdioLogLines) {
      log::warning("{} more lines were no message", logged_ - limits::kStdioLogLines);
    }
    log_since_ms_ = now;
    logged_ = 0;
  }
  if (++logged_ > limits::kStdioLogLines) return;
  std::string shown;
  text::append_json_string(shown, line.substr(0, kShownBytes));
  log::warning("a line of the client is no message: {}: {}{}{}", why, shown, line.size() > kShownBytes ? "…" : "",
               logged_ == limits::kStdioLogLines ? "; further ones are counted, not shown, for a while" : "");
}

void StdioEndpoint::on_end() { on_end_(); }

}  // namespace collet::protocol
