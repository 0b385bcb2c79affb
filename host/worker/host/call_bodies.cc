#include "worker/host/call_bodies.h"

#include <algorithm>

#include "base/limits.h"

namespace collet::worker {
namespace {

constexpr std::size_t kBodyPieceBytes = 64u << 10;  // of one frame
constexpr std::size_t kFrameRoom = 256;             // what a frame has besides, and more

}  // namespace

void CallBodies::attach(const collet_host& host) {
  constexpr std::string_view kId = COLLET_EXT_HTTP;
  host_ = &host;
  http_ = static_cast<const collet_http*>(host.get_extension(&host, kId.data(), kId.size()));
}

void CallBodies::forget_all() {
  const std::lock_guard lock(mutex_);
  bodies_.clear();
}

void CallBodies::came(collet_call call) {
  const std::lock_guard lock(mutex_);
  const auto found = bodies_.find(call);
  if (found != bodies_.end()) send_on(found);
}

std::string CallBodies::taken(collet_call call, std::string_view body) {
  FieldReader fields(body);
  const auto bytes = fields.number<std::uint64_t>();
  if (!fields.complete()) return no_frame("taking of a body");
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = bodies_.try_emplace(call);
  std::size_t& room = at->second.room;
  if (bytes > limits::kHttpBodyAheadBytesMax - room) return "it has taken more of a body than it was sent";
  room += bytes;
  return send_on(at) == COLLET_E_UNSUPPORTED ? "it asks for the body of a call that has none to come" : std::string();
}

void CallBodies::ended(collet_call call) {
  const std::lock_guard lock(mutex_);
  bodies_.erase(call);
}

std::int32_t CallBodies::send_on(Bodies::iterator body) {
  const collet_call call = body->first;
  Ahead& ahead = body->second;
  while (ahead.room > 0 && !ahead.is_whole) {
    std::string frame;
    frame.reserve(kBodyPieceBytes + kFrameRoom);  // before anything is read that could not be sent
    char piece[kBodyPieceBytes];
    std::size_t size = 0;
    const std::int32_t status = http_->read_body(host_, call, piece, std::min(ahead.room, sizeof piece), &size);
    if (status == COLLET_E_STALE) bodies_.erase(body);
    if (status != COLLET_OK) return status;
    ahead.room -= size;
    ahead.is_whole = size == 0;
    FrameWriter(frame, FrameType::body, call).text({piece, size}).number(static_cast<std::uint8_t>(ahead.is_whole));
    send_(frame);
  }
  return COLLET_OK;
}

}  // namespace collet::worker
