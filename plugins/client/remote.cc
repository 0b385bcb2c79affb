#include "client/remote.h"

#include <algorithm>
#include <array>
#include <random>

#include "client/authorization.h"
#include "client/limits.h"
#include "client/link.h"

namespace collet::client {
namespace {

struct Listed {
  std::uint32_t kind;
  std::string_view capability, method, member, plural;
};
constexpr Listed kLists[] = {
    {COLLET_TOOL, "tools", "tools/list", "tools", "tools"},
    {COLLET_RESOURCE, "resources", "resources/list", "resources", "resources"},
    {COLLET_RESOURCE_TEMPLATE, "resources", "resources/templates/list", "resourceTemplates", "templates"},
    {COLLET_PROMPT, "prompts", "prompts/list", "prompts", "prompts"},
};

const Listed& listed(std::uint32_t kind) {
  return *std::find_if(std::begin(kLists), std::end(kLists), [&](const Listed& list) { return list.kind == kind; });
}

std::string random_token() {
  constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string token;
  for (unsigned word = 0; word < 4; ++word) {
    for (std::uint32_t bits = random(), digit = 0; digit < 8; ++digit, bits >>= 4) token += kHex[bits & 15];
  }
  return token;
}

// Between half of it and all of it, so that remotes that went down together are not all tried together.
std::uint64_t jittered(std::uint64_t ms) { return ms / 2 + std::random_device{}() % (ms / 2 + 1); }

}  // namespace

Remote::Remote(Surroundings& surroundings, RemoteConfig config)
    : around_(surroundings),
      config_(std::move(config)),
      nobody_(config_.name),
      reconnect_(surroundings.loop),
      sweep_(surroundings.loop),
      relist_(surroundings.loop),
      periodic_(surroundings.loop),
      gate_(std::make_shared<LaneGate>(surroundings.loops,
                                       [this, &loop = surroundings.loop, alive = std::weak_ptr(alive_)] {
                                         loop.post([this, alive] {
                                           if (!alive.expired()) note_call_ended();
                                         });
                                       })),
      farewell_(surroundings.loop) {}

Remote::~Remote() {
  gate_->shut();
  readers_.clear();
  handshake_.reset();
  over_.clear();
  calls_.clear();
}

void Remote::log(std::uint32_t level, std::string_view text) const {
  around_.host.log(level, "remote " + config_.name + ": " + std::string(text));
}

// its life

void Remote::assume(const Known& known) {
  known_.era = known.era;
  known_.instructions = known.instructions;
  for (const auto& [kind, items] : known.items) {
    auto& mine = known_.items[kind];
    std::copy_if(items.begin(), items.end(), std::back_inserter(mine),
                 [&](const RemoteItemPtr& item) { return config_.offers(item->name); });
  }
}

void Remote::leave(Task left) {
  left_ = std::move(left);
  gate_->shut();
  readers_.clear();
  stale_.clear();
  relist_.stop();
  periodic_.stop();
  if (state_ == State::down) {
    reconnect_.stop();
    fail_waiting(why_down());
  }
  if (!has_calls()) return farewell_.start(0, left_);
  farewell_.start(config_.drain_timeout_ms, [this] { end_calls("it is not configured any more"); });
}

void Remote::connect() {
  state_ = State::connecting;
  next_attempt_ms_ = 0;
  if (!authorizer_) {
    auto made = make_authorizer(config_, around_.http, around_.host, nobody_, around_.tokens);
    if (!made) return go_down(made.message());
    authorizer_ = std::move(*made);
  }
  link_ = std::make_unique<Link>(*this);
  if (auto opened = link_->open(); !opened) return go_down(opened.message());
  Handshake::Options options;
  options.known_era = known_.era;
  if (config_.transport == "sse" || old_transport_) options.known_era = Era::legacy;
  if (!config_.command.empty()) options.probe_ms = limits::kProbeMs;
  handshake_ = std::make_unique<Handshake>(
      around_.loop, link_->connection(), options, [this](Peer peer) { on_up(std::move(peer)); },
      [this](const Handshake::Failed& failed) { on_failed(failed); });
}

void Remote::on_failed(const Handshake::Failed& failed) {
  known_.era.reset();
  if (failed.unknown_endpoint && config_.transport == "auto" && !old_transport_) {
    retire_link();
    old_transport_ = true;
    before_old_transport_ = failed.message;
    return connect();
  }
  go_down(failed.message);
}

void Remote::on_up(Peer peer) {
  handshake_.reset();
  take_peer(std::move(peer));
  state_ = State::up;
  up_since_ms_ = around_.loop.now_ms();
  log_severity_ = 0;
  listed_ = false;
  if (leaving()) return begin_waiting();
  log(COLLET_LOG_INFO, "connected, " + peer_.name + ", protocol " + peer_.version);
  open_gate();
  link_->listen();
  read_lists();
  schedule_refresh();
  begin_waiting();
}

void Remote::take_peer(Peer peer) {
  peer_ = std::move(peer);
  known_.era = peer_.era;
  known_.instructions = peer_.instructions;
}

void Remote::open_gate() {
  if (state_ == State::up && !leaving()) gate_->open(link_->lane_route());
}

void Remote::begin_waiting() {
  for (ProxyCall* call : std::exchange(waiting_, {})) call->begin();
}

void Remote::fail_waiting(const std::string& why) {
  for (ProxyCall* call : std::exchange(waiting_, {})) call->fail(why);
}

void Remote::go_down(const std::string& reason) {
  std::string why = reason;
  if (state_ != State::up && std::exchange(old_transport_, false)) {
    why = before_old_transport_ + "; nor does it speak HTTP with SSE: " + reason;
  }
  const bool flapping = state_ != State::up || around_.loop.now_ms() - up_since_ms_ < limits::kStableMs;
  failures_ = flapping ? failures_ + 1 : 0;
  if (why != problem_ || failures_ <= 1) log(COLLET_LOG_WARNING, "down: " + why);
  problem_ = why;
  state_ = State::down;
  pending_ = false;
  retire_link();
  if (leaving()) return fail_waiting(why_down());
  const std::uint64_t pause =
      failures_ == 0
          ? 0
          : jittered(std::min(limits::kBackoffMinMs << std::min(failures_ - 1, 10u), limits::kBackoffMaxMs));
  next_attempt_ms_ = around_.loop.now_ms() + pause;
  reconnect_.start(pause, [this] { connect(); });
  if (failures_ > 1) fail_waiting(why_down());
  if (config_.when_down == "hide") publish();
}

// Its connection may be what is calling us, and may have other answers to come.
void Remote::retire_link() {
  gate_->shut();
  readers_.clear();
  handshake_.reset();
  relist_.stop();
  periodic_.stop();
  if (link_) retired_.push_back(std::move(link_));
  sweep();
}

void Remote::note_unreachable(const Connection& connection, const std::string& why) {
  if (state_ == State::up && &link_->connection() == &connection) go_down(why);
}

Connection* Remote::connection() { return state_ == State::up ? &link_->connection() : nullptr; }

std::string Remote::why_down() const {
  std::string why = "it is not available now";
  if (!problem_.empty()) why += ": " + problem_;
  const std::uint64_t now = around_.loop.now_ms();
  if (next_attempt_ms_ > now) why += " (next attempt in " + std::to_string(next_attempt_ms_ - now) + " ms)";
  return why;
}

// What cannot be destroyed where it ends, since it may be running.
void Remote::sweep() {
  constexpr std::uint64_t kSweepMs = 500;
  if (sweep_.active()) return;
  sweep_.start(over_.empty() ? kSweepMs : 0, [this] {
    over_.clear();
    std::erase_if(retired_, [](const auto& link) { return link->connection().in_flight() == 0; });
    if (!retired_.empty()) sweep();
  });
}

// its lists

// Those that it has.
void Remote::read_lists() {
  for (const Listed& list : kLists) {
    peer_.can(list.capability) ? read_list(list.kind) : void(known_.items.erase(list.kind));
  }
  publish();
  if (readers_.empty()) note_listed();
}

void Remote::read_list(std::uint32_t kind) {
  const Listed& list = listed(kind);
  readers_[kind] =
      std::make_unique<ListReader>(link_->connection(), std::string(list.method), std::string(list.member),
                                   [this, kind](Result<List> read) { on_list(kind, std::move(read)); });
}

void Remote::on_list(std::uint32_t kind, Result<List> list) {
  // The reader is what calls us: it goes with the next turn of the loop.
  const auto reader = std::shared_ptr<ListReader>(std::move(readers_[kind]));
  around_.loop.post([reader] {});
  readers_.erase(kind);
  if (list) {
    lost_lists_.erase(kind);
    take_list(kind, *list);
  } else {
    log(COLLET_LOG_WARNING, list.message());
    if (reader->lost() && ++lost_lists_[kind] <= limits::kListLostMax) {
      const Lost& lost = *reader->lost();
      const bool gone = lost.http_status == 404 && peer_.era == Era::legacy;  // the session is
      if (!lost.sent || gone) return go_down(lost.message);
      refresh(kind, limits::kRetryMsDefault);
    }
  }
  open_gate();  // or shut it: the remote may have asked for authorization meanwhile
  if (readers_.empty()) note_listed();
  if (!stale_.empty()) refresh(*stale_.begin());
}

void Remote::note_listed() {
  pending_ = false;
  if (!std::exchange(listed_, true)) log(COLLET_LOG_INFO, "ready");
}

void Remote::take_list(std::uint32_t kind, const List& list) {
  if (!list.warning.empty()) log(COLLET_LOG_WARNING, list.warning);
  std::unordered_map<std::string_view, RemoteItemPtr> before;
  for (const RemoteItemPtr& item : known_.items[kind]) before.emplace(item->name, item);
  std::vector<RemoteItemPtr> items;
  std::set<std::string, std::less<>> names;
  for (const std::string& element : list.elements) {
    auto item = read_item(kind, element);
    if (!item) {
      log(COLLET_LOG_WARNING, "one of its " + std::string(listed(kind).plural) + " is left out: " + item.message());
      continue;
    }
    if (!config_.offers(item->name) || !names.insert(item->name).second) continue;
    const auto known = before.find(item->name);
    if (known != before.end() && *known->second == *item) {
      items.push_back(known->second);
      continue;
    }
    if (known != before.end()) {
      log(COLLET_LOG_WARNING,
          "it has changed " + item->name + "\n" + json_diff(known->second->definition, item->definition));
    }
    items.push_back(std::make_shared<const RemoteItem>(std::move(*item)));
  }
  if (list.ttl_ms) ttl_ms_ = std::min(ttl_ms_.value_or(*list.ttl_ms), *list.ttl_ms);
  if (!periodic_.active()) schedule_refresh();
  log(COLLET_LOG_INFO, std::to_string(items.size()) + " " + std::string(listed(kind).plural));
  known_.items[kind] = std::move(items);
  publish();
  if (kind == COLLET_RESOURCE || kind == COLLET_RESOURCE_TEMPLATE) around_.resources_listed();
}

Offering Remote::offered() {
  Offering out{.config = &config_, .remote = this, .gate = gate_};
  if (state_ != State::up && !pending() && config_.when_down == "hide") return out;
  for (const auto& [kind, items] : known_.items) out.items.insert(out.items.end(), items.begin(), items.end());
  if (config_.instructions) out.instructions = known_.instructions;
  return out;
}

void Remote::publish() { around_.publisher.offer(offered()); }

void Remote::refresh(std::uint32_t kind, std::uint64_t pause_ms) {
  if (leaving() || state_ != State::up || !peer_.can(listed(kind).capability)) return;
  stale_.insert(kind);
  if (relist_.active()) return;
  relist_.start(pause_ms, [this] {
    for (const std::uint32_t each : std::exchange(stale_, {})) {
      // One that is being read may be older than the change.
      readers_.contains(each) ? void(stale_.insert(each)) : read_list(each);
    }
  });
}

// For a remote that does not tell of changes, or a user who does not rely on it.
void Remote::schedule_refresh() {
  constexpr std::uint64_t kRefreshMsMin = 1'000;
  std::uint64_t every = config_.refresh_ms;
  if (!every && !link_->hears() && ttl_ms_.value_or(0) > 0) every = *ttl_ms_;
  if (!every) return;
  periodic_.start(std::max(every, kRefreshMsMin), [this] {
    for (const Listed& list : kLists) refresh(list.kind);
    schedule_refresh();
  });
}

void Remote::watch(const std::string& uri, bool on) {
  if (on && watched_.size() >= limits::kWatchedMax) return;
  const bool changed = on ? watched_.insert(uri).second : watched_.erase(uri) > 0;
  if (changed && state_ == State::up) link_->watch(uri, on);
}

bool Remote::lists_resource(const std::string& uri) const {
  // Of a template, what stands before its first variable tells enough.
  const auto offers = [&](std::uint32_t kind, auto matches) {
    const auto found = known_.items.find(kind);
    return found != known_.items.end() && std::any_of(found->second.begin(), found->second.end(), matches);
  };
  return offers(COLLET_RESOURCE, [&](const RemoteItemPtr& item) { return item->name == uri; }) ||
         offers(COLLET_RESOURCE_TEMPLATE, [&](const RemoteItemPtr& item) {
           return uri.starts_with(item->name.substr(0, item->name.find('{')));
         });
}

// its calls

void Remote::call(IncomingCall call, RemoteItemPtr item) {
  if (call.round > 0 && call.state_version == kStateIsToken) {
    around_.host.fail(call.id, kInvalidParams, "remote " + config_.name + ": its question has expired: begin anew");
    return;
  }
  if (ProxyCall* const made = admit(std::move(call), std::move(item))) begin_when_up(*made, why_down());
}

// Null: the call has failed.
ProxyCall* Remote::admit(IncomingCall call, RemoteItemPtr item) {
  if (calls_.size() >= limits::kCallsInFlightMax) {
    around_.host.fail(call.id, kInternalError, "remote " + config_.name + ": too many calls of it are under way");
    return nullptr;
  }
  auto made = std::make_unique<ProxyCall>(*this, std::move(call), std::move(item));
  ProxyCall* const admitted = made.get();
  calls_.emplace(admitted, std::move(made));
  return admitted;
}

void Remote::take_over(HandedOver handed) {
  if (handed.shuts) gate_->shut();
  if (handed.how == HandedOver::How::begin) return call(std::move(handed.call), handed.target.item);
  ProxyCall* const made = admit(std::move(handed.call), handed.target.item);
  if (!made) return;
  if (handed.how == HandedOver::How::settle) return made->settle(handed.request, handed.answer);
  made->note_retry();
  begin_when_up(*made, why_down());
}

// A question that comes on the stream of a call in a lane may be about another one's, so that nobody is asked.
void Remote::take_stray(std::string_view text) {
  if (state_ != State::up) return;
  Connection& connection = link_->connection();
  if (const auto message = parse_message(text); message && message->is_request() && message->method != "ping") {
    return connection.refuse(message->id, kMethodNotFound, "nobody is there whom this could be asked");
  }
  connection.transport_listener().on_text(text, 0);
}

bool Remote::resume(IncomingCall& call) {
  if (call.round == 0 || call.state_version != kStateIsToken) return false;
  const auto found = suspended_.find(call.state);
  if (found == suspended_.end()) return false;
  ProxyCall& waiting = *found->second;
  suspended_.erase(found);
  waiting.resume(std::move(call));
  return true;
}

bool Remote::cancel(collet_call call, const char* reason) {
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& entry) { return entry.first->host_call() == call; });
  if (found == calls_.end()) return false;
  found->first->cancel(reason);
  return true;
}

