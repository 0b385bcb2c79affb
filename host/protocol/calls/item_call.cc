#include "protocol/calls/item_call.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "base/clock.h"
#include "base/json_members.h"
#include "base/log.h"
#include "base/text.h"
#include "protocol/calls/input.h"
#include "protocol/calls/result.h"
#include "protocol/error.h"
#include "protocol/legacy/core_task_notices.h"
#include "protocol/legacy/core_task_offer.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "protocol/severity.h"
#include "registry/answers.h"

namespace collet::protocol {

ItemCall::ItemCall(ServerLoop& loop) : loop_(loop), rounds_(loop.deadlines()) {}

void ItemCall::begin(RequestPtr request, const Target& target, std::unique_ptr<ItemCall> self) {
  request_ = std::move(request);
  serial_ = loop_.next_serial();
  rounds_.aim(target.kind, *target.item);
  timeout_ms_ =
      target.item->def->timeout_ms ? target.item->def->timeout_ms : loop_.server().options().call_timeout_ms;
  auto bad = resume();
  if (!bad && phase_ != Phase::over) bad = become_task(target);
  if (bad) {
    request_->exchange.error(*bad);
    phase_ = Phase::over;
  } else if (phase_ != Phase::over) {
    rounds_.start(loop_.catalog().snapshot(), *target.item, params_for(target), *this);
  }
  if (phase_ == Phase::over) {
    release();
    loop_.calls().keep(std::move(self));
    return;
  }
  const bool may_be_asked = request_->context.session || task_ || phase_ == Phase::asking || answers_beforehand();
  if (may_be_asked) rounds_.remember(*target.item, params_for(target));
  loop_.calls().add(std::move(self));
  if (task_) return;  // the request has been answered
  if (transport::HttpReply* reply = request_->http.reply()) reply->observe(this);
  if (!register_id()) cancel(registry::CancelReason::client);
}

// A modern client comes back with what it was asked for, or is asked for the rest: then the call is over.
std::optional<rpc::Error> ItemCall::resume() {
  if (request_->context.era != Era::modern) return std::nullopt;
  const json::Value* sealed = request_->message.param("requestState");
  const json::Value* responses = request_->message.param("inputResponses");
  if (responses && !responses->IsObject()) return rpc::invalid_params("inputResponses must be an object");
  if (!sealed) return std::nullopt;  // what it answers is looked at when it would be asked
  if (!sealed->IsString()) return rpc::invalid_params("requestState must be a string");
  const std::string arguments = canonical_arguments();
  auto opened = loop_.server().sealer().open(json::view(*sealed), binding(arguments), wall_ms());
  if (!opened) return rpc::invalid_params("requestState is not valid for this request, or has expired: ask again");
  auto answers = registry::match_answers(opened->questions, opened->answers, responses);
  if (!answers) return rpc::invalid_params(answers.message());
  opened->answers = std::move(answers->given);
  if (!answers->open.empty()) {
    if (can_be_asked(answers->open)) ask_modern(answers->open, std::move(*opened));
    phase_ = Phase::over;
    return std::nullopt;
  }
  rounds_.take_up(std::move(*opened));
  return std::nullopt;
}

// Answers with a task where the tool wants to be one and the client knows how; what the call answers goes to the
// task.
std::optional<rpc::Error> ItemCall::become_task(const Target& target) {
  if (rounds_.kind() != registry::CallKind::tool) return std::nullopt;
  const Context& context = request_->context;
  const registry::Traits& traits = target.item->def->traits;
  const std::uint64_t ttl_ms = loop_.server().options().task_ttl_ms;
  auto offer = context.era == Era::modern ? offer_task(traits, context, rounds_.number(), ttl_ms)
                                          : offer_core_task(traits, context, request_->message, ttl_ms);
  if (offer.bad) return offer.bad;
  if (!offer.ttl_ms) return std::nullopt;
  Server& server = loop_.server();
  const bool is_known = !registry::id_of(context.principal).empty();
  task_ = server.tasks().create(
      {context.era, task_owner(context), rpc::Place{loop_.index(), serial_}, *offer.ttl_ms, is_known}, monotonic_ms());
  if (!task_) return rpc::internal_error("Too many tasks are under way");
  // With the client at the other end of the standard streams this process ends.
  if (TaskRecords* const records = server.task_records(); records && context.transport == Transport::http) {
    records->keep(*task_);
    keep_ = std::make_unique<TaskWatch>(task_, [records, weak = std::weak_ptr<Task>(task_)] {
      if (const TaskPtr changed = weak.lock(); changed && changed->over()) records->keep(*changed);
    });
  }
  if (context.era == Era::modern) {
    request_->exchange.result({R"({"resultType":"task",)", task_->describe(),
                               R"(,"_meta":{)", server.server_info_member(), "}}"});
  } else {
    request_->exchange.result({R"({"task":{)", task_->describe(), "}}"});
    announce_ = std::make_unique<TaskWatch>(task_, announcer(loop_, task_, context.session));
  }
  request_->exchange = rpc::Exchange(request_->exchange.id(), *task_);
  if (target.item->def->timeout_ms == 0) timeout_ms_ = ttl_ms;
  return std::nullopt;
}

registry::RoundParams ItemCall::params_for(const Target& target) const {
  return {.loop = loop_.index(),
          .name = target.uri,
          .arguments = target.arguments,
          .variables = target.variables,
          .timeout_ms = timeout_ms_,
          .principal = &request_->context.principal};
}

// Notes the id with the peer, so that it can be cancelled; false if it may not be used.
bool ItemCall::register_id() {
  rpc::InFlight* in_flight = loop_.clients().in_flight_of(*request_);
  if (!in_flight) return true;
  const auto added = in_flight->add(request_->exchange.id(), {loop_.index(), serial_});
  in_flight_ = added == rpc::InFlight::Added::yes;
  if (const auto bad = rpc::in_flight_error(added)) request_->exchange.error(*bad);
  return in_flight_;
}

void ItemCall::forget_id() {
  if (std::exchange(in_flight_, false)) loop_.clients().in_flight_of(*request_)->remove(request_->exchange.id());
}

void ItemCall::cancel(registry::CancelReason reason) {
  forget_id();
  if (reason == registry::CancelReason::shutdown) {
    request_->exchange.error(rpc::internal_error("The server is shutting down"));
  } else {
    request_->exchange.disown();
    request_->http.abandon();
  }
  if (phase_ == Phase::asking) return retire();
  rounds_.cancel(reason);
}

void ItemCall::on_deadline() {
  fail(fmt::format("The {} did not answer within {} ms", rounds_.kind() == registry::CallKind::tool ? "tool" : "plugin",
                   timeout_ms_));
}

void ItemCall::on_gone() {
  request_->http.forget();
  if (request_->http.resumable()) return;
  request_->exchange.disown();
  if (phase_ == Phase::asking) return retire();
  // A legacy client that disconnects has not cancelled (2025-11-25, basic/transports); a modern one has.
  if (request_->context.era == Era::modern) rounds_.cancel(registry::CancelReason::client);
}

void ItemCall::on_progress(const registry::Progress& progress) {
  const json::Value* token = request_->context.progress_token;
  if (!token || !request_->exchange.open()) return;
  if (progress_ && progress.done <= *progress_) return;  // of a later round: it increases over the whole request
  if (request_->exchange.client_is_behind()) return;     // a later one will tell more
  progress_ = progress.done;
  std::string params = R"({"progressToken":)";
  json::append(params, *token);
  params += fmt::format(R"(,"progress":{})", progress.done);
  if (progress.total > 0) params += fmt::format(R"(,"total":{})", progress.total);
  if (!progress.message.empty()) {
    params += R"(,"message":)";
    text::append_json_string(params, progress.message);
  }
  params += '}';
  request_->exchange.notify("notifications/progress", params);
}

void ItemCall::on_log(const registry::LogMessage& message) {
  const auto least = request_->context.log_severity;
  if (!least || message.severity > *least || !request_->exchange.open()) return;
  if (request_->exchange.client_is_behind()) {
    ++unsaid_;
    return;
  }
  std::string params = fmt::format(R"({{"level":"{}")", kSeverityNames[message.severity]);
  if (!message.logger.empty()) {
    params += R"(,"logger":)";
    text::append_json_string(params, message.logger);
  }
  params += R"(,"data":)";
  params += message.data;
  params += '}';
  request_->exchange.notify("notifications/message", params);
}

void ItemCall::on_close_stream(unsigned retry_ms) {
  if (request_->exchange.open()) request_->http.close_stream(retry_ms);
}

void ItemCall::on_end(registry::Ending& ending) {
  phase_ = Phase::over;
  rounds_.ended();
  if (unsaid_ > 0) {
    log::warning("plugin {}: {} log messages of a call are left out: its client does not read", rounds_.source(), unsaid_);
    unsaid_ = 0;
  }
  if (request_->exchange.open()) {
    try {
      ending.how == registry::Ending::How::suspended ? ask(ending) : answer(ending);
    } catch (const std::bad_alloc&) {
      phase_ = Phase::over;
      request_->exchange.error(rpc::out_of_memory());
      forget_id();
    }
  }
  if (!rounds_.starting() && phase_ == Phase::over) retire();
}

std::optional<std::string_view> ItemCall::info(std::string_view key) const {
  const std::lock_guard lock(info_mutex_);
  auto known = std::find_if(info_.begin(), info_.end(), [&](const Known& one) { return one.key == key; });
  if (known == info_.end()) {
    info_.push_back({std::string(key), request_->context.info(key)});
    known = std::prev(info_.end());
  }
  if (!known->text) return std::nullopt;
  return *known->text;
}

// Whoever has the answer may use the id again at once, perhaps on another loop.
void ItemCall::answer(const registry::Ending& ending) {
  forget_id();
  if (ending.how == registry::Ending::How::failed && rounds_.kind() == registry::CallKind::complete &&
      ending.rpc_code == mcp::kMethodNotFound) {
    protocol::answer(*request_, loop_.server(), rounds_.kind(), registry::Ending());  // nobody completes that: no values
  } else if (ending.how == registry::Ending::How::failed) {
    request_->exchange.error({ending.rpc_code, ending.message, ending.data});
  } else {
    answer_completed(ending);
  }
}

void ItemCall::answer_completed(const registry::Ending& ending) {
  if (const auto wrong = rounds_.misfit(ending)) return fail("The tool failed: " + *wrong);
  protocol::answer(*request_, loop_.server(), rounds_.kind(), ending);
}

void ItemCall::fail(std::string message) {
  forget_id();
  if (request_->exchange.open()) answer_failure(*request_, loop_.server(), rounds_.kind(), std::move(message));
}

// Written anew from the values, so that a client may write them in another way.
std::string ItemCall::canonical_arguments() const {
  const json::Value* arguments = request_->message.param("arguments");
  return arguments ? json::to_text(*arguments) : std::string();
}

registry::StateBinding ItemCall::binding(const std::string& arguments) const {
  const std::string_view name = mcp::names_of(rounds_.kind()).name_param;
  return {request_->message.method, request_->message.param_text(name).value_or(""), rounds_.source(),
          arguments, registry::id_of(request_->context.principal)};
}

// If not, it has been answered.
bool ItemCall::can_be_asked(const std::vector<registry::InputRequest>& questions) {
  const Context& context = request_->context;
  json::Document declared;
  const json::Value* capabilities = context.capabilities;
  if (context.session && !json::parse(context.session->client().capabilities, declared)) capabilities = &declared;
  const auto lacking = lacking_capability(questions, capabilities, context.version);
  if (!lacking) {
    log::warning("plugin {}: it asks the client for something that is no request for input", rounds_.source());
    fail("The plugin asks for something that no client can give");
  } else if (!lacking->empty() && (context.era == Era::legacy || task_)) {
    fail(fmt::format("This needs a client that can do {}", *lacking));
  } else if (!lacking->empty()) {
    forget_id();
    request_->exchange.error(missing_capability(*lacking));
  }
  return lacking && lacking->empty();
}

void ItemCall::ask(registry::Ending& ending) {
  if (!can_be_asked(ending.input_requests)) return;
  if (request_->context.era == Era::legacy || task_) return ask_here(ending);
  registry::SuspendedState suspended = rounds_.leave(ending);
  if (const json::Value* given = answers_beforehand(); given && !ending.input_requests.empty()) {
    if (auto answers = registry::match_answers(registry::to_object(ending.input_requests), {}, given)) {
      suspended.answers = std::move(answers->given);
      if (answers->open.empty()) return go_on_later(std::move(suspended));
      return ask_modern(answers->open, std::move(suspended));
    }
  }
  ask_modern(ending.input_requests, std::move(suspended));
}

// A modern client that knows what it will be asked may answer with the call itself; null if it does not.
const json::Value* ItemCall::answers_beforehand() const {
  if (request_->context.era != Era::modern || rounds_.number() > 0) return nullptr;
  return request_->message.param("inputResponses");
}

// The next round begins in another turn of the loop: this one may be inside of the provider's start().
void ItemCall::go_on_later(registry::SuspendedState suspended) {
  rounds_.take_up(std::move(suspended));
  phase_ = Phase::asking;
  loop_.loop().post([&loop = loop_, serial = serial_] {
    if (ItemCall* call = loop.calls().find(serial)) call->go_on();
  });
}

void ItemCall::go_on() {
  if (phase_ != Phase::asking) return;
  asked_until_.disarm();
  phase_ = Phase::running;
  rounds_.start_anew(loop_.catalog().snapshot(), *this);
  if (phase_ == Phase::over) retire();
}

// The client comes back with the answers, which are held against what is sealed here.
void ItemCall::ask_modern(const std::vector<registry::InputRequest>& questions, registry::SuspendedState suspended) {
  const std::string arguments = canonical_arguments();
  const std::string sealed = rounds_.seal(loop_.server().sealer(), std::move(suspended), questions, binding(arguments),
                                          loop_.server().options().input_timeout_ms);
  forget_id();
  answer_input_required(*request_, loop_.server(), questions.empty() ? "" : registry::to_object(questions), sealed);
}

// The call stays: a legacy client is sent each question as a request of ours, on the stream that belongs to its
// own; a task shows them to whoever looks.
void ItemCall::ask_here(registry::Ending& ending) {
  const SessionPtr& session = request_->context.session;
  if (!task_ && !session) return fail("This needs a session, so that you can be asked: initialize one");
  if (!task_ && !request_->exchange.can_ask()) {
    return fail("This needs an answer that is a stream, so that you can be asked: accept text/event-stream");
  }
  asked_.clear();
  left_ = rounds_.leave(ending);
  for (registry::InputRequest& question : ending.input_requests) {
    const std::string plugin_key = question.key;
    // A task's keys are unique for its life (SEP-2663, Task Update Requests).
    if (task_ && rounds_.number() > 0) question.key += fmt::format("#{}", rounds_.number());
    asked_.emplace(question.key, Question{plugin_key, question.request, std::nullopt});
    if (task_) continue;
    const auto id = session->note_question({loop_.index(), serial_}, question.key);
    if (!id) return fail("Too many questions are open with this client");
    request_->exchange.ask(*id, question.request);
  }
  phase_ = Phase::asking;
  if (task_) task_->ask(ending.input_requests);
  asked_until_.arm(loop_.deadlines(), loop_.server().options().input_timeout_ms);
}

void ItemCall::give_up_asking() {
  fail("The client did not answer in time");
  retire();
}

void ItemCall::respond(const std::string& key, const Result<std::string>& result) {
  const auto question = asked_.find(key);
  if (phase_ != Phase::asking || question == asked_.end()) return;
  if (task_) task_->take_answer(key);
  if (!result) {
    fail(fmt::format("The client could not answer {}: {}", key, result.message()));
    return retire();
  }
  auto answer = registry::read_answer(question->second.request, *result);
  if (!answer) {
    fail(fmt::format("The client's answer to {} is no good: {}", key, answer.message()));
    return retire();
  }
  question->second.response = std::move(*answer);
  json::ObjectText responses;
  for (const auto& [asked, open] : asked_) {
    if (!open.response) return;  // not all yet
    responses.add(open.plugin_key, *open.response);
  }
  left_.answers = responses.take();
  rounds_.take_up(std::move(left_));
  go_on();
}

// The call is over and leaves the loop's waiting ones.
void ItemCall::retire() {
  std::unique_ptr<ItemCall> self = loop_.calls().remove(serial_);
  release();
  loop_.calls().keep(std::move(self));
}

void ItemCall::release() {
  forget_id();
  request_.reset();
  announce_.reset();
  keep_.reset();
  task_.reset();
  rounds_.reset();
  asked_until_.disarm();
  phase_ = Phase::running;
  progress_.reset();
  unsaid_ = 0;
  if (!asked_.empty()) {
    asked_.clear();
    left_ = {};
  }
  if (!info_.empty()) info_.clear();
}

void begin_call(ServerLoop& loop, RequestPtr request, const Target& target) {
  std::unique_ptr<ItemCall> call = loop.calls().acquire(loop);
  ItemCall& beginning = *call;
  beginning.begin(std::move(request), target, std::move(call));
}

}  // namespace collet::protocol
