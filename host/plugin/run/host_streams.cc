#include "plugin/run/host_streams.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace collet::plugin {
namespace {

std::int32_t stream_status(store::Streams::Status status) {
  if (status == store::Streams::Status::done) return COLLET_OK;
  return status == store::Streams::Status::full ? COLLET_E_LIMIT : COLLET_E_INTERNAL;
}

StreamAnswer of_page(store::Streams::Page page) {
  if (page.status != store::Streams::Status::done) return {.status = stream_status(page.status)};
  const bool is_ahead = page.after > page.last;
  return {.status = is_ahead ? COLLET_E_STALE : COLLET_OK, .page = std::move(page)};
}

}  // namespace

HostStreams::HostStreams(Answers& answers, store::Streams& streams, std::string plugin, std::optional<std::vector<std::string>> reach)
    : OwnStreams(answers), streams_(streams), plugin_(std::move(plugin)), reach_(std::move(reach)) {}

bool HostStreams::may_read(const store::StreamName& name) {
  if (!reach_ || name.owner == plugin_) return true;
  const std::string full = name.owner + '/' + name.stream;
  if (std::ranges::any_of(*reach_, [&](const std::string& pattern) { return text::is_like(full, pattern); })) return true;
  note_denied(full);
  return false;
}

// Each once, and not all of what a plugin may try.
void HostStreams::note_denied(const std::string& name) {
  {
    const std::lock_guard lock(denied_mutex_);
    if (denied_.size() >= limits::kWorkerDenialsMax || !denied_.insert(name).second) return;
  }
  const std::string quoted = text::in_quotes(name);
  log::warning("plugin {}: reading the events of {} was denied: add {} to plugin.{}.permissions.events", plugin_, quoted, quoted, plugin_);
}

void HostStreams::start(std::uint64_t id, StreamOrder order) {
  if (auto* append = std::get_if<StreamAppend>(&order)) {
    streams_.append({plugin_, append->stream}, std::move(append->bytes), [tell = teller(id)](store::Streams::Answer answer) {
      tell({.status = stream_status(answer.status), .sequence = answer.sequence});
    });
  } else {
    const auto& read = std::get<StreamRead>(order);
    streams_.read(read.name, read.after, read.events_max,
                  [tell = teller(id)](store::Streams::Page page) { tell(of_page(std::move(page))); });
  }
}

void HostStreams::start_next(std::uint64_t follow, const StreamRead& from) {
  pages_[follow] = store::AwaitedPage::begin(streams_, from.name, from.after, from.events_max, [this, follow](store::Streams::Page page) {
    tell_next(follow, of_page(std::move(page)));
  });
}

void HostStreams::stop_next(std::uint64_t follow) {
  const auto found = pages_.find(follow);
  if (found == pages_.end()) return;
  found->second->stop();
  pages_.erase(found);
}

}  // namespace collet::plugin