void Remote::end_calls(const char* reason) {
  std::vector<ProxyCall*> all;
  for (const auto& [call, owned] : calls_) all.push_back(call);
  for (ProxyCall* call : all) call->cancel(reason);
  if (gate_->calls() > 0) around_.end_lane_calls(gate_, reason);
}

void Remote::begin_when_up(ProxyCall& call, const std::string& why) {
  if (state_ == State::up) return call.begin();
  if (failures_ > 1 || (leaving() && state_ == State::down)) return call.fail(why);
  waiting_.push_back(&call);
}

bool Remote::keep_suspended(ProxyCall& call, std::string& token) {
  if (suspended_.size() >= limits::kSuspendedMax) return false;
  token = random_token();
  suspended_.emplace(token, &call);
  return true;
}

void Remote::over(ProxyCall& call) {
  const auto found = calls_.find(&call);
  if (found == calls_.end()) return;
  suspended_.erase(call.token());
  std::erase(waiting_, &call);
  over_.push_back(std::move(found->second));
  calls_.erase(found);
  note_call_ended();
  sweep();
}

void Remote::note_call_ended() {
  if (leaving() && !has_calls()) farewell_.start(0, left_);
}

// Of a question that came outside of any response stream: the call whose task it names, or the one call under way,
// or the newest if all are of the same principal, so that nobody is asked for another's sake.
ProxyCall* Remote::whose_question(const Message& message) const {
  const auto related = find_member(find_member(message.params, "_meta"), "io.modelcontextprotocol/related-task");
  const auto task = find_string(related, "taskId");
  ProxyCall* newest = nullptr;
  for (const auto& [call, owned] : calls_) {
    if (task && call->has_task(*task)) return call;
    if (!call->host_call() || !call->in_flight()) continue;
    if (newest && newest->principal() != call->principal()) return nullptr;
    if (!newest || call->host_call() > newest->host_call()) newest = call;
  }
  return newest;
}

