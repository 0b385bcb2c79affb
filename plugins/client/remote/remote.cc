#include "client/remote/remote.h"

#include <algorithm>

#include "client/limits.h"
#include "client/net/url.h"
#include "client/offer/imported_list.h"
#include "client/remote/authorization.h"
#include "client/remote/link.h"

namespace collet::client {
namespace {

std::string json_array(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    append_json(out, text);
  }
  return out + "]";
}

}  // namespace

Remote::Remote(Surroundings& surroundings, RemoteConfig config)
    : around_(surroundings),
      config_(std::move(config)),
      nobody_(config_.name),
      reconnect_(surroundings.loop),
      starting_(surroundings.loop),
      sweep_(surroundings.loop),
      lists_(surroundings.loop, config_, *this),
      gate_(std::make_shared<LaneGate>(surroundings.loops,
                                       [this, &loop = surroundings.loop, alive = std::weak_ptr(alive_)] {
                                         loop.post([this, alive] {
                                           if (!alive.expired()) note_call_ended();
                                         });
                                       })),
      calls_(surroundings.loop, [this] { note_call_ended(); }),
      farewell_(surroundings.loop) {}

Remote::~Remote() {
  state_ = State::down;  // what the end of its link has the authorizer do opens no gate
  gate_->shut();
  lists_.stop();
  handshake_.reset();
  calls_.clear();
}

void Remote::log(std::uint32_t level, std::string_view text) const {
  around_.host.log(level, "remote " + config_.name + ": " + without_secrets(std::string(text)));
}

std::string Remote::without_secrets(std::string text) const { return redact_urls(without(std::move(text), secrets())); }

