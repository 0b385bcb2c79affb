#include "plugin/run/fetches.h"

#include "collet/plugin.h"

namespace collet::plugin {

void Fetches::open() {
  const std::lock_guard lock(mutex_);
  created_ = true;
}

// what the plugin wants

// The call is locked until the exchange has begun, so that its end and its cancellation find what was begun inside of it.
std::int32_t Fetches::fetch(CallId inside_of, fetch::Request request, Heard heard, std::uint64_t& id) {
  auto open = std::make_shared<Open>(Open{.inside_of = inside_of, .request_bytes = request.body.size(), .heard = std::move(heard)});
  LockedCall call = inside_of ? calls_.lock(inside_of, owner_) : LockedCall();
  if (inside_of && !call) return COLLET_E_STALE;
  if (call && call->cancelled.load(std::memory_order_relaxed)) return COLLET_E_STATE;
  std::uint64_t begun = 0;
  if (const std::int32_t status = add(open, begun); status < 0) return status;
  if (call) call->has_invoked = true;
  std::int32_t status = COLLET_OK;
  try {
    status = start(begun, call, std::move(request));
  } catch (...) {  // for want of memory: nobody will tell its end
    if (take(begun)) throw;
  }
  if (status < 0 && take(begun)) return status;  // else it has been told meanwhile that it has ended
  id = begun;
  bool cancelled;
  {
    const std::lock_guard lock(mutex_);
    cancelled = open->cancelled;
  }
  if (cancelled) stop(begun);  // before there was something to be stopped
  return COLLET_OK;
}

std::int32_t Fetches::add(const OpenPtr& open, std::uint64_t& id) {
  const std::lock_guard lock(mutex_);
  if (closed_ || !created_) return COLLET_E_STATE;
  if (open_.size() >= limits::kFetchesMax || open->request_bytes > limits::kFetchesBytesMax - request_bytes_ || !answers_.start()) {
    return COLLET_E_LIMIT;
  }
  open_.emplace(++last_id_, open);
  request_bytes_ += open->request_bytes;
  id = last_id_;
  return COLLET_OK;
}

std::int32_t Fetches::taken(std::uint64_t id, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return COLLET_E_STALE;
    if (bytes > found->second->untaken) return COLLET_E_INVALID;
    found->second->untaken -= bytes;
  }
  if (bytes > 0) give(id, bytes);
  return COLLET_OK;
}

std::int32_t Fetches::cancel(std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return COLLET_E_STALE;
    if (std::exchange(found->second->cancelled, true)) return COLLET_OK;
  }
  stop(id);
  return COLLET_OK;
}

void Fetches::cancel_inside(CallId call) {
  std::vector<std::uint64_t> inside;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, open] : open_) {
      if (open->inside_of == call && !std::exchange(open->cancelled, true)) inside.push_back(id);
    }
  }
  for (const std::uint64_t id : inside) stop(id);
}

// what it is told

Fetches::OpenPtr Fetches::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return nullptr;
  request_bytes_ -= found->second->request_bytes;
  return std::move(open_.extract(found).mapped());
}

void Fetches::tell_head(std::uint64_t id, fetch::Head head) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end() || !found->second->heard.head) return;
  answers_.push([open = found->second, id, head = std::move(head)] { open->heard.head(id, head); });
}

void Fetches::tell_body(std::uint64_t id, std::string bytes) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    Open& open = *found->second;
    if (open.heard.body) {
      const bool waits = !open.body.empty();
      open.body = waits ? std::move(open.body) + bytes : std::move(bytes);
      if (!waits) answers_.push([this, kept = found->second] { tell_bytes(*kept); });
      return;
    }
  }
  give(id, bytes.size());
}

void Fetches::tell_bytes(Open& open) {
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes = std::exchange(open.body, {});
    open.untaken += bytes.size();
  }
  open.heard.body(bytes);
}

void Fetches::tell_end(std::uint64_t id, fetch::End end) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  const OpenPtr open = found->second;
  answers_.push([open, id, end = std::move(end)] { open->heard.ended(id, open->inside_of, end); });
  request_bytes_ -= open->request_bytes;
  open_.erase(found);  // the last: what could not be told for want of memory is still open
}

void Fetches::end_all() {
  std::map<std::uint64_t, OpenPtr> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left = open_;
  }
  for (const auto& [id, open] : left) stop(id);
  detach();
  for (const auto& [id, open] : left) {
    tell_end(id, {.whole = false, .sent = true, .message = fmt::format("plugin {} is being unloaded", owner_.name)});
  }
}

}  // namespace collet::plugin
