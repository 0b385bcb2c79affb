#include "store/memory_streams.h"

#include <algorithm>

#include "base/limits.h"

namespace collet::store {

void MemoryStreams::append(const StreamName& name, std::string bytes, Appended then) {
  auto kept = std::make_shared<const std::string>(std::move(bytes));
  Answer answer{.status = Status::full};
  {
    const std::lock_guard lock(mutex_);
    if (Stream* stream = open(name)) {
      append(*stream, {stream->last + 1, now_(), std::move(kept)});
      answer = {.sequence = stream->last};
    }
  }
  then(answer);
  if (answer.status == Status::done) watchers_.tell(name);
}

void MemoryStreams::append(Stream& stream, Event event) {
  stream.events.push_back(std::move(event));
  stream.last = stream.events.back().sequence;
  stream.bytes += stream.events.back().bytes->size();
  while (stream.events.size() > limits::kStreamEventsMax || stream.bytes > limits::kStreamBytesMax) {
    stream.bytes -= stream.events.front().bytes->size();
    stream.events.pop_front();
  }
}

void MemoryStreams::read(const StreamName& name, std::uint64_t after, std::uint32_t events_max, Read then) {
  static const Stream kEmpty;
  Page page;
  {
    const std::lock_guard lock(mutex_);
    const auto owner = streams_.find(name.owner);
    const Stream* stream = &kEmpty;
    if (owner != streams_.end()) {
      if (const auto found = owner->second.find(name.stream); found != owner->second.end()) stream = &found->second;
    }
    page = page_of(*stream, after, events_max);
  }
  then(std::move(page));
}

MemoryStreams::Page MemoryStreams::page_of(const Stream& stream, std::uint64_t after, std::uint32_t events_max) {
  Page page;
  page.last = stream.last;
  page.first = stream.events.empty() ? stream.last + 1 : stream.events.front().sequence;
  page.after = after == kNewest ? stream.last : after;
  if (page.after >= page.last) return page;
  const std::size_t most = std::min(events_max ? events_max : limits::kStreamPageEvents, limits::kStreamPageEvents);
  std::size_t bytes = 0;
  for (std::size_t at = page.after < page.first ? 0 : page.after + 1 - page.first; at < stream.events.size(); ++at) {
    const Event& event = stream.events[at];
    bytes += event.bytes->size();
    if (page.events.size() == most || (!page.events.empty() && bytes > limits::kStreamPageBytesMax)) break;
    page.events.push_back(event);
  }
  return page;
}

// Null: its owner has as many as it may.
MemoryStreams::Stream* MemoryStreams::open(const StreamName& name) {
  auto& streams = streams_[name.owner];
  if (const auto found = streams.find(name.stream); found != streams.end()) return &found->second;
  return streams.size() < limits::kStreamsMax ? &streams[name.stream] : nullptr;
}

}  // namespace collet::store
