#include "registry/rounds.h"

#include <fmt/core.h>

#include <new>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "registry/answers.h"
#include "registry/call_observer.h"
#include "registry/callee.h"
#include "registry/ending.h"

namespace collet::registry {

// Whoever calls does not wait for the end of a round that runs any more.
Rounds::~Rounds() {
  if (told_ && told_ != listener_) forget(*told_);
}

void Rounds::aim(CallKind kind, const Item& item) {
  kind_ = kind;
  source_ = item.source;
  output_ = item.compiled->output;
}

void Rounds::start(const Snapshot& snapshot, const Item& item, RoundParams params, Listener& listener) {
  listener_ = &listener;
  timeout_ms_ = params.timeout_ms;
  starting_ = true;
  hand_over(snapshot, item, params);
  starting_ = false;
  if (waits()) remember(item, params);
}

// One that has waited goes on with the time that is left, and is one call to observers. When it ends inside of this, and not of
// start(), its listener may destroy this.
void Rounds::hand_over(const Snapshot& snapshot, const Item& item, RoundParams& params) {
  Call call;
  call.handle = item.def->handle;
  call.kind = kind_;
  call.loop = params.loop;
  call.name = params.name.empty() ? std::string_view(item.def->name) : params.name;
  call.arguments = params.arguments;
  if (!params.variables.empty()) call.variables = params.variables;
  call.timeout_ms = deadline_.armed() ? deadline_.left_ms() : timeout_ms_;
  call.principal = params.principal;
  call.output = output_.get();
  call.depth = params.depth;
  call.web = std::move(params.web);
  call.waiter = this;
  if (suspended_) {
    call.round = number();
    call.input_responses = suspended_->answers;
    call.state = suspended_->state;
    call.state_version = suspended_->version;
  }
  const auto* const observers = snapshot.observers();
  if (!told_) told_ = observers ? &observed(*observers, item, call, *listener_) : listener_;
  provider_ = item.provider;
  bool over = false;
  over_ = &over;
  const CallId id = provider_->start(call, *told_);
  if (over) return;
  over_ = nullptr;
  id_ = id;
  if (waits()) params.web = std::move(call.web);
  if (timeout_ms_ > 0 && !deadline_.armed()) deadline_.arm(deadlines_, timeout_ms_);
  if (kept_ && !waits()) hand_over_body();
}

// What has come while it waited. The plugin may end the round meanwhile.
void Rounds::hand_over_body() {
  const Unsent body = std::exchange(kept_->body, {});
  const bool whole = std::exchange(kept_->body_is_whole, false);
  bool over = false;
  over_ = &over;
  try {
    body.each([&](std::string_view bytes) {
      if (!over) provider_->body(id_, bytes, false);
    });
    if (whole && !over) provider_->body(id_, {}, true);
  } catch (const std::bad_alloc&) {  // it has begun, and its end is the plugin's to say
    if (!over) provider_->cancel(id_, CancelReason::client);
  }
  if (!over) over_ = nullptr;
}

void Rounds::remember(const Item& item, const RoundParams& params) {
  try {
    if (!kept_) kept_ = std::make_unique<Kept>();
    kept_->item = item.def->kind;
    if (kind_ == CallKind::route) {
      kept_->name = NameRules().final_name(Kind::route, *source_, std::string(params.name));
    } else {
      kept_->name = params.name.empty() ? std::string_view(item.name) : params.name;
    }
    kept_->has_arguments = params.arguments.has_value();
    kept_->arguments = params.arguments.value_or("");
    kept_->params = params;
    kept_->params.name = kept_->params.variables = {};
    kept_->params.arguments.reset();
  } catch (const std::bad_alloc&) {  // it runs, or waits, already
    kept_.reset();
  }
}

void Rounds::start_anew(const Snapshot& snapshot, Listener& listener) {
  listener_ = &listener;
  timeout_ms_ = kept_ ? kept_->params.timeout_ms : 0;
  starting_ = true;
  go_on(snapshot);
  starting_ = false;
}

void Rounds::go_on(const Snapshot& snapshot) {
  try {
    start_what_is_there(snapshot);
  } catch (const std::bad_alloc&) {  // it has not begun
    over_ = nullptr;
    end(failed(mcp::kInternalError, "The server is out of memory"));
  }
}

void Rounds::start_what_is_there(const Snapshot& snapshot) {
  if (!kept_) return end(failed(mcp::kInternalError, "The server is out of memory"));
  RoundParams params = kept_->params;
  const Callee callee{kind_, kept_->item, kept_->name};
  if (kept_->has_arguments) params.arguments = kept_->arguments;
  const auto found = find_callee(snapshot, callee, params.principal ? view_of(*params.principal) : nullptr, params.reach);
  if (auto bad = check(found.item, params)) return end(std::move(*bad));
  aim(kind_, *found.item);
  std::string variables;
  if (kind_ == CallKind::resource) {
    params.name = found.uri(kept_->name);
    if (found.item->def->kind == Kind::resource_template) variables = variables_text(found.variables);
    params.variables = variables;
  } else if (kind_ == CallKind::route) {
    params.name = callee.name.substr(kRoutesPath.size() + source_->size());
    params.web = as_taken_by(*found.item, std::move(params.web));
  }
  hand_over(snapshot, *found.item, params);
}

// What was checked of the item that was there before, of the one that is there now, which may be none.
std::optional<Ending> Rounds::check(const Item* item, const RoundParams& params) const {
  if (!item || *item->source != *source_) {
    return failure(kind_, fmt::format("What was called is gone; it was replaced {}", suspended_ ? "while you were asked" : "meanwhile"));
  }
  return params.web ? check_request(*item, *params.web) : check_arguments(kind_, *item, params.arguments);
}

// Without a provider's saying so. The listener may destroy this.
void Rounds::end(Ending ending) { (told_ ? *told_ : *listener_).on_end(ending); }

void Rounds::cancel(CancelReason reason) {
  if (!provider_) return;
  if (!waits()) return provider_->cancel(id_, reason);
  stop_waiting();
  provider_ = nullptr;
  deadline_.arm(deadlines_, 0);  // whoever cancels does not expect the call to end meanwhile
}

void Rounds::taken(std::size_t bytes) {
  if (provider_) provider_->taken(id_, bytes);
}

void Rounds::body(std::string_view bytes, bool last) {
  if (!waits()) return provider_ ? provider_->body(id_, bytes, last) : void();
  if (!kept_) return;  // it ends for want of memory when it has waited
  kept_->body.append(bytes);
  kept_->body_is_whole = last;
}

void Rounds::lift_deadline() {
  timeout_ms_ = 0;
  if (provider_) deadline_.disarm();
}

void Rounds::ended() {
  provider_ = nullptr;
  listener_ = nullptr;
  told_ = nullptr;
  id_ = 0;
  if (over_) *std::exchange(over_, nullptr) = true;
  deadline_.disarm();
}

// The plugin may end the round when it is asked to, and whoever has this may destroy it then.
void Rounds::expire() {
  if (!provider_) return end(failed(mcp::kInternalError, "the call was cancelled before it began"));
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
