#include "protocol/legacy/batch.h"

#include <new>
#include <utility>

#include "protocol/error.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"

namespace collet::protocol {

Batch::Batch(transport::HttpReply& reply, std::string_view page, Accepted takes) : outlet_(&http_) {
  http_.open(reply, page, takes);
}

void Batch::expect(std::size_t answers, const SessionPtr& session) {
  expected_ = answers;
  if (!http_.reply()) return;
  http_.set_era(Era::legacy);
  if (answers == 0) return http_.answer_empty(202);
  if (session && session->can_resume()) http_.keep_events(session);
}

void Batch::settle() {
  if (expected_ > 0 && http_.reply()) http_.reply()->observe(this);
}

void Batch::interim(std::span<const std::string_view> pieces) {
  if (outlet_) outlet_->interim(pieces);
}

void Batch::answer(int http_status, std::span<const std::string_view> pieces) {
  if (expected_ == 0) {
    if (outlet_) outlet_->answer(http_status, pieces);
    return;
  }
  std::size_t bytes = answers_.size() + 2;
  for (const std::string_view piece : pieces) bytes += piece.size();
  answers_.reserve(bytes);
  answers_ += answers_.empty() ? '[' : ',';
  for (const std::string_view piece : pieces) answers_ += piece;
  if (--expected_ > 0 || !outlet_) return;
  answers_ += ']';
  std::string_view all = answers_;
  rpc::Outlet& outlet = *std::exchange(outlet_, nullptr);
  try {
    outlet.answer(200, {&all, 1});
  } catch (const std::bad_alloc&) {
    const rpc::Error error = rpc::out_of_memory();
    answers_ = rpc::error_message({}, error);
    all = answers_;
    outlet.answer(error.http_status, {&all, 1});
  }
}

void Batch::on_gone() {
  http_.forget();
  if (!http_.resumable()) outlet_ = nullptr;
}

void handle_batch(ServerLoop& loop, std::string_view text, const std::shared_ptr<Batch>& batch,
                  std::string_view client, const Identify& identify) {
  std::vector<std::string_view> messages;
  if (const auto bad = rpc::split_batch(text, messages)) return refuse_batch(loop, batch, *bad, kBatchVersion, identify);

  struct Part {
    RequestPtr request;
    std::optional<rpc::Error> bad;
    bool answered;
  };
  std::vector<Part> parts;
  std::size_t answers = 0;
  for (const std::string_view message : messages) {
    RequestPtr request = loop.new_request();
    auto bad = loop.read(message, *request, client);
    const bool is_response = request->message.kind == rpc::Message::Kind::response;
    if (!bad || is_response) {
      auto stray = identify(*request);
      if (!bad) bad = std::move(stray);
    }
    if (!bad && request->message.method == "initialize") bad = rpc::invalid_request("initialize comes alone");
    const bool answered = request->message.kind == rpc::Message::Kind::request;
    if (answered) ++answers;
    parts.push_back({std::move(request), std::move(bad), answered});
  }
  batch->expect(answers, parts.front().request->context.session);
  for (Part& part : parts) {
    if (!part.answered) {
      // A response that cannot be read ends the wait for it as well.
      if (!part.bad || part.request->message.kind == rpc::Message::Kind::response) loop.notice(*part.request);
      continue;
    }
    part.request->outlet = batch;
    const rpc::Id& id = part.request->message.id;
    part.request->exchange = rpc::Exchange(part.bad ? id_of_refusal(id, kBatchVersion) : id, *batch);
    if (part.bad) {
      loop.refuse(*part.request, *part.bad);
    } else {
      loop.handle(std::move(part.request));
    }
  }
  batch->settle();
}

void refuse_batch(ServerLoop& loop, const std::shared_ptr<Batch>& batch, const rpc::Error& error, std::string_view version,
                  const Identify& identify) {
  RequestPtr request = loop.new_request();
  identify(*request);
  request->outlet = batch;
  request->exchange = rpc::Exchange(id_of_refusal({}, version), *batch);
  loop.refuse(*request, error);
}

}  // namespace collet::protocol
