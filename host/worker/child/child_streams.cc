#include "worker/child/child_streams.h"

namespace collet::worker {
namespace {

void write_read(std::string& out, FrameType type, std::uint64_t id, const plugin::StreamRead& read) {
  FrameWriter(out, type, id).text(read.name.owner).text(read.name.stream).number(read.after).number(read.events_max);
}

plugin::StreamAnswer read_page(std::int32_t status, FieldReader& fields) {
  plugin::StreamAnswer answer;
  answer.status = status;
  answer.page.after = fields.number<std::uint64_t>();
  answer.page.first = fields.number<std::uint64_t>();
  answer.page.last = fields.number<std::uint64_t>();
  while (!fields.at_end() && !fields.bad()) {
    const auto sequence = fields.number<std::uint64_t>();
    const auto time_ms = fields.number<std::uint64_t>();
    answer.page.events.push_back({sequence, time_ms, std::make_shared<const std::string>(fields.text())});
  }
  return answer;
}

}  // namespace

void ChildStreams::start(std::uint64_t id, plugin::StreamOrder order) {
  out_.put([&](std::string& out) {
    if (const auto* append = std::get_if<plugin::StreamAppend>(&order)) {
      FrameWriter(out, FrameType::event_append, id).text(append->stream).text(append->bytes);
    } else {
      write_read(out, FrameType::event_read, id, std::get<plugin::StreamRead>(order));
    }
  });
}

void ChildStreams::start_next(std::uint64_t follow, const plugin::StreamRead& from) {
  out_.put([&](std::string& out) { write_read(out, FrameType::follow_next, follow, from); });
}

void ChildStreams::stop_next(std::uint64_t follow) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::unfollow, follow); });
}

void ChildStreams::take(const FrameHead& head, FieldReader& fields) {
  const auto status = fields.number<std::int32_t>();
  if (head.type == FrameType::appended) return tell(head.id, {.status = status, .sequence = fields.number<std::uint64_t>()});
  if (head.type == FrameType::events) return tell(head.id, read_page(status, fields));
  tell_next(head.id, read_page(status, fields));
}

}  // namespace collet::worker
