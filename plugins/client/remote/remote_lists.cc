#include "client/remote/remote_lists.h"

#include <algorithm>
#include <utility>

#include "client/net/url.h"

namespace collet::client {
namespace {

constexpr ListKind kKinds[] = {
    {COLLET_TOOL, "tools", "tools/list", "tools", "tools"},
    {COLLET_RESOURCE, "resources", "resources/list", "resources", "resources"},
    {COLLET_RESOURCE_TEMPLATE, "resources", "resources/templates/list", "resourceTemplates", "templates"},
    {COLLET_PROMPT, "prompts", "prompts/list", "prompts", "prompts"},
};

const ListKind& list_kind(std::uint32_t kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const ListKind& list) { return list.kind == kind; });
}

}  // namespace

std::span<const ListKind> list_kinds() { return kKinds; }

RemoteLists::RemoteLists(Loop& loop, const RemoteConfig& config, Owner& owner)
    : loop_(loop), config_(config), owner_(owner), relist_(loop), periodic_(loop) {}

bool RemoteLists::begin(Connection& connection, const Peer& peer) {
  connection_ = &connection;
  peer_ = &peer;
  for (const ListKind& kind : kKinds) {
    if (peer.can(kind.capability)) read(kind);
  }
  return !readers_.empty();
}

void RemoteLists::stop() {
  connection_ = nullptr;
  peer_ = nullptr;
  readers_.clear();
  stale_.clear();
  unread_.clear();
  relist_.stop();
  periodic_.stop();
}

void RemoteLists::read(const ListKind& kind) {
  readers_[kind.kind] = std::make_unique<ListReader>(
      *connection_, std::string(kind.method), std::string(kind.member), config_.list_timeout_ms,
      [this, &kind](Result<List> list) { on_read(kind, std::move(list)); });
}

void RemoteLists::on_read(const ListKind& kind, Result<List> list) {
  // The reader is what calls us: it goes with the next turn of the loop.
  const auto reader = std::shared_ptr<ListReader>(std::move(readers_[kind.kind]));
  loop_.post([reader] {});
  readers_.erase(kind.kind);
  if (list) {
    lost_.erase(kind.kind);
    unread_.erase(kind.kind);
    if (list->ttl_ms) ttl_ms_ = std::min(ttl_ms_.value_or(*list->ttl_ms), *list->ttl_ms);
    if (!periodic_.active()) schedule();
    owner_.on_list(kind, *list);
  } else {
    unread_[kind.kind] = redact_urls(list.message());
    owner_.on_unread(list.message());
    if (const auto& lost = reader->lost(); lost && ++lost_[kind.kind] <= limits::kListLostMax) {
      if (lost->unreachable()) return owner_.on_unreachable(lost->message);
      refresh(kind.kind, std::max(limits::kRetryMsDefault, lost->retry_after_ms));
    }
  }
  if (!connection_) return;
  owner_.on_reading_over(readers_.empty());
  if (!stale_.empty()) refresh(*stale_.begin());
}

void RemoteLists::refresh(std::uint32_t kind, std::uint64_t pause_ms) {
  if (!connection_ || !peer_->can(list_kind(kind).capability)) return;
  stale_.insert(kind);
  if (relist_.active()) return;
  relist_.start(pause_ms, [this] {
    for (const std::uint32_t each : std::exchange(stale_, {})) {
      // One that is being read may be older than the change.
      readers_.contains(each) ? void(stale_.insert(each)) : read(list_kind(each));
    }
  });
}

void RemoteLists::expect_changes(bool told) {
  told_ = told;
  schedule();
}

void RemoteLists::schedule() {
  constexpr std::uint64_t kRefreshMsMin = 1'000;
  std::uint64_t every = config_.refresh_ms;
  if (!every && !told_ && ttl_ms_.value_or(0) > 0) every = *ttl_ms_;
  if (!every || !connection_) return;
  periodic_.start(std::max(every, kRefreshMsMin), [this] {
    for (const ListKind& kind : kKinds) refresh(kind.kind);
    schedule();
  });
}

std::vector<std::string> RemoteLists::unread() const {
  std::vector<std::string> out;
  for (const auto& [kind, why] : unread_) out.push_back(why);
  return out;
}

}  // namespace collet::client
