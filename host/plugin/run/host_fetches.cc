#include "plugin/run/host_fetches.h"

#include "base/log.h"
#include "base/text.h"
#include "collet/plugin.h"

namespace collet::plugin {

HostFetches::HostFetches(CallTable& calls, CallOwner& owner, Answers& answers, FetchLanes& lanes, fetch::GrantsPtr grants)
    : Fetches(calls, owner, answers), lanes_(lanes), grants_(std::move(grants)), link_(std::make_shared<FetchLanes::Link>()) {
  link_->maker = this;
}

HostFetches::~HostFetches() { HostFetches::detach(); }

// What a worker's plugin fetches is read by a thread of its own, which may wait when the first one comes.
void HostFetches::prepare() {
  if (!grants_) fetch::prepare();
}

std::int32_t HostFetches::start(std::uint64_t id, LockedCall& inside_of, fetch::Request request) {
  request.grants = grants_;
  const unsigned loop = inside_of ? inside_of->loop : lanes_.next_loop();
  const std::lock_guard lock(places_mutex_);  // so that its end finds it
  if (detached_) return COLLET_E_STATE;
  if (link_->running >= limits::kFetchesMax) return COLLET_E_LIMIT;
  Place& place = places_[id];
  place.loop = loop;
  try {
    place.serial = lanes_.start(loop, link_, id, std::move(request));
  } catch (...) {
    places_.erase(id);
    throw;
  }
  return COLLET_OK;
}

void HostFetches::stop(std::uint64_t id) {
  const std::lock_guard lock(places_mutex_);
  const auto found = places_.find(id);
  if (found != places_.end()) lanes_.stop(found->second.loop, found->second.serial);
}

void HostFetches::give(std::uint64_t id, std::size_t bytes) {
  const std::lock_guard lock(places_mutex_);
  const auto found = places_.find(id);
  if (found != places_.end()) lanes_.taken(found->second.loop, found->second.serial, bytes);
}

void HostFetches::detach() {
  {
    const std::lock_guard lock(places_mutex_);
    detached_ = true;
  }
  const std::lock_guard lock(link_->mutex);
  link_->maker = nullptr;
}

void HostFetches::on_head(std::uint64_t id, fetch::Head head) { tell_head(id, std::move(head)); }

void HostFetches::on_body(std::uint64_t id, std::string bytes) { tell_body(id, std::move(bytes)); }

void HostFetches::on_end(std::uint64_t id, fetch::End end) {
  {
    const std::lock_guard lock(places_mutex_);
    places_.erase(id);
  }
  if (!end.denied.empty()) end.message = denial(end.denied);
  tell_end(id, std::move(end));
}

// Each is logged once, and not all of what a plugin may try.
std::string HostFetches::denial(const std::string& place) {
  const std::string words = fmt::format("fetching from {0} was denied: add \"{0}\" to plugin.{1}.permissions.network", place, owner().name);
  {
    const std::lock_guard lock(places_mutex_);
    if (denied_.size() >= limits::kWorkerDenialsMax || !denied_.insert(place).second) return words;
  }
  log::warning("plugin {}: {}", owner().name, words);
  return words;
}

}  // namespace collet::plugin
