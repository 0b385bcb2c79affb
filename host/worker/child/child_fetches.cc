#include "worker/child/child_fetches.h"

#include "collet/ext/draft/fetch.h"
#include "worker/child/child_call.h"

namespace collet::worker {

std::int32_t ChildFetches::start(std::uint64_t id, plugin::LockedCall& inside_of, fetch::Request request) {
  out_.put([&](std::string& out) {
    FrameWriter frame(out, FrameType::fetch, id);
    frame.number(id_at_host(inside_of)).number(request.timeout_ms).number(request.connect_timeout_ms).number(request.bytes_max);
    frame.number(std::uint32_t{request.redirects_max}).text(request.method).text(request.url).text(request.body);
    for (const fetch::Field& field : request.fields) frame.text(field.name).text(field.value);
  });
  return COLLET_OK;
}

void ChildFetches::stop(std::uint64_t id) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::cancel_fetch, id); });
}

void ChildFetches::give(std::uint64_t id, std::size_t bytes) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::fetch_taken, id).number(std::uint64_t{bytes}); });
}

void ChildFetches::take(const FrameHead& head, FieldReader& fields) {
  if (head.type == FrameType::fetch_bytes) return tell_body(head.id, std::string(fields.text()));
  if (head.type == FrameType::fetch_head) {
    fetch::Head told;
    told.status = static_cast<int>(fields.number<std::uint32_t>());
    told.url = fields.text();
    while (!fields.at_end() && !fields.bad()) {
      const std::string_view name = fields.text();
      told.fields.push_back({std::string(name), std::string(fields.text())});
    }
    return tell_head(head.id, std::move(told));
  }
  fetch::End end;
  const auto how = fields.number<std::uint32_t>();
  end.whole = how == COLLET_FETCH_COMPLETED;
  end.sent = fields.number<std::uint32_t>() != 0;
  end.message = fields.text();
  if (how == COLLET_FETCH_DENIED) end.denied = end.message;
  tell_end(head.id, std::move(end));
}

}  // namespace collet::worker
