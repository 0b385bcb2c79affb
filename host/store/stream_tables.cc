#include "store/stream_tables.h"

#include <algorithm>

#include "base/limits.h"

namespace collet::store {

Streams::Answer StreamTables::append(const StreamName& name, const std::string& bytes) {
  Stream stream = open(name);
  if (stream.id == 0) return {.status = Streams::Status::full};
  append_.run(stream.id, ++stream.last, now_(), bytes);
  stream.bytes += bytes.size();
  keep_to_limits(stream);
  set_.run(stream.id, stream.first, stream.last, stream.bytes);
  return {.sequence = stream.last};
}

Streams::Page StreamTables::read(const StreamName& name, std::uint64_t after, std::uint32_t events_max) {
  const Stream stream = find(name);
  Streams::Page page{.after = after == Streams::kNewest ? stream.last : after, .first = stream.first, .last = stream.last};
  if (page.after >= page.last) return page;
  const std::size_t most = std::min(events_max ? events_max : limits::kStreamPageEvents, limits::kStreamPageEvents);
  std::size_t bytes = 0;
  auto rows = read_.rows(stream.id, page.after);
  while (page.events.size() < most && rows.next()) {
    bytes += rows.bytes(2).size();
    if (!page.events.empty() && bytes > limits::kStreamPageBytesMax) break;
    page.events.push_back({rows.number(0), rows.number(1), std::make_shared<const std::string>(rows.bytes(2))});
  }
  return page;
}

StreamTables::Stream StreamTables::find(const StreamName& name) {
  auto rows = find_.rows(name.owner, name.stream);
  if (!rows.next()) return {};
  return {rows.number(0), rows.number(1), rows.number(2), rows.number(3)};
}

// None: its owner has as many as it may.
StreamTables::Stream StreamTables::open(const StreamName& name) {
  if (const Stream stream = find(name); stream.id) return stream;
  {
    auto rows = count_.rows(name.owner);
    if (rows.next() && rows.number(0) >= limits::kStreamsMax) return {};
  }
  add_.run(name.owner, name.stream);
  return find(name);
}

void StreamTables::keep_to_limits(Stream& stream) {
  const auto is_too_much = [&] { return stream.last - stream.first >= limits::kStreamEventsMax || stream.bytes > limits::kStreamBytesMax; };
  if (!is_too_much()) return;
  for (auto rows = oldest_.rows(stream.id); is_too_much() && rows.next(); ++stream.first) stream.bytes -= rows.number(1);
  forget_.run(stream.id, stream.first);
}

}  // namespace collet::store