// The token of a call stays good when the call has become a task.
ProxyCall* Remote::whose_progress(const Message& message) const {
  const std::uint64_t token = find_unsigned(message.params, "progressToken").value_or(0);
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& entry) { return entry.first->has_progress_token(token); });
  return token && found != calls_.end() ? found->first : nullptr;
}

void Remote::want_logs(std::string_view level) {
  constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                       "error", "critical", "alert",  "emergency"};
  if (level.empty() || peer_.era == Era::modern || !peer_.can("logging")) return;
  const auto found = std::find(kLevels.begin(), kLevels.end(), level);
  const auto wanted = static_cast<unsigned>(kLevels.end() - found);  // 8: everything
  if (wanted <= log_severity_) return;
  log_severity_ = wanted;
  link_->connection().ask("logging/setLevel", R"("level":")" + std::string(level) + "\"", limits::kListMs,
                          [](const Answer&) {});
}

std::string Remote::status() const {
  static constexpr std::string_view kStates[] = {"down", "connecting", "up"};
  JsonMembers out;
  out.text = "{";
  out.add("name", config_.name);
  out.add("state", config_.enabled ? kStates[static_cast<unsigned>(state_)] : "disabled");
  out.add("pending", pending());
  out.add("address", config_.url.empty() ? config_.command : config_.url);
  if (state_ == State::up) {
    out.add("server", peer_.name);
    out.add("version", peer_.version);
    out.add("era", peer_.era == Era::modern ? "modern" : "legacy");
  } else if (!problem_.empty()) {
    out.add("problem", problem_);
  }
  for (const Listed& list : kLists) {
    const auto found = known_.items.find(list.kind);
    out.add(list.plural, found == known_.items.end() ? std::size_t{0} : found->second.size());
  }
  out.add("calls", calls_.size() + gate_->calls());
  return out.text + "}";
}

}  // namespace collet::client
