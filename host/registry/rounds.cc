#include "registry/rounds.h"

#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "registry/answers.h"
#include "registry/call_observer.h"

namespace collet::registry {

void Rounds::aim(CallKind kind, const Item& item) {
  kind_ = kind;
  source_ = item.source;
  output_ = item.compiled->output;
}

void Rounds::start(const Snapshot& snapshot, const Item& item, RoundParams params, Listener& listener) {
  Call call;
  call.kind = kind_;
  call.loop = params.loop;
  call.name = params.name.empty() ? std::string_view(item.def->name) : params.name;
  call.arguments = params.arguments;
  if (!params.variables.empty()) call.variables = params.variables;
  call.timeout_ms = params.timeout_ms;
  call.principal = params.principal;
  call.output = output_.get();
  call.depth = params.depth;
  call.web = std::move(params.web);
  if (suspended_) {
    call.round = number();
    call.input_responses = suspended_->answers;
    call.state = suspended_->state;
    call.state_version = suspended_->version;
  }
  provider_ = item.provider;
  listener_ = &listener;
  timeout_ms_ = params.timeout_ms;
  starting_ = true;
  const CallId id = start_call(snapshot, item, call, listener);
  starting_ = false;
  if (!provider_) return;
  id_ = id;
  if (timeout_ms_ > 0) deadline_.arm(deadlines_, timeout_ms_);
}

void Rounds::cancel(CancelReason reason) {
  if (provider_) provider_->cancel(id_, reason);
}

void Rounds::taken(std::size_t bytes) {
  if (provider_) provider_->taken(id_, bytes);
}

void Rounds::lift_deadline() {
  timeout_ms_ = 0;
  deadline_.disarm();
}

void Rounds::ended() {
  provider_ = nullptr;
  listener_ = nullptr;
  id_ = 0;
  deadline_.disarm();
}

// The plugin may end the round when it is asked to, and whoever has this may destroy it then.
void Rounds::expire() {
  listener_->on_deadline();
  cancel(CancelReason::deadline);
}

void Rounds::take_up(SuspendedState suspended) { suspended_ = std::move(suspended); }

SuspendedState Rounds::leave(Ending& ending) const {
  return {.round = number(), .version = ending.state_version, .state = std::move(ending.state)};
}

std::string Rounds::seal(const StateSealer& sealer, SuspendedState suspended, const std::vector<InputRequest>& open,
                         const StateBinding& binding, std::uint64_t good_for_ms) const {
  suspended.questions = to_object(open);
  return sealer.seal(suspended, binding, wall_ms() + good_for_ms);
}

std::optional<std::string> Rounds::misfit(const Ending& ending) const {
  if (!output_ || ending.how != Ending::How::completed || ending.is_error) return std::nullopt;
  std::string wrong = ending.misfit ? *ending.misfit : check_structured(*output_, ending.structured).value_or("");
  if (wrong.empty()) return std::nullopt;
  log::warning("plugin {}: a result is withheld: {}", source(), wrong);
  return wrong;
}

void Rounds::reset() {
  output_.reset();
  suspended_.reset();
}

}  // namespace collet::registry
