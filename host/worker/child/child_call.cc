#include "worker/child/child_call.h"

#include "worker/talk/frame.h"

namespace collet::worker {

ChildCall::ChildCall(std::uint64_t id, std::string_view info, Outbox& out, std::function<void(std::uint64_t id)>& ended)
    : id_(id), out_(out), ended_(ended) {
  for (FieldReader fields(info); !fields.at_end() && !fields.bad();) {
    const auto place = fields.number<std::uint8_t>();
    const std::string_view value = fields.text();
    if (place < std::size(plugin::CallerInfo::kKeys)) info_.add(plugin::CallerInfo::kKeys[place], value);
  }
}

void ChildCall::on_progress(const registry::Progress& progress) {
  out_.put([&](std::string& out) {
    FrameWriter(out, FrameType::progress, id_).number(progress.done).number(progress.total).text(progress.message);
  });
}

void ChildCall::on_log(const registry::LogMessage& message) {
  out_.put([&](std::string& out) {
    FrameWriter(out, FrameType::log, id_).number(message.severity).text(message.logger).text(message.data);
  });
}

void ChildCall::on_close_stream(unsigned retry_ms) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::close_stream, id_).number(retry_ms); });
}

void ChildCall::on_answer_head(registry::WebHead head) {
  out_.put([&](std::string& out) {
    FrameWriter frame(out, FrameType::answer_head, id_);
    frame.number(static_cast<std::uint32_t>(head.status));
    for (const registry::WebField& field : head.fields) frame.text(field.name).text(field.value);
  });
}

void ChildCall::on_answer_bytes(std::string& bytes) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::answer_bytes, id_).text(bytes); });
}

void ChildCall::on_body_taken(std::size_t bytes) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::body_taken, id_).number(std::uint64_t{bytes}); });
}

void ChildCall::on_end(registry::Ending& ending) {
  std::string requests;
  for (const registry::InputRequest& request : ending.input_requests) {
    FieldWriter(requests).text(request.key).text(request.request);
  }
  out_.put([&](std::string& out) {
    FrameWriter frame(out, FrameType::end, id_);
    frame.number(ending.how).number(static_cast<std::uint8_t>(ending.is_error)).number(ending.rpc_code);
    frame.number(ending.state_version).text(ending.content).text(ending.structured).text(ending.meta);
    frame.text(ending.fields).text(ending.message);
    frame.text_or_nothing(ending.data.empty() ? std::nullopt : std::optional<std::string_view>(ending.data));
    frame.text(ending.state).text(requests);
  });
  ended_(id_);
}

std::uint64_t id_at_host(plugin::LockedCall& call) { return call ? static_cast<const ChildCall*>(call->listener)->id() : 0; }

}  // namespace collet::worker
