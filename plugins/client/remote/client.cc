#include "client/remote/client.h"

#include <signal.h>

#include <algorithm>
#include <future>

#include "client/auth/file_token_store.h"
#include "client/limits.h"
#include "client/remote/authorization.h"

namespace collet::client {
namespace {

// Signals are the host's; a write to a child that has gone is an error code here.
std::thread start_thread(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

const char* words_of(std::uint32_t reason) {
  switch (reason) {
    case COLLET_CANCEL_DEADLINE:
      return "its time was over";
    case COLLET_CANCEL_SHUTDOWN:
      return "the host is ending";
    default:
      return "the client has cancelled";
  }
}

}  // namespace

Client::Client(const collet_host* table, ClientConfig config, std::map<std::string, Known> handed_over)
    : host_(table) {
  http_ = std::make_unique<HttpClient>(loop_, "collet/" + config.version);
  auto tls = read_tls({});
  if (!tls) {
    host_.log(COLLET_LOG_WARNING, "certificate authorities: " + tls.message() + "; no file that a variable names is used");
  }
  http_->set_tls(tls ? std::move(*tls) : tls_without_files());
  locks_ = std::make_unique<auth::LoopFileLocks>(loop_.uv());
  tokens_ = std::make_unique<auth::FileTokenStore>(token_file(), *locks_);
  if (config.remembers && config.used_by == "server") {
    definitions_ = host_.definitions(loop_);
  } else {
    definitions_ = std::make_unique<NoDefinitions>(loop_);  // a verb of the terminal shows what is true now
  }
  children_ = std::make_unique<Children>(loop_, config.keeper);
  publisher_ = std::make_unique<Publisher>(loop_, host_);
  const auto loops = host_.loops();
  LaneListener& listener = *this;
  if (loops) lanes_ = std::make_unique<Lanes>(host_, *loops, *publisher_, listener);
  std::string info = R"({"name":"collet","version":)";
  append_json(info, config.version);
  surroundings_ = std::make_unique<Surroundings>(
      Surroundings{loop_, host_, *http_, *children_, *publisher_, *tokens_, *definitions_, [this] { place_watches(); },
                   loops ? loops->count() : 0, lanes_.get(), info + "}", config.used_by == "terminal"});
  logs_in_ = config.used_by == "login";
  take(std::move(config), handed_over);
  for (const auto& remote : remotes_) {
    if (!logs_in_) break;
    offer_login(host_, remote->config());
    login_ = std::make_unique<Login>(loop_, *http_, host_, remote->config(), *tokens_);
  }
  thread_ = start_thread([this] { run(); });
}

Client::~Client() {
  loop_.post([this] { end(); });
  thread_.join();
}

void Client::run() {
  loop_.run();
  remotes_.clear();
  leaving_.clear();
  surroundings_.reset();
  publisher_.reset();
  children_.reset();
  farewell_.reset();
  http_.reset();  // it tells those who wait for it, and they use the store
  tokens_.reset();
  locks_.reset();
  definitions_.reset();
}

// In one step: what is offered under the same name before and after is always there.
void Client::take(ClientConfig config, const std::map<std::string, Known>& handed_over) {
  std::vector<std::unique_ptr<Remote>> before = std::exchange(remotes_, {});
  for (RemoteConfig& wanted : config.remotes) {
    const auto known = std::find_if(before.begin(), before.end(),
                                    [&](const auto& remote) { return remote->config().name == wanted.name; });
    if (known != before.end() && (*known)->config() == wanted) {
      remotes_.push_back(std::move(*known));
      before.erase(known);
      continue;
    }
    const bool connects = wanted.enabled && !logs_in_;
    const auto said = handed_over.find(wanted.name);
    Remote& remote = *remotes_.emplace_back(std::make_unique<Remote>(*surroundings_, std::move(wanted)));
    if (!connects) continue;
    if (known != before.end()) remote.assume({(*known)->known().items, {}, (*known)->known().instructions});
    if (said != handed_over.end()) remote.assume(said->second);
    if (remote.known().items.empty()) recall(remote);
    loop_.post([&remote] { remote.connect(); });
  }
  std::vector<Offering> offerings;
  for (const auto& remote : remotes_) offerings.push_back(remote->offered());
  publisher_->arrange(std::move(offerings), config.name_bytes_max);
  publisher_->publish();
  place_watches();
  for (auto& remote : before) leave(std::move(remote));
}

// What is known of all is offered in one step: the host waits for that before it serves, as a client may ask only once.
void Client::recall(Remote& remote) {
  ++recalling_;
  loop_.post([this, &remote] {
    remote.recall([this] {
      if (--recalling_ > 0) return;
      publisher_->hurry();
      host_.status_changed();
    });
  });
}

void Client::leave(std::unique_ptr<Remote> remote) {
  Remote& leaving = *leaving_.emplace_back(std::move(remote));
  leaving.leave(
      [this, &leaving] { std::erase_if(leaving_, [&](const auto& each) { return each.get() == &leaving; }); });
}

// Children and sessions are told; what does not end within the time is ended.
void Client::end() {
  ending_ = true;
  for (const auto* all : {&remotes_, &leaving_}) {
    for (const auto& remote : *all) remote->end_calls("the client is being unloaded");
  }
  login_.reset();
  publisher_->close();
  remotes_.clear();
  leaving_.clear();
  const std::uint64_t patience = std::min<std::uint64_t>(patience_ms_, limits::kExitMs);
  farewell_ = std::make_unique<Timer>(loop_);
  constexpr std::uint64_t kGoodbyesMs = 500;
  const auto end_children = [this, patience] {
    farewell_->stop();
    children_->end_all(patience / 3, [this] { loop_.stop(); });
  };
  farewell_->start(std::min(patience / 3, kGoodbyesMs), end_children);
  http_->when_fetched(end_children);
}

void Client::call(IncomingCall call) {
  if (lanes_ && lanes_->take(call)) return;
  loop_.post([this, call = std::make_shared<IncomingCall>(std::move(call))] { dispatch(std::move(*call)); });
}

void Client::dispatch(IncomingCall call) {
  if (login_) return login_->begin(call.id, call.key);
  const auto resumes = [&](const auto& remote) { return remote->calls().resume(call); };
  if (std::any_of(remotes_.begin(), remotes_.end(), resumes)) return;
  if (std::any_of(leaving_.begin(), leaving_.end(), resumes)) return;
  const Publisher::Target* target = ending_ ? nullptr : publisher_->find(call.key);
  if (!target) return host_.fail(call.id, kInternalError, "the remote does not offer this any more");
  target->remote->call(std::move(call), target->item);
}

void Client::cancel(collet_call call, std::uint32_t reason) {
  lanes_ ? lanes_->cancel(call, words_of(reason)) : cancel_elsewhere(call, words_of(reason));
}

void Client::cancel_elsewhere(collet_call call, const char* reason) {
  loop_.post([this, call, reason] {
    if (login_ && login_->cancel(call)) return;
    const auto cancels = [&](const auto& remote) { return remote->calls().cancel(call, reason); };
    if (std::any_of(remotes_.begin(), remotes_.end(), cancels)) return;
    std::any_of(leaving_.begin(), leaving_.end(), cancels);
  });
}

// Null: it has gone.
Remote* Client::remote_behind(const LaneGatePtr& gate) const {
  for (const auto* all : {&remotes_, &leaving_}) {
    for (const auto& remote : *all) {
      if (remote->gate() == gate) return remote.get();
    }
  }
  return nullptr;
}

void Client::hand_over(HandedOver handed) {
  loop_.post([this, kept = std::make_shared<HandedOver>(std::move(handed))] {
    if (Remote* const remote = remote_behind(kept->request.gate)) return remote->take_over(std::move(*kept));
    if (kept->how == HandedOver::How::begin) return dispatch(std::move(kept->call));
    if (kept->how == HandedOver::How::carry) lanes_->let_go(kept->request.id);
    host_.fail(kept->call.id, kInternalError, "the remote does not offer this any more");
  });
}

// Nothing happens if it has gone.
void Client::post_to(LaneGatePtr gate, std::function<void(Remote&)> task) {
  loop_.post([this, gate = std::move(gate), task = std::move(task)] {
    if (Remote* const remote = remote_behind(gate)) task(*remote);
  });
}

void Client::on_stray(LaneGatePtr gate, std::string text) {
  post_to(std::move(gate), [text = std::move(text)](Remote& remote) { remote.take_stray(text); });
}

void Client::on_carried(LaneRequest request, std::string text) {
  loop_.post([this, request = std::move(request), text = std::move(text)] {
    if (Remote* const remote = remote_behind(request.gate)) remote->take_carried(request, text);
    *request.unheard -= text.size();
  });
}

void Client::on_carried_end(LaneRequest request, CarriedEnd end) {
  post_to(request.gate, [request, end = std::move(end)](Remote& remote) { remote.take_carried_end(request, end); });
}

void Client::on_cancelled(LaneRequest request, const char* reason) {
  post_to(request.gate, [request, reason](Remote& remote) { remote.take_cancelled(request, reason); });
}

void Client::watch(std::string uri, bool on) {
  loop_.post([this, uri = std::move(uri), on] {
    if (on) {
      watched_.insert(uri);
      return place_watches();
    }
    watched_.erase(uri);
    for (const auto& remote : remotes_) remote->watch(uri, false);
  });
}

// A resource is watched at the first remote that lists it, which may come to list it later.
void Client::place_watches() {
  for (const std::string& uri : watched_) {
    const auto lists = [&](const auto& remote) { return remote->lists_resource(uri); };
    const auto found = std::find_if(remotes_.begin(), remotes_.end(), lists);
    if (found != remotes_.end()) (*found)->watch(uri, true);
  }
}

void Client::quiesce(std::uint64_t patience_ms) {
  patience_ms_ = patience_ms;
  loop_.post([this] { publisher_->close(); });
}

// Runs it on the client's thread and waits for what it returns.
template <class Callback>
auto Client::on_thread(Callback callback) {
  auto task = std::make_shared<std::packaged_task<decltype(callback())()>>(std::move(callback));
  auto result = task->get_future();
  loop_.post([task] { (*task)(); });
  return result.get();
}

void Client::reconfigure(ClientConfig config) {
  on_thread([this, &config] { take(std::move(config), {}); });
}

std::vector<std::string> Client::handover() {
  return on_thread([this] {
    std::vector<std::string> parts;
    for (const auto& remote : remotes_) parts.push_back(write_handover(remote->config().name, remote->known()));
    return parts;
  });
}

std::string Client::status() {
  return on_thread([this] {
    std::string out = R"({"remotes":[)";
    for (const auto& remote : remotes_) {
      if (out.back() != '[') out += ',';
      out += remote->status();
    }
    const bool pending = publisher_->pending() || std::any_of(remotes_.begin(), remotes_.end(),
                                                              [](const auto& remote) { return remote->pending(); });
    out += pending ? R"(],"pending":true)" : R"(],"pending":false)";
    return out + (recalling_ > 0 ? R"(,"recalling":true})" : R"(,"recalling":false})");
  });
}

}  // namespace collet::client
