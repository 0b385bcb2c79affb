#include "worker/host/frame_router.h"

#include <vector>

namespace collet::worker {

void FrameRouter::attach(const collet_host& host) {
  replay_ = std::make_unique<Replay>(host, arena_);
  bodies_.attach(host);
  host_ = &host;
  items_.attach(host, *replay_);
  peer_errands_.attach(host);
  record_errands_.attach(host);
  stream_errands_.attach(host);
  fetch_errands_.attach(host);
}

void FrameRouter::begin(std::uint32_t incarnation) {
  if (host_) replay_->take_read();  // of the process before
  bodies_.forget_all();
  items_.begin(incarnation);
  begin_errands(incarnation);
}

void FrameRouter::begin_errands(std::uint32_t incarnation) {
  peer_errands_.begin(incarnation);
  record_errands_.begin(incarnation);
  stream_errands_.begin(incarnation);
  fetch_errands_.begin(incarnation);
}

std::string FrameRouter::take(const FrameBuffer::Frame& frame, bool is_up) {
  switch (frame.head.type) {
    case FrameType::items:
      return items_.take_items(frame.body, is_up);
    case FrameType::end:
    case FrameType::progress:
    case FrameType::log:
    case FrameType::close_stream:
    case FrameType::answer_head:
    case FrameType::answer_bytes:
    case FrameType::body_taken:
      return take_of_call(frame);
    case FrameType::resource_updated:
      return host_ ? replay_->resource_updated(frame.body) : std::string();
    case FrameType::status_changed:
      if (host_) replay_->status_changed();
      return {};
    case FrameType::instructions:
      return items_.take_instructions(frame.body, is_up);
    case FrameType::erred:
      if (host_) events_.erred();
      return {};
    case FrameType::invoke:
    case FrameType::cancel_invocation:
    case FrameType::list:
    case FrameType::watch_items:
      return peer_errands_.take(frame.head, frame.body);
    case FrameType::record_get:
    case FrameType::record_put:
    case FrameType::record_remove:
    case FrameType::record_list:
      return record_errands_.take(frame.head, frame.body);
    case FrameType::event_append:
    case FrameType::event_read:
    case FrameType::follow_next:
    case FrameType::unfollow:
      return stream_errands_.take(frame.head, frame.body);
    case FrameType::fetch:
    case FrameType::fetch_taken:
    case FrameType::cancel_fetch:
      return fetch_errands_.take(frame.head, frame.body);
    case FrameType::answer:
      return link_.take_answer(frame.head.id, frame.body);
    default:
      return fmt::format("it sent a frame of the unknown type {}", static_cast<unsigned>(frame.head.type));
  }
}

std::string FrameRouter::take_of_call(const FrameBuffer::Frame& frame) {
  const collet_call call = frame.head.id;
  if (!host_ || host_.load()->is_cancelled(host_, call) == COLLET_E_STALE) {
    if (calls_are_ended_) return {};
    return fmt::format("it spoke of the call {:x}, which is none of its own or has ended", call);
  }
  if (frame.head.type == FrameType::progress) return replay_->progress(call, frame.body);
  if (frame.head.type == FrameType::log) return replay_->log(call, frame.body);
  if (frame.head.type == FrameType::close_stream) return replay_->close_stream(call, frame.body);
  if (frame.head.type == FrameType::answer_head) return replay_->answer_head(call, frame.body);
  if (frame.head.type == FrameType::answer_bytes) return replay_->answer_bytes(call, frame.body);
  if (frame.head.type == FrameType::body_taken) return bodies_.taken(call, frame.body);
  return take_end(frame);
}

std::string FrameRouter::take_end(const FrameBuffer::Frame& frame) {
  const collet_call call = frame.head.id;
  const std::string denial = link_.call_ended(call);
  std::string reason = replay_->end(call, frame.body, denial);
  bodies_.ended(call);
  const std::vector<std::uint64_t> read = replay_->take_read();
  if (read.empty()) return reason;
  std::string done;
  for (const std::uint64_t offset : read) FrameWriter(done, FrameType::blob_done, offset);
  if (!link_.send(done) && reason.empty()) reason = "it does not take what it is sent";
  return reason;
}

}  // namespace collet::worker
