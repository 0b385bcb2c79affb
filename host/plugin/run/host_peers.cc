#include "plugin/run/host_peers.h"

#include <algorithm>

#include "base/json_members.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/abi/notices.h"

namespace collet::plugin {
namespace {

using registry::Sight;

registry::PrincipalPtr principal_of(const std::string& plugin, const registry::ViewPtr& reach) {
  auto principal = std::make_shared<registry::Principal>();
  principal->id = "plugin:" + plugin;
  principal->kind = registry::Principal::Kind::plugin;
  principal->source = "plugin." + plugin;
  principal->view = reach;  // also of what others call for it
  return principal;
}

std::string describe(const registry::Item& item, Sight sight) {
  const registry::Traits& traits = item.def->traits;
  json::ObjectText out;
  out.add_text("name", item.name).add_text("plugin", *item.source);
  if (sight == Sight::unlisted) out.add_bool("unlisted", true);
  if (traits.idempotent) out.add_bool("idempotent", true);
  if (const auto support = mcp::task_support(traits); !support.empty()) out.add_text("task", support);
  std::vector<std::string> needs;
  for (const mcp::InputNames& input : mcp::kInputTable) {
    if (traits.*input.needed) needs.emplace_back(input.capability);
  }
  if (!needs.empty()) out.add("needs", text::json_strings(needs));
  return out.add("definition", item.def->definition).take();
}

// Those of these names that are seen, with commas between.
std::string named(const registry::Snapshot& snapshot, const ListOrder& order, const registry::OnBehalf& on_behalf, bool& more) {
  std::string out;
  for (const std::string& name : *order.names) {
    const registry::Item* item = snapshot.find(order.kind, name);
    const Sight sight = item ? registry::sight_of(*item, on_behalf) : Sight::hidden;
    if (sight == Sight::hidden) continue;
    more = !out.empty() && out.size() >= limits::kListPageBytesMax;
    if (more) break;
    if (!out.empty()) out += ',';
    out += describe(*item, sight);
  }
  return out;
}

// A page of what is seen of the snapshot, as collet_list_params says.
std::string page_of(const registry::Snapshot& snapshot, const ListOrder& order, const registry::OnBehalf& on_behalf) {
  const auto& items = snapshot.items(order.kind);
  auto at = items.begin();
  if (order.after) {
    at = std::upper_bound(items.begin(), items.end(), *order.after,
                          [](const std::string& name, const registry::Item& item) { return name < item.name; });
  }
  std::string out = fmt::format(R"({{"revision":{},"items":[)", snapshot.version());
  bool more = false;
  if (order.names) {
    out += named(snapshot, order, on_behalf, more);
    return out + (more ? R"(],"more":true})" : R"(],"more":false})");
  }
  for (std::uint32_t count = 0; at != items.end(); ++at) {
    const Sight sight = registry::sight_of(*at, on_behalf);
    if (sight == Sight::hidden) continue;
    more = (order.items_max && count == order.items_max) || (count > 0 && out.size() >= limits::kListPageBytesMax);
    if (more) break;
    if (count++ > 0) out += ',';
    out += describe(*at, sight);
  }
  return out + (more ? R"(],"more":true})" : R"(],"more":false})");
}

}  // namespace

HostPeers::HostPeers(CallTable& calls, CallOwner& owner, Answers& answers, Invocations& all, registry::ViewPtr reach)
    : Peers(calls, owner, answers),
      all_(all),
      reach_(std::move(reach)),
      own_(principal_of(owner.name, reach_)),
      link_(std::make_shared<Invocations::Link>()) {
  link_->maker = this;
}

HostPeers::~HostPeers() { HostPeers::detach(); }

registry::OnBehalf HostPeers::on_behalf_of(LockedCall& call) const {
  if (!call) return {.principal = own_, .reach = reach_, .depth = 1};
  return {.principal = call->principal ? *call->principal : nullptr, .reach = reach_, .depth = call->depth + 1};
}

std::int32_t HostPeers::start(std::uint64_t id, LockedCall& call, registry::Order order) {
  CallerInfo caller;
  if (call) {
    caller = CallerInfo::copy([&](std::string_view key) { return call->listener->info(key); });
    // For remotes that are to have it; no worker gets it.
    constexpr std::string_view kAuthorization = "header:authorization";
    const auto authorization = reach_ ? std::nullopt : call->listener->info(kAuthorization);
    if (authorization) caller.add(kAuthorization, *authorization);
  } else {
    caller.add("transport", "plugin");
    caller.add("principal", own_->id);
  }
  // What is large costs the loop of the large requests.
  const bool large = registry::size_of(order) > limits::kInvocationBesideBytesMax;
  const unsigned loop = large ? all_.last_loop() : call ? call->loop : all_.next_loop();
  const CallId inside_of = call ? call->id.load() : 0;
  const registry::OnBehalf on_behalf = on_behalf_of(call);
  const std::lock_guard lock(places_mutex_);  // so that its end finds it
  if (detached_) return COLLET_E_STATE;
  const std::size_t bytes = registry::size_of(order);
  if (link_->running >= limits::kInvocationsMax || link_->bytes + bytes > limits::kInvocationBytesMax) return COLLET_E_LIMIT;
  Place& place = places_[id];
  place.loop = loop;
  try {
    place.serial = all_.start(loop, {link_, id, inside_of, std::move(order), on_behalf, std::move(caller)});
  } catch (...) {
    places_.erase(id);
    throw;
  }
  return COLLET_OK;
}

std::int32_t HostPeers::start_list(std::uint64_t id, LockedCall& call, ListOrder order) {
  answers().push([this, id, order = std::move(order), on_behalf = on_behalf_of(call)] {
    hand_over(id, page_of(*all_.registry().current(), order, on_behalf));
  });
  return COLLET_OK;
}

void HostPeers::stop(std::uint64_t id, registry::CancelReason reason) {
  const std::lock_guard lock(places_mutex_);
  const auto found = places_.find(id);
  if (found != places_.end()) all_.stop(found->second.loop, found->second.serial, reason);
}

void HostPeers::start_watch() {
  const std::uint64_t watch = all_.registry().watch(
      [this](std::uint64_t version, unsigned changed) { tell_changed(version, changed); });
  {
    const std::lock_guard lock(places_mutex_);
    if (!detached_) {
      watch_ = watch;
      return;
    }
  }
  all_.registry().unwatch(watch);
}

void HostPeers::detach() {
  std::uint64_t watch;
  {
    const std::lock_guard lock(places_mutex_);
    watch = std::exchange(watch_, 0);
    detached_ = true;
  }
  if (watch) all_.registry().unwatch(watch);
  const std::lock_guard lock(link_->mutex);
  link_->maker = nullptr;
}

void HostPeers::on_progress(std::uint64_t id, const registry::Progress& progress) {
  tell_progress(id, progress.done, progress.total, progress.message);
}

void HostPeers::on_log(CallId inside_of, const registry::LogMessage& message) {
  notices::pass_on(calls(), owner(), inside_of, message);
}

void HostPeers::on_end(std::uint64_t id, Outcome outcome) {
  {
    const std::lock_guard lock(places_mutex_);
    places_.erase(id);
  }
  tell_end(id, std::move(outcome));
}

// Each once, and not all of what a plugin may try.
void HostPeers::on_denied(const registry::Item& item) {
  {
    const std::lock_guard lock(places_mutex_);
    if (denied_.size() >= limits::kWorkerDenialsMax || !denied_.insert(item.name).second) return;
  }
  const std::string name = text::in_quotes(item.name);
  log::warning("plugin {}: calling {} was denied: add {} to plugin.{}.permissions.items", owner().name, name, name,
               owner().name);
}

}  // namespace collet::plugin
