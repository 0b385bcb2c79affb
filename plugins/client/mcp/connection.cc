#include "client/mcp/connection.h"

#include <algorithm>
#include <new>
#include <utility>

#include <collet/json.hpp>

#include "client/mcp/broken_text.h"

namespace collet::client {
namespace {

class Callback final : public Asker {
 public:
  explicit Callback(std::function<void(const Answer&)> done) : done_(std::move(done)) {}
  void on_answer(const Answer& answer) override { done_(answer); }

 private:
  const std::function<void(const Answer&)> done_;
};

void append_params(std::string& out, std::string_view params, std::string_view stamp,
                   const RequestOptions& options) {
  if (stamp.empty() && options.meta.empty()) {
    if (!params.empty()) out.append(R"(,"params":{)").append(params).append("}");
    return;
  }
  out += R"(,"params":{)";
  if (!params.empty()) out.append(params).append(",");
  out += R"("_meta":{)";
  if (!stamp.empty()) {
    out += stamp;
    out += options.capabilities.empty() ? kRelayedCapabilities : options.capabilities;
    if (!options.meta.empty()) out += ',';
  }
  out.append(options.meta).append("}}");
}

}  // namespace

std::string request_text(RequestId id, std::string_view method, std::string_view params, std::string_view stamp,
                         const RequestOptions& options) {
  std::string out;
  out.reserve(160 + params.size() + stamp.size() + options.meta.size() + options.capabilities.size());
  out.append(R"({"jsonrpc":"2.0","id":)").append(std::to_string(id)).append(R"(,"method":")").append(method);
  out += '"';
  append_params(out, params, stamp, options);
  out += '}';
  return out;
}

std::string Answer::problem() const {
  if (error) return error->message + " (" + std::to_string(error->code) + ")";
  return lost ? lost->message : std::string();
}

void Connection::set_version(Era era, std::string_view version) {
  era_ = era;
  version_ = version;
  stamp_.clear();
  if (era == Era::modern) {
    stamp_ = R"("io.modelcontextprotocol/protocolVersion":)";
    collet::append_json(stamp_, version);
    stamp_ += R"(,"io.modelcontextprotocol/clientInfo":)" + client_info_;
    stamp_ += R"(,"io.modelcontextprotocol/clientCapabilities":)";
  }
  transport_->set_version(era, version);
}

RequestId Connection::request(std::string_view method, std::string_view params, Asker& asker,
                              RequestOptions options) {
  const RequestId id = numbers_.next();
  std::string text = request_text(id, method, params, stamp_, options);
  Outgoing out{.id = id,
               .method = std::string(method),
               .name = std::move(options.name),
               .headers = std::move(options.headers),
               .text = std::move(text),
               .repeatable = options.repeatable};
  Asked& asked = asked_[id];
  asked.asker = &asker;
  asked.standing = options.standing;
  if (options.timeout_ms) {
    asked.deadline = deadlines_.emplace(loop_.now_ms() + options.timeout_ms, id);
    watch_deadlines();
  }
  try {
    transport_->send(std::move(out));
  } catch (const std::bad_alloc&) {
    if (asked.deadline) deadlines_.erase(*asked.deadline);
    asked_.erase(id);
    transport_->finish(id, false);
    throw;
  }
  return id;
}

RequestId Connection::ask(std::string_view method, std::string_view params, std::uint64_t timeout_ms,
                          std::function<void(const Answer&)> done) {
  return ask(method, params, RequestOptions{.timeout_ms = timeout_ms, .repeatable = true}, std::move(done));
}

RequestId Connection::ask(std::string_view method, std::string_view params, RequestOptions options,
                          std::function<void(const Answer&)> done) {
  auto* asker = new Callback(std::move(done));
  const RequestId id = request(method, params, *asker, std::move(options));
  asked_.at(id).owned = {asker, [](Asker* owned) { delete static_cast<Callback*>(owned); }};
  return id;
}

Asker* Connection::find(RequestId id) const {
  const auto found = asked_.find(id);
  return found == asked_.end() ? nullptr : found->second.asker;
}

void Connection::cancel(RequestId id, const char* reason) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return;
  if (found->second.deadline) deadlines_.erase(*found->second.deadline);
  asked_.erase(found);
  if (reason && !transport_->finish_cancels()) tell_cancelled(id, reason);
  transport_->finish(id, false);
}

