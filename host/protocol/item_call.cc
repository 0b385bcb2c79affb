#include "protocol/item_call.h"

#include "base/log.h"
#include "base/text.h"
#include "protocol/error.h"
#include "protocol/input.h"
#include "protocol/result.h"
#include "protocol/server.h"
#include "protocol/severity.h"

namespace collet::protocol {
namespace {

// Whether the client's answers are an object of objects.
bool are_responses(const json::Value& responses) {
  if (!responses.IsObject()) return false;
  for (const auto& member : responses.GetObject()) {
    if (!member.value.IsObject()) return false;
  }
  return true;
}

}  // namespace

void ItemCall::begin(RequestPtr request, const Target& target, std::unique_ptr<ItemCall> self) {
  request_ = std::move(request);
  serial_ = loop_.next_serial();
  kind_ = target.kind;
  source_ = target.item->source;
  output_ = target.item->compiled->output;
  timeout_ms_ =
      target.item->def->timeout_ms ? target.item->def->timeout_ms : loop_.server().options().call_timeout_ms;
  auto bad = resume(target);
  if (!bad) bad = become_task(target);
  if (bad) {
    request_->exchange.error(*bad);
    phase_ = Phase::over;
  } else {
    run(target);
  }
  if (phase_ == Phase::over) {
    release();
    loop_.calls().keep(std::move(self));
    return;
  }
  if (request_->context.session || task_) {
    name_ = target.uri.empty() ? target.item->name : target.uri;
    has_arguments_ = target.arguments.has_value();
    arguments_ = target.arguments.value_or("");
  }
  waiting_ = true;
  loop_.calls().add(std::move(self),
                    phase_ == Phase::asking ? loop_.server().options().input_timeout_ms : timeout_ms_);
  if (task_) return;  // the request has been answered
  if (transport::HttpReply* reply = request_->http.reply()) reply->observe(this);
  if (!register_id()) cancel(registry::CancelReason::client);
}

// A modern client comes back with what it was asked for.
std::optional<rpc::Error> ItemCall::resume(const Target& target) {
  if (request_->context.era != Era::modern || !request_->message.params) return std::nullopt;
  const json::Value& params = *request_->message.params;
  const json::Value* sealed = json::find(params, "requestState");
  const json::Value* responses = json::find(params, "inputResponses");
  if (responses && !are_responses(*responses)) {
    return rpc::invalid_params("inputResponses must be an object of objects");
  }
  if (!sealed) {  // a client that kept no state may still answer what it knows will be asked
    if (responses) round_ = {.number = 1, .input_responses = json::to_text(*responses)};
    return std::nullopt;
  }
  if (!sealed->IsString()) return rpc::invalid_params("requestState must be a string");
  const json::Value* arguments = json::find(params, "arguments");
  const std::string canonical = arguments ? json::to_text(*arguments) : std::string();
  auto opened =
      loop_.server().sealer().open(json::view(*sealed),
                                   {request_->message.method, target.uri.empty() ? target.item->name : target.uri,
                                    *target.item->source, canonical, request_->context.principal},
                                   loop_.loop().now_ms());
  if (!opened) return rpc::invalid_params("requestState is not valid for this request, or has expired: ask again");
  round_.number = opened->round + 1;
  round_.state_version = opened->version;
  round_.state = std::move(opened->state);
  round_.input_responses = responses ? json::to_text(*responses) : "{}";
  return std::nullopt;
}

// Answers with a task where the tool wants to be one and the client knows how; what the call answers goes to the
// task.
std::optional<rpc::Error> ItemCall::become_task(const Target& target) {
  if (kind_ != registry::CallKind::tool) return std::nullopt;
  const Context& context = request_->context;
  const registry::Traits& traits = target.item->def->traits;
  auto offer = context.era == Era::modern ? offer_task(traits, context, round_.number)
                                          : offer_core_task(traits, context, request_->message);
  if (offer.bad) return offer.bad;
  if (!offer.ttl_ms) return std::nullopt;
  Server& server = loop_.server();
  task_ = server.tasks().create(
      {context.era, task_owner(context), rpc::Place{loop_.index(), serial_}, *offer.ttl_ms}, wall_clock_ms());
  if (!task_) return rpc::internal_error("Too many tasks are under way");
  if (context.era == Era::modern) {
    request_->exchange.result({R"({"resultType":"task",)", task_->describe(),
                               R"(,"_meta":{"io.modelcontextprotocol/serverInfo":)", server.identity(), "}}"});
  } else {
    request_->exchange.result({R"({"task":{)", task_->describe(), "}}"});
    announce_ = std::make_unique<TaskWatch>(task_, loop_.announcer(task_, context.session));
  }
  request_->exchange = rpc::Exchange(request_->exchange.id(), *task_);
  if (target.item->def->timeout_ms == 0) timeout_ms_ = limits::kTaskTtlMs;
  return std::nullopt;
}

void ItemCall::run(const Target& target) {
  registry::Call call;
  call.handle = target.item->def->handle;
  call.kind = target.kind;
  call.loop = loop_.index();
  call.name = target.uri.empty() ? std::string_view(target.item->def->name) : target.uri;
  call.arguments = target.arguments;
  if (!target.variables.empty()) call.variables = target.variables;
  call.timeout_ms = timeout_ms_;
  call.round = round_.number;
  if (round_.number > 0) {
    call.input_responses = round_.input_responses;
    call.state = round_.state;
    call.state_version = round_.state_version;
  }
  phase_ = Phase::running;
  provider_ = target.item->provider;
  starting_ = true;
  id_ = provider_->start(call, *this);
  starting_ = false;
}

void ItemCall::run_again() {
  const auto found = loop_.find_item(kind_, name_);
  if (!found.item) {
    fail("What was called is gone; it was replaced while you were asked");
    phase_ = Phase::over;
    return;
  }
  Target target{.item = found.item, .kind = kind_};
  if (kind_ == registry::CallKind::resource) {
    target.uri = name_;
    target.variables = variables_text(found.variables);
  }
  if (has_arguments_) target.arguments = arguments_;
  source_ = found.item->source;
  output_ = found.item->compiled->output;
  run(target);
}

// Notes the id with the peer, so that it can be cancelled; false if it may not be used.
bool ItemCall::register_id() {
  rpc::InFlight* in_flight = loop_.in_flight_of(*request_);
  if (!in_flight) return true;
  const auto added = in_flight->add(request_->exchange.id(), {loop_.index(), serial_});
  in_flight_ = added == rpc::InFlight::Added::yes;
  if (const auto bad = rpc::in_flight_error(added)) request_->exchange.error(*bad);
  return in_flight_;
}

void ItemCall::forget_id() {
  if (std::exchange(in_flight_, false)) loop_.in_flight_of(*request_)->remove(request_->exchange.id());
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
  provider_->cancel(id_, reason);
}

void ItemCall::expire() {
  if (phase_ == Phase::asking) {
    fail("The client did not answer in time");
    return retire();
  }
  fail(fmt::format("The {} did not answer within {} ms", kind_ == registry::CallKind::tool ? "tool" : "plugin",
                   timeout_ms_));
  provider_->cancel(id_, registry::CancelReason::deadline);
}

void ItemCall::on_gone() {
  request_->http.forget();
  if (request_->http.resumable()) return;
  request_->exchange.disown();
  if (phase_ == Phase::asking) return retire();
  // A legacy client that disconnects has not cancelled (2025-11-25, basic/transports); a modern one has.
  if (request_->context.era == Era::modern) provider_->cancel(id_, registry::CancelReason::client);
}

void ItemCall::on_progress(const registry::Progress& progress) {
  const json::Value* token = request_->context.progress_token;
  if (!token || !request_->exchange.open()) return;
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
  id_ = 0;
  if (request_->exchange.open()) {
    if (ending.how == registry::Ending::How::suspended) {
      ask(ending);
    } else {
      answer(ending);
    }
  }
  if (!starting_ && phase_ == Phase::over) retire();
}

std::optional<std::string_view> ItemCall::info(std::string_view key) const {
  const std::lock_guard lock(info_mutex_);
  auto known = info_.find(key);
  if (known == info_.end()) known = info_.emplace(key, request_->context.info(key)).first;
  if (!known->second) return std::nullopt;
  return *known->second;
}

void ItemCall::answer(const registry::Ending& ending) {
  if (ending.how == registry::Ending::How::failed) {
    request_->exchange.error({ending.rpc_code, ending.message, ending.data});
  } else {
    answer_completed(ending);
  }
  forget_id();
}

void ItemCall::answer_completed(const registry::Ending& ending) {
  if (output_ && !ending.is_error) {
    if (const auto wrong = registry::check_structured(*output_, ending.structured)) {
      log::warning("plugin {}: a result is withheld: {}", *source_, *wrong);
      return fail("The tool failed: " + *wrong);
    }
  }
  protocol::answer(*request_, loop_.server(), kind_, ending);
}

void ItemCall::fail(std::string message) {
  if (request_->exchange.open()) answer_failure(*request_, loop_.server(), kind_, std::move(message));
  forget_id();
}

void ItemCall::ask(registry::Ending& ending) {
  const Context& context = request_->context;
  json::Document declared;
  const json::Value* capabilities = context.capabilities;
  if (context.session && !json::parse(context.session->client().capabilities, declared)) capabilities = &declared;
  const auto lacking = lacking_capability(ending.input_requests, capabilities, context.version);
  if (!lacking) {
    log::warning("plugin {}: it asks the client for something that is no request for input", *source_);
    return fail("The plugin asks for something that no client can give");
  }
  if (!lacking->empty()) {
    if (context.era == Era::legacy || task_)
      return fail(fmt::format("This needs a client that can do {}", *lacking));
    forget_id();
    return request_->exchange.error(missing_capability(*lacking));
  }
  if (context.era == Era::legacy || task_) return ask_here(ending);

  const json::Value* params = request_->message.params;
  const json::Value* arguments = json::find(*params, "arguments");
  const json::Value* name = json::find(*params, kind_ == registry::CallKind::resource ? "uri" : "name");
  const std::string canonical = arguments ? json::to_text(*arguments) : std::string();
  const std::string sealed = loop_.server().sealer().seal(
      {round_.number, ending.state_version, ending.state},
      {request_->message.method, json::view(*name), *source_, canonical, context.principal},
      loop_.loop().now_ms() + loop_.server().options().input_timeout_ms);
  answer_input_required(*request_, loop_.server(),
                        ending.input_requests.empty() ? "" : to_object(ending.input_requests), sealed);
  forget_id();
}

// The call stays: a legacy client is sent each question as a request of ours, on the stream that belongs to its
// own; a task shows them to whoever looks.
void ItemCall::ask_here(registry::Ending& ending) {
  const SessionPtr& session = request_->context.session;
  if (!task_ && !session) return fail("This needs a session, so that you can be asked: initialize one");
  asked_.clear();
  round_.state = std::move(ending.state);
  round_.state_version = ending.state_version;
  for (registry::InputRequest& question : ending.input_requests) {
    const std::string plugin_key = question.key;
    // A task's keys are unique for its life (SEP-2663, Task Update Requests).
    if (task_ && round_.number > 0) question.key += fmt::format("#{}", round_.number);
    asked_.emplace(question.key, Question{plugin_key, std::nullopt});
    if (task_) continue;
    const auto id = session->note_question({loop_.index(), serial_}, question.key);
    if (!id) return fail("Too many questions are open with this client");
    request_->exchange.ask(*id, question.request);
  }
  phase_ = Phase::asking;
  if (task_) task_->ask(ending.input_requests);
  if (waiting_) loop_.calls().set_timeout(serial_, loop_.server().options().input_timeout_ms);
}

void ItemCall::respond(const std::string& key, std::optional<std::string> result) {
  const auto question = asked_.find(key);
  if (phase_ != Phase::asking || question == asked_.end()) return;
  if (task_) task_->take_answer(key);
  if (!result) {
    fail("The client could not answer: " + key);
    return retire();
  }
  question->second.response = std::move(result);
  std::string responses = "{";
  for (const auto& [asked, open] : asked_) {
    if (!open.response) return;  // not all yet
    if (responses.size() > 1) responses += ',';
    text::append_json_string(responses, open.plugin_key);
    responses += ':' + *open.response;
  }
  ++round_.number;
  round_.input_responses = responses + "}";
  loop_.calls().set_timeout(serial_, timeout_ms_);
  run_again();
  if (phase_ == Phase::over) retire();
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
  task_.reset();
  output_.reset();
  waiting_ = false;
  phase_ = Phase::running;
  if (round_.number > 0 || !asked_.empty()) {
    round_ = {};
    asked_.clear();
  }
  if (!info_.empty()) info_.clear();
}

}  // namespace collet::protocol