// What the remote's own words must not tell others.
std::vector<std::string> Remote::secrets() const {
  std::vector<std::string> all;
  if (const auto headers = constant_headers(config_)) all = secrets_of(*headers);
  if (authorizer_) {
    for (std::string& secret : authorizer_->secrets()) all.push_back(std::move(secret));
  }
  return all;
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

void Remote::recall(Task done) {
  around_.definitions.find(config_, [this, alive = std::weak_ptr(alive_), done = std::move(done)](std::optional<Known> known) {
    if (known && !alive.expired() && !leaving() && !was_up_) {
      assume(*known);
      recalled_ = !known_.items.empty();
      publish();
      around_.resources_listed();
      around_.host.status_changed();
    }
    done();
  });
}

void Remote::leave(Task left) {
  left_ = std::move(left);
  gate_->shut();
  lists_.stop();
  if (state_ == State::down) {
    reconnect_.stop();
    calls_.fail_waiting(why_down());
  }
  if (!has_calls()) return farewell_.start(0, left_);
  farewell_.start(config_.drain_timeout_ms, [this] { end_calls("it is not configured any more"); });
}

void Remote::connect() {
  state_ = State::connecting;
  around_.host.status_changed();
  reconnection_.note_attempt();
  if (!authorizer_) {
    auto made = make_authorizer(config_, around_.http, around_.host, nobody_, around_.tokens,
                                {.clock = {}, .warn = {}, .changed = [this] { reopen_gate(); }});
    if (!made) return go_down(made.message());
    authorizer_ = std::move(*made);
  }
  last_lines_.clear();
  link_ = std::make_unique<Link>(*this, ++links_);
  began_ms_ = around_.loop.now_ms();
  say_starting();
  if (auto opened = link_->open(); !opened) go_down(opened.message());
}

void Remote::shake_hands() {
  Handshake::Options options;
  options.start_ms = config_.start_timeout_ms;
  options.known_era = known_.era;
  if (config_.protocol != "auto") options.version = config_.protocol;
  if (config_.transport == "sse" || old_transport_ || skips_probe_) options.known_era = Era::legacy;
  handshake_ = std::make_unique<Handshake>(
      around_.loop, link_->connection(), options, [this](Peer peer) { on_up(std::move(peer)); },
      [this](const Handshake::Failed& failed) { on_failed(failed); });
}

void Remote::on_failed(const Handshake::Failed& failed) {
  known_.era.reset();
  if (start_without_probe(failed.message)) return;
  if (failed.unknown_endpoint && config_.transport == "auto" && !old_transport_) {
    retire_link();
    old_transport_ = true;
    before_old_transport_ = failed.message;
    return connect();
  }
  go_down(failed.message, failed.retry_after_ms);
}

void Remote::on_link_down(const std::string& reason) {
  if (!start_without_probe(reason)) go_down(reason);
}

// Servers made with some SDKs, such as rmcp, end when the first that they hear is not initialize, or hear nothing
// more. False: that is not why.
bool Remote::start_without_probe(const std::string& why) {
  if (config_.command.empty() || state_ != State::connecting || !handshake_ || !handshake_->may_initialize())
    return false;
  log(COLLET_LOG_INFO, "it is started again, to hear initialize first: " + last_lines_.after(why));
  retire_link();
  skips_probe_ = true;
  connect();
  return true;
}

void Remote::say_starting() {
  starting_.start(limits::kStartSaidMs, [this] {
    const std::uint64_t seconds = (around_.loop.now_ms() - began_ms_) / 1'000;
    problem_ = last_lines_.after("it has not answered yet, after " + std::to_string(seconds) + " s");
    log(COLLET_LOG_WARNING, problem_);
    around_.host.status_changed();
    say_starting();
  });
}

void Remote::note_error_line(std::string_view line) {
  log(around_.shows_stderr ? COLLET_LOG_WARNING : COLLET_LOG_INFO, "stderr: " + std::string(line));
  last_lines_.add(line);
}

void Remote::on_up(Peer peer) {
  handshake_.reset();
  starting_.stop();
  skips_probe_ = false;
  problem_.clear();
  take_peer(std::move(peer));
  state_ = State::up;
  was_up_ = true;
  around_.host.status_changed();
  reconnection_.note_up(around_.loop.now_ms());
  log_rank_ = 0;
  listed_ = false;
  if (leaving()) return calls_.begin_waiting();
  log(COLLET_LOG_INFO, "connected, " + peer_.name + ", protocol " + peer_.version);
  open_gate();
  link_->listen();
  read_lists();
  lists_.expect_changes(link_->hears());
  calls_.begin_waiting();
}

void Remote::take_peer(Peer peer) {
  peer_ = std::move(peer);
  known_.era = peer_.era;
  known_.instructions = peer_.instructions;
}

void Remote::open_gate() {
  if (state_ != State::up || leaving()) return;
  gate_lost_ = false;
  gate_->open(link_->lane_route());
}

// A remote at which lanes always fail has few calls made twice, since the gate does not open each time.
void Remote::reopen_gate() {
  if (state_ != State::up || leaving()) return;
  if (!gate_lost_ || reopenings_.take(static_cast<std::int64_t>(around_.loop.now_ms() / 1'000))) open_gate();
}

void Remote::note_answer() {
  if (gate_lost_) reopen_gate();
}

void Remote::go_down(const std::string& reason, std::uint64_t pause_ms_min) {
  std::string why = last_lines_.after(reason.empty() ? "no reason is known" : reason);
  skips_probe_ = false;
  if (state_ != State::up && std::exchange(old_transport_, false)) {
    why = before_old_transport_ + "; nor does it speak HTTP with SSE: " + reason;
  }
  why = without_secrets(std::move(why));
  if (leaving()) reconnection_.give_up();
  const std::uint64_t pause = reconnection_.note_down(around_.loop.now_ms(), state_ == State::up, pause_ms_min);
  if (why != problem_ || reconnection_.is_news()) log(COLLET_LOG_WARNING, "down: " + why);
  problem_ = why;
  state_ = State::down;
  pending_ = false;
  around_.host.status_changed();
  retire_link();
  if (leaving()) return calls_.fail_waiting(why_down());
  reconnect_.start(pause, [this] { connect(); });
  if (!reconnection_.patient(around_.loop.now_ms())) calls_.fail_waiting(why_down());
  if (config_.when_down == "hide") publish();
}

// Its connection may be what is calling us, and may have other answers to come.
void Remote::retire_link() {
  gate_->shut();
  lists_.stop();
  handshake_.reset();
  starting_.stop();
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
  if (const std::uint64_t pause = reconnection_.remaining_ms(around_.loop.now_ms())) {
    why += " (next attempt in " + std::to_string(pause) + " ms)";
  }
  return why;
}

void Remote::sweep() {
  constexpr std::uint64_t kSweepMs = 500;
  if (sweep_.active()) return;
  sweep_.start(kSweepMs, [this] {
    std::erase_if(retired_, [](const auto& link) { return !link->in_use(); });
    if (!retired_.empty()) sweep();
  });
}

// its lists

// Those that it has.
void Remote::read_lists() {
  const bool any = lists_.begin(link_->connection(), peer_);
  for (const ListKind& kind : list_kinds()) {
    if (!peer_.can(kind.capability)) known_.items.erase(kind.kind);
  }
  publish();
  if (!any) note_listed();
}

void Remote::on_unread(const std::string& why) {
  log(COLLET_LOG_WARNING, why);
  around_.host.status_changed();
}

void Remote::on_unreachable(const std::string& why) { go_down(why); }

void Remote::on_reading_over(bool last) {
  open_gate();  // with what its connection has learnt meanwhile: its address and its URL
  if (last) note_listed();
}

void Remote::note_listed() {
  pending_ = false;
  around_.host.status_changed();
  around_.definitions.keep(config_, known_);
  if (!std::exchange(listed_, true)) log(COLLET_LOG_INFO, "ready");
}

void Remote::on_list(const ListKind& kind, const List& list) {
  ImportedList imported = import_list(kind.kind, kind.plural, list, config_, known_.items[kind.kind]);
  if (imported.is_ours) return refuse();
  for (const std::string& remark : imported.remarks) log(COLLET_LOG_WARNING, remark);
  log(COLLET_LOG_INFO, std::to_string(imported.items.size()) + " " + std::string(kind.plural));
  known_.items[kind.kind] = std::move(imported.items);
  publish();
  if (kind.kind == COLLET_RESOURCE || kind.kind == COLLET_RESOURCE_TEMPLATE) around_.resources_listed();
}

// Nothing of it is offered, and it is not tried again before it is configured anew.
void Remote::refuse() {
  reconnection_.give_up();
  known_.items.clear();
  known_.instructions.clear();
  around_.definitions.keep(config_, known_);
  go_down("it is this gateway itself");
  reconnect_.stop();
  calls_.fail_waiting(why_down());
  publish();
}

Offering Remote::offered() {
  Offering out{.config = &config_, .remote = this, .gate = gate_};
  if (state_ != State::up && !pending_ && config_.when_down == "hide") return out;
  for (const auto& [kind, items] : known_.items) out.items.insert(out.items.end(), items.begin(), items.end());
  if (config_.instructions) out.instructions = known_.instructions;
  return out;
}

void Remote::publish() { around_.publisher.offer(offered()); }

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
  if (state_ == State::up && link_->lane_is_old()) open_gate();
  if (ProxyCall* const made = admit(std::move(call), std::move(item))) begin_when_up(*made, why_down());
}

// Null: the call has failed.
ProxyCall* Remote::admit(IncomingCall call, RemoteItemPtr item) {
  const collet_call id = call.id;
  ProxyCall* const admitted = calls_.add(*this, std::move(call), std::move(item));
  if (!admitted) {
    around_.host.fail(id, kInternalError, "remote " + config_.name + ": too many calls of it are under way");
  }
  return admitted;
}

void Remote::take_over(HandedOver handed) {
  if (handed.shuts && gate_->shut_after(handed.opening)) gate_lost_ = true;
  if (handed.how == HandedOver::How::begin) return call(std::move(handed.call), handed.item);
  ProxyCall* const made = admit(std::move(handed.call), handed.item);
  Link* const link = find_link(handed.request.link);
  const bool carries = handed.how == HandedOver::How::carry;
  if (carries && (!made || !link)) around_.lanes->let_go(handed.request.id);
  if (!made) return;
  if (carries) return link ? link->adopt(*made, handed.request.id) : made->fail("its connection has gone");
  if (handed.how == HandedOver::How::settle) return made->settle(handed.era, handed.request.id, handed.answer);
  made->lose(link ? &link->connection() : nullptr, handed.lost);
}

// Null: nothing is under way on it any more.
Remote::Link* Remote::find_link(LinkNumber number) const {
  if (link_ && link_->number() == number) return link_.get();
  const auto found =
      std::find_if(retired_.begin(), retired_.end(), [&](const auto& link) { return link->number() == number; });
  return found == retired_.end() ? nullptr : found->get();
}

void Remote::take_carried(const LaneRequest& request, std::string_view text) {
  if (Link* const link = find_link(request.link)) link->take_carried(request.id, text);
}

void Remote::take_carried_end(const LaneRequest& request, const CarriedEnd& end) {
  if (Link* const link = find_link(request.link)) link->take_carried_end(request.id, end);
}

void Remote::take_cancelled(const LaneRequest& request, const char* reason) {
  if (Link* const link = find_link(request.link)) link->connection().tell_cancelled(request.id, reason);
}

// A question that comes on the stream of a call in a lane may be about another one's, so that nobody is asked.
void Remote::take_stray(std::string_view text) {
  if (state_ != State::up) return;
  Connection& connection = link_->connection();
  if (const auto message = parse_message(text); message && message->is_request() && message->method != "ping") {
    return connection.refuse(message->id, kMethodNotFound, kNobodyToAsk);
  }
  connection.transport_listener().on_text(text, 0);
}

void Remote::end_calls(const char* reason) {
  calls_.cancel_all(reason);
  if (gate_->calls() > 0) around_.lanes->end(gate_, reason);
}

void Remote::begin_when_up(ProxyCall& call, const std::string& why) {
  if (state_ == State::up) return call.begin();
  if (!reconnection_.patient(around_.loop.now_ms()) || (leaving() && state_ == State::down)) return call.fail(why);
  calls_.wait(call);
}

void Remote::note_call_ended() {
  if (leaving() && !has_calls()) farewell_.start(0, left_);
}

ProxyCall* Remote::whose_log() const {
  const bool modern = peer_.era == Era::modern;
  return modern && has_headers() ? nullptr : calls_.whose_log(modern);  // there each request has a stream
}

void Remote::want_logs(std::string_view level) {
  if (peer_.era == Era::modern || !peer_.can("logging")) return;
  const unsigned wanted = log_rank(level);
  if (wanted <= log_rank_) return;
  log_rank_ = wanted;
  link_->connection().ask("logging/setLevel", R"("level":")" + std::string(level) + "\"", limits::kAskMs,
                          [](const Answer&) {});
  open_gate();
}

std::string Remote::status() const {
  static constexpr std::string_view kStates[] = {"down", "connecting", "up"};
  const State shown = state_ == State::connecting && reconnection_.retries() ? State::down : state_;
  JsonMembers out;
  out.text = "{";
  out.add("name", config_.name);
  out.add("state", config_.enabled ? kStates[static_cast<unsigned>(shown)] : "disabled");
  out.add("pending", pending());
  out.add("address", config_.url.empty() ? config_.command : redact_url(config_.url));
  if (!config_.args.empty()) out.add_raw("args", json_array(config_.args));  // for the host, which shows no secrets
  if (state_ == State::up) {
    out.add("server", peer_.name);
    out.add("version", peer_.version);
    out.add("era", peer_.era == Era::modern ? "modern" : "legacy");
  } else if (!problem_.empty()) {
    out.add("problem", problem_);
  }
  for (const ListKind& list : list_kinds()) {
    const auto found = known_.items.find(list.kind);
    out.add(list.plural, found == known_.items.end() ? std::size_t{0} : found->second.size());
  }
  std::vector<std::string> unread = lists_.unread();
  for (std::string& why : unread) why = without_secrets(std::move(why));
  out.add_raw("unread", json_array(unread));
  out.add("calls", calls_.size() + gate_->calls());
  return out.text + "}";
}

}  // namespace collet::client