void Connection::tell_cancelled(RequestId id, std::string_view reason) {
  std::string params = R"("requestId":)" + std::to_string(id) + R"(,"reason":)";
  collet::append_json(params, reason);
  notify("notifications/cancelled", params);
}

void Connection::notify(std::string_view method, std::string_view params) {
  has_notified_ = true;
  std::string text = R"({"jsonrpc":"2.0","method":")";
  text.append(method).append("\"");
  if (!params.empty()) text.append(R"(,"params":{)").append(params).append("}");
  text += '}';
  transport_->send({.id = 0, .method = std::string(method), .name = {}, .headers = {}, .text = std::move(text)});
}

void Connection::respond(std::string_view id, std::string_view result) {
  std::string text = R"({"jsonrpc":"2.0","id":)";
  text.append(id).append(R"(,"result":)").append(result).append("}");
  transport_->send({.id = 0, .method = {}, .name = {}, .headers = {}, .text = std::move(text)});
}

void Connection::refuse(std::string_view id, int code, std::string_view message) {
  std::string text = R"({"jsonrpc":"2.0","id":)";
  text.append(id).append(R"(,"error":{"code":)").append(std::to_string(code)).append(R"(,"message":)");
  collet::append_json(text, message);
  text += "}}";
  transport_->send({.id = 0, .method = {}, .name = {}, .headers = {}, .text = std::move(text)});
}

void Connection::go_on(const Task& first) {
  held_ = false;
  first();
  while (!held_ && !heard_.empty()) {
    const Task next = std::move(heard_.front());
    heard_.pop_front();
    next();
  }
}

void Connection::hear_later(std::string_view text, RequestId stream) {
  heard_.push_back([this, text = std::string(text), stream] { on_text(text, stream); });
}

void Connection::on_text(std::string_view text, RequestId stream) {
  if (held_) return hear_later(text, stream);
  const auto good = for_each_message(
      text, [&](const Message& message, std::string_view part) { on_message(message, part, stream); });
  if (!good) on_broken(text, stream, good.message());
}

// The answer that it was meant to be will not come.
void Connection::on_broken(std::string_view text, RequestId stream, const std::string& problem) {
  // What a child prints without a line's end stands before its next answer.
  const std::size_t begin = text.find(R"({"jsonrpc")");
  if (begin != 0 && begin != std::string_view::npos) {
    const auto message = parse_message(text.substr(begin));
    if (message && message->is_response()) {
      listener_.on_garbage(problem);
      return on_response(*message, text.substr(begin), stream);
    }
  }
  const Broken broken = examine(text);
  const bool unclear = broken.is_answer && !stream && !asked_.contains(broken.id.value_or(0));
  if (unclear && listener_.on_unclear_answer(text)) return;
  listener_.on_garbage(problem);
  if (!broken.is_answer || (stream && broken.id.value_or(stream) != stream)) return;
  if (const RequestId id = whose(broken.id, stream)) {
    on_lost(id, {.sent = true, .http_status = 0, .message = "its answer is no message: " + problem});
  }
}

// Whom an answer is for; without an id of ours the one whose stream it came on, else the only one who waits; 0:
// nobody.
RequestId Connection::whose(std::optional<std::uint64_t> id, RequestId stream) const {
  if (id || stream) return asked_.contains(id.value_or(stream)) ? id.value_or(stream) : 0;
  RequestId only = 0;
  for (const auto& [request, asked] : asked_) {
    if (asked.standing) continue;
    if (only) return 0;
    only = request;
  }
  return only;
}

