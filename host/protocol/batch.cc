#include "protocol/batch.h"

#include "protocol/server.h"

namespace collet::protocol {

Batch::Batch(transport::HttpReply& reply, std::string_view allow_origin) : outlet_(&http_) {
  http_.open(reply, allow_origin);
}

void Batch::expect(std::size_t answers, const SessionPtr& session) {
  expected_ = answers;
  if (!http_.reply()) return;
  http_.set_era(Era::legacy);
  if (answers == 0) return http_.answer_empty(202);
  if (session && session->can_resume()) http_.keep_events(session);
}

void Batch::refuse(const rpc::Error& error) {
  const std::string message = rpc::error_message({}, error);
  const std::string_view piece = message;
  outlet_->answer(error.http_status, {&piece, 1});
}

void Batch::settle() {
  if (expected_ > 0 && http_.reply()) http_.reply()->observe(this);
}

void Batch::interim(std::span<const std::string_view> pieces) {
  if (outlet_) outlet_->interim(pieces);
}

void Batch::answer(int, std::span<const std::string_view> pieces) {
  answers_ += answers_.empty() ? '[' : ',';
  for (const std::string_view piece : pieces) answers_ += piece;
  if (--expected_ > 0 || !outlet_) return;
  answers_ += ']';
  const std::string_view all = answers_;
  outlet_->answer(200, {&all, 1});
}

void Batch::on_gone() {
  http_.forget();
  if (!http_.resumable()) outlet_ = nullptr;
}

void handle_batch(ServerLoop& loop, std::string_view text, const std::shared_ptr<Batch>& batch,
                  const std::function<std::optional<rpc::Error>(Request&)>& identify) {
  std::vector<std::string_view> messages;
  if (const auto bad = rpc::split_batch(text, messages)) return batch->refuse(*bad);

  struct Part {
    RequestPtr request;
    std::optional<rpc::Error> bad;
    bool answered;
  };
  std::vector<Part> parts;
  std::size_t answers = 0;
  for (const std::string_view message : messages) {
    RequestPtr request = loop.new_request();
    auto bad = rpc::parse_message(message, request->arena, request->message);
    if (!bad) bad = identify(*request);
    if (!bad && request->message.method == "initialize") bad = rpc::invalid_request("initialize comes alone");
    const rpc::Message::Kind kind = request->message.kind;
    const bool answered = kind == rpc::Message::Kind::request || (bad && kind == rpc::Message::Kind::response);
    if (answered) ++answers;
    parts.push_back({std::move(request), std::move(bad), answered});
  }
  batch->expect(answers, parts.front().request->context.session);
  for (Part& part : parts) {
    if (!part.answered) {
      if (!part.bad) loop.notice(*part.request);
      continue;
    }
    part.request->outlet = batch;
    part.request->exchange = rpc::Exchange(part.request->message.id, *batch);
    if (part.bad) {
      part.request->exchange.error(*part.bad);
    } else {
      loop.handle(std::move(part.request));
    }
  }
  batch->settle();
}

}  // namespace collet::protocol
