#include "client/client.h"

#include <signal.h>

#include <algorithm>
#include <future>

#include "client/authorization.h"
#include "client/limits.h"

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

Client::Client(const collet_host* table, ClientConfig config)
    : config_(std::move(config)), host_(table), tokens_(token_file()) {
  for (const RemoteConfig& remote : config_.remotes) {
    if (remote.login) offer_login(host_, remote);
  }
  thread_ = start_thread([this] { run(); });
}

Client::~Client() {
  loop_.post([this] { end(); });
  thread_.join();
}

void Client::run() {
  begin();
  loop_.run();
  remotes_.clear();
  surroundings_.reset();
  publisher_.reset();
  children_.reset();
  farewell_.reset();
  http_.reset();
}

void Client::begin() {
  http_ = std::make_unique<HttpClient>(loop_, "collet/" + config_.version);
  children_ = std::make_unique<Children>(loop_);
  publisher_ = std::make_unique<Publisher>(loop_, host_, config_);
  std::string info = R"({"name":"collet","version":)";
  append_json(info, config_.version);
  surroundings_ = std::make_unique<Surroundings>(
      Surroundings{loop_, host_, *http_, *children_, *publisher_, tokens_, info + "}"});
  for (std::size_t index = 0; index < config_.remotes.size(); ++index) {
    const RemoteConfig& remote = config_.remotes[index];
    remotes_.push_back(std::make_unique<Remote>(*surroundings_, remote, index));
    if (remote.login) {
      login_ = std::make_unique<Login>(loop_, *http_, host_, remote, tokens_);
    } else if (remote.enabled) {
      remotes_.back()->connect();
    }
  }
}

// Children and sessions are told; what does not end within the time is ended.
void Client::end() {
  ending_ = true;
  for (const auto& remote : remotes_) remote->end_calls("the client is being unloaded");
  login_.reset();
  remotes_.clear();
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
  loop_.post([this, call = std::make_shared<IncomingCall>(std::move(call))] { dispatch(std::move(*call)); });
}

void Client::dispatch(IncomingCall call) {
  if (login_) return login_->begin(call.id);
  const Publisher::Target* target = ending_ ? nullptr : publisher_->find(call.key);
  if (!target) return host_.fail(call.id, kInternalError, "the remote does not offer this any more");
  remotes_[target->remote]->call(std::move(call), target->item);
}

void Client::cancel(collet_call call, std::uint32_t reason) {
  loop_.post([this, call, reason] {
    if (login_ && login_->cancel(call)) return;
    std::any_of(remotes_.begin(), remotes_.end(),
                [&](const auto& remote) { return remote->cancel(call, words_of(reason)); });
  });
}

void Client::watch(std::string uri, bool on) {
  loop_.post([this, uri = std::move(uri), on] {
    for (const auto& remote : remotes_) {
      if (remote->offers_resource(uri)) return remote->watch(uri, on);
    }
  });
}

std::string Client::status() {
  auto promise = std::make_shared<std::promise<std::string>>();
  std::future<std::string> status = promise->get_future();
  loop_.post([this, promise] {
    std::string out = R"({"remotes":[)";
    for (const auto& remote : remotes_) {
      if (out.back() != '[') out += ',';
      out += remote->status();
    }
    const bool pending = publisher_->pending() || std::any_of(remotes_.begin(), remotes_.end(),
                                                              [](const auto& remote) { return remote->pending(); });
    promise->set_value(out + (pending ? R"(],"pending":true})" : R"(],"pending":false})"));
  });
  return status.get();
}

}  // namespace collet::client
