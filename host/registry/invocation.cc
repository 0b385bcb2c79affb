#include "registry/invocation.h"

#include <new>

#include "base/clock.h"
#include "base/json.h"
#include "registry/answers.h"
#include "registry/ending.h"

namespace collet::registry {

Invocation::Invocation(Order order, OnBehalf on_behalf, const StateSealer& sealer, Deadlines& deadlines, Listener& caller)
    : order_(std::move(order)), on_behalf_(std::move(on_behalf)), sealer_(sealer), caller_(caller), rounds_(deadlines) {}

void Invocation::begin(const Snapshot& snapshot, unsigned loop) {
  const auto found = find(snapshot, on_behalf_.reach.get());
  std::optional<Ending> end = check_depth();
  if (!end && !found.item) {
    end = bad_params(fmt::format("unknown {} {}", mcp::names_of(order_.kind).noun, order_.name.substr(0, 128)));
  }
  if (!end) end = check(*found.item);
  if (!end) end = resume();
  if (end) return caller_.on_end(*end);
  run(snapshot, found, loop);
}

const Item* Invocation::find_beyond_reach(const Snapshot& snapshot) const {
  if (!on_behalf_.reach || find(snapshot, on_behalf_.reach.get()).item) return nullptr;
  return find(snapshot, nullptr).item;
}

Snapshot::Found Invocation::find(const Snapshot& snapshot, const View* reach) const {
  Kind kind = order_.kind == CallKind::prompt ? Kind::prompt : Kind::tool;
  if (order_.kind == CallKind::complete) kind = order_.completed;
  return find_callee(snapshot, {order_.kind, kind, order_.name}, view_of(on_behalf_.principal), reach);
}

std::optional<Ending> Invocation::check_depth() const {
  if (on_behalf_.depth <= limits::kCallDepthMax) return std::nullopt;
  return failure(order_.kind,
                 fmt::format("Calls are nested more than {} deep: one may have come back to where it began", limits::kCallDepthMax));
}

std::optional<Ending> Invocation::check(const Item& item) {
  rounds_.aim(order_.kind, item);
  timeout_ms_ = order_.timeout_ms ? order_.timeout_ms : item.def->timeout_ms;
  if (timeout_ms_ == 0) timeout_ms_ = limits::kCallTimeoutMs;
  return check_arguments(order_.kind, item, order_.arguments);
}

// Written anew from the values, so that a caller may write them in another way.
std::string Invocation::canonical_arguments() const {
  json::Document arguments;
  if (!order_.arguments || json::parse(*order_.arguments, arguments)) return {};
  return json::to_text(arguments);
}

StateBinding Invocation::binding(const std::string& arguments) const {
  return {mcp::names_of(order_.kind).noun, order_.name, rounds_.source(), arguments, id_of(on_behalf_.principal)};
}

// As ItemCall does it for a modern client.
std::optional<Ending> Invocation::resume() {
  if (order_.state.empty()) return std::nullopt;
  const std::string arguments = canonical_arguments();
  auto opened = sealer_.open(order_.state, binding(arguments), wall_ms());
  if (!opened) return bad_params("the state is not valid for this call, or has expired: ask again");
  json::Document responses;
  if (order_.answers && (json::parse(*order_.answers, responses) || !responses.IsObject())) {
    return bad_params("input_responses must be an object");
  }
  auto answers = match_answers(opened->questions, opened->answers, order_.answers ? &responses : nullptr);
  if (!answers) return bad_params(answers.message());
  opened->answers = std::move(answers->given);
  if (!answers->open.empty()) return suspended_with(std::move(*opened), std::move(answers->open));
  rounds_.take_up(std::move(*opened));
  return std::nullopt;
}

void Invocation::run(const Snapshot& snapshot, const Snapshot::Found& found, unsigned loop) {
  const std::string variables = found.item->def->kind == Kind::resource_template ? variables_text(found.variables) : "";
  rounds_.start(snapshot, *found.item,
                {.loop = loop,
                 .name = order_.kind == CallKind::resource ? found.uri(order_.name) : std::string_view(),
                 .arguments = order_.arguments,
                 .variables = variables,
                 .timeout_ms = timeout_ms_,
                 .principal = &on_behalf_.principal,
                 .reach = on_behalf_.reach.get(),
                 .depth = on_behalf_.depth},
                *this);
}

Ending Invocation::suspended_with(SuspendedState left, std::vector<InputRequest> questions) const {
  Ending ending;
  ending.how = Ending::How::suspended;
  const std::string arguments = canonical_arguments();
  ending.state = rounds_.seal(sealer_, std::move(left), questions, binding(arguments), limits::kInputTimeoutMs);
  ending.input_requests = std::move(questions);
  return ending;
}

void Invocation::on_end(Ending& ending) {
  rounds_.ended();
  std::optional<Ending> other;
  try {
    other = instead_of(ending);
  } catch (const std::bad_alloc&) {
    other = failed(mcp::kInternalError, "The server is out of memory");
  }
  caller_.on_end(other ? *other : ending);
}

// What the caller is told in place of what the plugin has said: the questions of a suspended call with its sealed state, or why
// a result is withheld. Nothing: that is told.
std::optional<Ending> Invocation::instead_of(Ending& ending) const {
  if (ending.how == Ending::How::suspended) {
    return suspended_with(rounds_.leave(ending), std::move(ending.input_requests));
  }
  const auto wrong = rounds_.misfit(ending);
  return wrong ? std::optional(failure(order_.kind, "The tool failed: " + *wrong)) : std::nullopt;
}

}  // namespace collet::registry