void Connection::on_message(const Message& message, std::string_view text, RequestId stream) {
  if (held_) return hear_later(text, stream);  // since the one before it of the same batch
  if (message.is_response()) return on_response(message, text, stream);
  message.is_request() ? on_request(message, stream) : on_notification(message, stream);
}

void Connection::on_response(const Message& message, std::string_view text, RequestId stream) {
  const auto number = message.number();
  const bool is_elsewhere = number && !stream && RequestNumbers::is_of_loop(*number) && !asked_.contains(*number);
  if (is_elsewhere) return listener_.on_answer_elsewhere(*number, text);
  if (!number && !stream && message.error.data() && listener_.on_unclear_answer(text)) return;
  Answer answer;
  answer.result = message.result;
  if (message.error.data()) answer.error = read_error(message.error);
  if (!number && (!answer.error || (!stream && !is_about_request(*answer.error)))) return;
  const RequestId id = whose(number, stream);
  if (id) end(id, answer);  // else late: it was cancelled
}

// Of an error that names no request, on no stream of one: some servers answer notifications so.
bool Connection::is_about_request(const RpcError& error) const {
  return error.code == kParseError || (error.code == kInvalidRequest && !has_notified_);
}

void Connection::on_notification(const Message& message, RequestId stream) {
  Asker* asker = find(stream);
  if (message.method == "notifications/progress") {
    asker = find(find_unsigned(message.params, "progressToken").value_or(0));
    return asker ? asker->on_notification(message) : listener_.on_notification(message);
  }
  if (message.method == "notifications/message" && asker) return asker->on_notification(message);
  listener_.on_notification(message);
}

void Connection::on_request(const Message& message, RequestId stream) {
  if (message.method == "ping") return respond(message.id, "{}");
  Asker* asker = find(stream);
  const bool taken = asker ? asker->on_request(message) : listener_.on_request(message);
  if (!taken) refuse(message.id, kMethodNotFound, kNobodyToAsk);
}

void Connection::end(RequestId id, const Answer& answer) {
  auto node = asked_.extract(id);
  if (node.empty()) return;
  if (node.mapped().deadline) deadlines_.erase(*node.mapped().deadline);
  transport_->finish(id, answer.ok() || answer.error.has_value());
  node.mapped().asker->on_answer(answer);
}

void Connection::on_lost(RequestId id, Lost lost) {
  if (held_) return heard_.push_back([this, id, lost = std::move(lost)] { on_lost(id, lost); });
  Answer answer;
  answer.lost = std::move(lost);
  end(id, answer);
}

void Connection::on_down(const std::string& reason) {
  if (held_) return heard_.push_back([this, reason] { on_down(reason); });
  listener_.on_down(reason);  // first, so that nobody makes another request of what is gone
  Answer answer;
  answer.lost = Lost{.sent = true, .http_status = 0, .message = reason};
  std::vector<RequestId> ids;
  for (const auto& [id, asked] : asked_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const RequestId id : ids) end(id, answer);
}

void Connection::watch_deadlines() {
  if (deadlines_.empty()) return deadline_.stop();
  const std::uint64_t now = loop_.now_ms(), next = deadlines_.begin()->first;
  deadline_.start(next > now ? next - now : 0, [this] {
    while (!deadlines_.empty() && deadlines_.begin()->first <= loop_.now_ms()) {
      const RequestId id = deadlines_.begin()->second;
      auto node = asked_.extract(id);
      deadlines_.erase(deadlines_.begin());
      if (!transport_->finish_cancels()) notify("notifications/cancelled", R"("requestId":)" + std::to_string(id));
      transport_->finish(id, false);
      Answer answer;
      answer.lost = Lost{.sent = true, .http_status = 0, .message = "it has not answered in time"};
      node.mapped().asker->on_answer(answer);
    }
    watch_deadlines();
  });
}

}  // namespace collet::client
