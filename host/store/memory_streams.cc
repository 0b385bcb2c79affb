#include "store/memory_streams.h"

#include <algorithm>

#include "base/limits.h"

namespace collet::store {

void MemoryStreams::append(const StreamName& name, std::string bytes, Appended then) {
  auto kept = std::make_shared<const std::string>(std::move(bytes));
  std::uint64_t sequence = 0;
  std::vector<Told> watchers;
  {
    const std::lock_guard lock(mutex_);
    watchers = watchers_of(name);
    if (Stream* stream = open(name)) {
      append(*stream, {stream->last + 1, now_(), std::move(kept)});
      sequence = stream->last;
    }
  }
  then(sequence);
  if (sequence == 0) return;
  for (const Told& told : watchers) (*told)();
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

std::uint64_t MemoryStreams::watch(const StreamName& name, std::function<void()> appended) {
  auto told = std::make_shared<const std::function<void()>>(std::move(appended));
  const std::lock_guard lock(mutex_);
  watchers_[name].emplace(++last_watch_, std::move(told));
  return last_watch_;
}

void MemoryStreams::unwatch(const StreamName& name, std::uint64_t watch) {
  const std::lock_guard lock(mutex_);
  const auto of_stream = watchers_.find(name);
  if (of_stream == watchers_.end()) return;
  of_stream->second.erase(watch);
  if (of_stream->second.empty()) watchers_.erase(of_stream);
}

std::size_t MemoryStreams::watches() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [name, watchers] : watchers_) count += watchers.size();
  return count;
}

// Null: its owner has as many as it may.
MemoryStreams::Stream* MemoryStreams::open(const StreamName& name) {
  auto& streams = streams_[name.owner];
  if (const auto found = streams.find(name.stream); found != streams.end()) return &found->second;
  return streams.size() < limits::kStreamsMax ? &streams[name.stream] : nullptr;
}

std::vector<MemoryStreams::Told> MemoryStreams::watchers_of(const StreamName& name) const {
  std::vector<Told> watchers;
  const auto found = watchers_.find(name);
  if (found == watchers_.end()) return watchers;
  for (const auto& [number, told] : found->second) watchers.push_back(told);
  return watchers;
}

}  // namespace collet::store
