#include "protocol/tool_call.h"

#include "base/log.h"
#include "base/text.h"
#include "protocol/server.h"
#include "protocol/severity.h"
#include "protocol/tool_result.h"

namespace collet::protocol {

void ToolCall::start(RequestPtr request, const registry::Item& item, std::unique_ptr<ToolCall> self) {
  request_ = std::move(request);
  output_ = item.schemas->output;
  if (output_) {
    source_ = item.source;
    tool_ = item.name;
  }
  ended_ = false;
  provider_ = item.provider;
  timeout_ms_ = item.def->timeout_ms ? item.def->timeout_ms : loop_.server().options().call_timeout_ms;

  registry::Call call;
  call.handle = item.def->handle;
  call.kind = registry::CallKind::tool;
  call.loop = loop_.index();
  call.name = item.def->name;
  if (request_->message.arguments.data()) call.arguments = request_->message.arguments;
  call.timeout_ms = timeout_ms_;
  id_ = provider_->start(call, *this);
  if (ended_) {
    release();
    loop_.keep(std::move(self));
    return;
  }
  deadline_ms_ = loop_.loop().now_ms() + timeout_ms_;
  if (transport::HttpReply* reply = request_->http.reply()) reply->observe(this);
  serial_ = loop_.add_waiting(std::move(self));
  if (!register_id()) cancel(registry::CancelReason::client);
}

// Notes the id with the peer, so that it can be cancelled; false if it may not be used.
bool ToolCall::register_id() {
  rpc::InFlight* in_flight = loop_.in_flight_of(*request_);
  if (!in_flight) return true;
  const auto added = in_flight->add(request_->exchange.id(), {loop_.index(), serial_});
  in_flight_ = added == rpc::InFlight::Added::yes;
  if (added == rpc::InFlight::Added::duplicate) {
    request_->exchange.error(rpc::invalid_request("this id is in use by a request that is not yet answered"));
  } else if (added == rpc::InFlight::Added::too_many) {
    request_->exchange.error(rpc::internal_error("Too many requests in flight, wait for some to be answered"));
  }
  return in_flight_;
}

void ToolCall::forget_id() {
  if (std::exchange(in_flight_, false)) loop_.in_flight_of(*request_)->remove(request_->exchange.id());
}

void ToolCall::cancel(registry::CancelReason reason) {
  forget_id();
  if (reason == registry::CancelReason::shutdown) {
    request_->exchange.error(rpc::internal_error("The server is shutting down"));
  } else {
    request_->exchange.disown();
    request_->http.abandon();
  }
  provider_->cancel(id_, reason);
}

void ToolCall::expire() {
  deadline_ms_.reset();
  protocol::answer(*request_, loop_.server(),
                   tool_error(fmt::format("The tool did not answer within {} ms", timeout_ms_)));
  forget_id();
  provider_->cancel(id_, registry::CancelReason::deadline);
}

void ToolCall::on_gone() {
  request_->http.forget();
  request_->exchange.disown();
  // A legacy client that disconnects has not cancelled (2025-11-25, basic/transports); a modern one has.
  if (request_->context.era == Era::modern) provider_->cancel(id_, registry::CancelReason::client);
}

void ToolCall::on_progress(const registry::Progress& progress) {
  const json::Value* token = request_->context.progress_token;
  if (!token || !request_->exchange.open()) return;
  std::string params = R"({"progressToken":)";
  json::append(params, *token);
  params += fmt::format(R"(,"progress":{})", progress.done);
  if (progress.total > 0) params += fmt::format(R"(,"total":{})", progress.total);
  if (!progress.message.empty()) {
    params += R"(,"message":)";
    text::append_json_string(params, progress.message);
  }
  params += '}';
  request_->exchange.notify("notifications/progress", params);
}

void ToolCall::on_log(const registry::LogMessage& message) {
  const auto least = request_->context.log_severity;
  if (!least || message.severity > *least || !request_->exchange.open()) return;
  std::string params = fmt::format(R"({{"level":"{}")", kSeverityNames[message.severity]);
  if (!message.logger.empty()) {
    params += R"(,"logger":)";
    text::append_json_string(params, message.logger);
  }
  params += R"(,"data":)";
  params += message.data;
  params += '}';
  request_->exchange.notify("notifications/message", params);
}

void ToolCall::on_end(registry::Ending& ending) {
  ended_ = true;
  answer(ending);
  if (serial_ == 0) return;  // still inside start(), which does the rest
  std::unique_ptr<ToolCall> self = loop_.remove_waiting(*this);
  release();
  loop_.keep(std::move(self));
}

std::optional<std::string_view> ToolCall::info(std::string_view key) const {
  const std::lock_guard lock(info_mutex_);
  auto known = info_.find(key);
  if (known == info_.end()) known = info_.emplace(key, request_->context.info(key)).first;
  if (!known->second) return std::nullopt;
  return *known->second;
}

void ToolCall::answer(const registry::Ending& ending) {
  rpc::Exchange& exchange = request_->exchange;
  if (!exchange.open()) return;
  switch (ending.how) {
    case registry::Ending::How::completed:
      answer_completed(ending);
      break;
    case registry::Ending::How::failed:
      exchange.error({ending.rpc_code, ending.message, ending.data});
      break;
    case registry::Ending::How::suspended:
      exchange.error(rpc::internal_error("The tool asks for the client's input, which this host cannot yet relay"));
      break;
  }
  forget_id();
}

void ToolCall::answer_completed(const registry::Ending& ending) {
  if (output_ && !ending.is_error) {
    if (const auto wrong = registry::check_structured(*output_, ending.structured)) {
      log::warning("plugin {}: a result of {} is withheld: {}", *source_, tool_, *wrong);
      return protocol::answer(*request_, loop_.server(), tool_error("The tool failed: " + *wrong));
    }
  }
  protocol::answer(*request_, loop_.server(), ending);
}

// The call is over: forgets it.
void ToolCall::release() {
  forget_id();
  request_.reset();
  output_.reset();
  serial_ = 0;
  id_ = 0;
  deadline_ms_.reset();
  if (!info_.empty()) info_.clear();
}

}  // namespace collet::protocol
