#include "client/remote/remote_calls.h"

#include <algorithm>
#include <random>
#include <utility>

#include "client/limits.h"

namespace collet::client {
namespace {

std::string random_token() {
  constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string token;
  for (unsigned word = 0; word < 4; ++word) {
    for (std::uint32_t bits = random(), digit = 0; digit < 8; ++digit, bits >>= 4) token += kHex[bits & 15];
  }
  return token;
}

}  // namespace

ProxyCall* RemoteCalls::add(ProxyCall::Owner& remote, IncomingCall call, RemoteItemPtr item) {
  if (calls_.size() >= limits::kCallsInFlightMax) return nullptr;
  auto made = std::make_unique<ProxyCall>(remote, std::move(call), std::move(item));
  ProxyCall* const added = made.get();
  calls_.emplace(added, std::move(made));
  return added;
}

void RemoteCalls::over(ProxyCall& call) {
  const auto found = calls_.find(&call);
  if (found == calls_.end()) return;
  suspended_.erase(call.token());
  std::erase(waiting_, &call);
  over_.push_back(std::move(found->second));
  calls_.erase(found);
  sweep_.start(0, [this] { over_.clear(); });
  ended_();
}

void RemoteCalls::clear() {
  over_.clear();
  calls_.clear();
}

bool RemoteCalls::resume(IncomingCall& call) {
  if (call.round == 0 || call.state_version != kStateIsToken) return false;
  const auto found = suspended_.find(call.state);
  if (found == suspended_.end()) return false;
  ProxyCall& waiting = *found->second;
  suspended_.erase(found);
  waiting.resume(std::move(call));
  return true;
}

bool RemoteCalls::cancel(collet_call call, const char* reason) {
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& entry) { return entry.first->host_call() == call; });
  if (found == calls_.end()) return false;
  found->first->cancel(reason);
  return true;
}

void RemoteCalls::cancel_all(const char* reason) {
  std::vector<ProxyCall*> all;
  for (const auto& [call, owned] : calls_) all.push_back(call);
  for (ProxyCall* call : all) call->cancel(reason);
}

void RemoteCalls::begin_waiting() {
  for (ProxyCall* call : std::exchange(waiting_, {})) call->begin();
}

void RemoteCalls::fail_waiting(const std::string& why) {
  for (ProxyCall* call : std::exchange(waiting_, {})) call->fail(why);
}

bool RemoteCalls::keep_suspended(ProxyCall& call, std::string& token) {
  if (suspended_.size() >= limits::kSuspendedMax) return false;
  token = random_token();
  suspended_.emplace(token, &call);
  return true;
}

ProxyCall* RemoteCalls::whose_question(const Message& message) const {
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

ProxyCall* RemoteCalls::whose_progress(const Message& message) const {
  const std::uint64_t token = find_unsigned(message.params, "progressToken").value_or(0);
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& entry) { return entry.first->has_progress_token(token); });
  return token && found != calls_.end() ? found->first : nullptr;
}

ProxyCall* RemoteCalls::whose_log(bool if_wanted) const {
  ProxyCall* newest = nullptr;
  for (const auto& [call, owned] : calls_) {
    if (!call->in_flight() || (if_wanted && !call->wants_logs())) continue;
    if (newest && (call->session().empty() || call->session() != newest->session())) return nullptr;
    if (!newest || call->host_call() > newest->host_call()) newest = call;
  }
  return newest && newest->host_call() ? newest : nullptr;
}

}  // namespace collet::client
