// Batches of JSON-RPC messages, which MCP had in 2025-03-26 alone (2025-03-26, basic, Batching).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protocol/request.h"

namespace collet::protocol {

class ServerLoop;

// Where the requests of one batch answer: one array when all have, and before it what they say meanwhile. Shared by
// its requests.
class Batch final : public rpc::Outlet, public transport::HttpReplyObserver {
 public:
  // The way of an HttpOutlet that is opened with these.
  Batch(transport::HttpReply& reply, std::string_view page, Accepted takes);
  // `lines` outlives the batch.
  explicit Batch(LineOutlet& lines) : outlet_(&lines) {}

  // How many answers there will be. None: the client is told that its messages have come.
  void expect(std::size_t answers, const SessionPtr& session);
  // All that could be answered at once has been.
  void settle();

  void interim(std::span<const std::string_view> pieces) override;
  void answer(int http_status, std::span<const std::string_view> pieces) override;
  bool takes_interim() const override { return outlet_ && outlet_->takes_interim(); }
  bool client_is_behind() const override { return outlet_ && outlet_->client_is_behind(); }
  void on_gone() override;

 private:
  HttpOutlet http_;
  rpc::Outlet* outlet_;  // null: the client has gone, or has its answer
  std::size_t expected_ = 0;  // answers that are still to come; none expected: one is for the whole batch
  std::string answers_;
};

// Fills in the context of one message.
using Identify = std::function<std::optional<rpc::Error>(Request&)>;

// Hands each message of the batch to the loop. `client` is whom what is read is counted to.
void handle_batch(ServerLoop& loop, std::string_view text, const std::shared_ptr<Batch>& batch,
                  std::string_view client, const Identify& identify);
// None of its messages is looked at: one error is all the answer, in the words of that version. To observers it is one request.
void refuse_batch(ServerLoop& loop, const std::shared_ptr<Batch>& batch, const rpc::Error& error, std::string_view version,
                  const Identify& identify);

}  // namespace collet::protocol
