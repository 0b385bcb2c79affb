#include "protocol/stdio_endpoint.h"

#include "protocol/batch.h"
#include "protocol/error.h"

namespace collet::protocol {

StdioEndpoint::StdioEndpoint(ServerLoop& loop, int in, int out, std::size_t line_bytes_max, Callback<void()> on_end)
    : loop_(loop),
      stream_(loop.loop(), in, out, *this, line_bytes_max),
      outlet_(stream_),
      on_end_(std::move(on_end)) {
  loop_.set_stdio_client(this);
}

StdioEndpoint::~StdioEndpoint() {
  loop_.calls().cancel_all(registry::CancelReason::client);
  loop_.set_stdio_client(nullptr);
}

void StdioEndpoint::on_line(std::string_view line) {
  if (rpc::is_batch(line) && session_->client().version == kBatchVersion) {
    return handle_batch(loop_, line, std::make_shared<Batch>(outlet_), [this](Request& request) {
      request.context.transport = Transport::stdio;
      return identify(request);
    });
  }
  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::stdio;
  auto bad = rpc::parse_message(line, request->arena, request->message);
  const bool is_request = request->message.kind == rpc::Message::Kind::request;
  if (!bad) bad = identify(*request);
  if (bad && !is_request) return;  // what needs no answer gets none, not even an error
  request->exchange = rpc::Exchange(request->message.id, outlet_);
  if (bad) return request->exchange.error(*bad);
  if (is_request) return loop_.handle(std::move(request));
  request->exchange.disown();
  loop_.notice(*request);
}

std::optional<rpc::Error> StdioEndpoint::identify(Request& request) {
  if (claimed_version(request.message)) return read_modern(request.message, request.context);
  request.context.session = session_;
  request.context.version = session_->initialized() ? session_->client().version : kVersionWithoutHeader;
  return read_legacy(request.message, request.context);
}

void StdioEndpoint::on_line_too_long() {
  const std::string message = rpc::error_message({}, rpc::parse_error("the message is too long"));
  send(message);
}

void StdioEndpoint::on_end() { on_end_(); }

}  // namespace collet::protocol
