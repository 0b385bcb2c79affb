#include "client/remote/proxy_call.h"

#include <algorithm>
#include <new>

#include "client/limits.h"
#include "client/mcp/http_message.h"

namespace collet::client {
namespace {

// The capabilities of a caller for whom this client awaits the end of a task.
std::string with_tasks(std::string_view capabilities) {
  const std::string_view members = members_of(capabilities);
  std::string out = R"({"extensions":{")" + std::string(kTasksExtension) + R"(":{}})";
  if (!members.empty()) out.append(",").append(members);
  return out + "}";
}

}  // namespace

ProxyCall::ProxyCall(Owner& remote, IncomingCall call, RemoteItemPtr item)
    : remote_(remote),
      call_(std::move(call)),
      item_(std::move(item)),
      caller_(read_caller(remote.host(), call_.id)) {}

std::string ProxyCall::principal() const { return remote_.host().info(call_.id, "principal").value_or(""); }

std::string ProxyCall::session() const {
  const Host& host = remote_.host();
  if (host.info(call_.id, "transport") == "stdio") return "stdio";  // one client is all there is
  return host.info(call_.id, "session").value_or("");
}

ProxyCall::~ProxyCall() {
  if (request_) connection_->cancel(request_, "the client is being unloaded");
}

std::string ProxyCall::params() const {
  std::string out = params_of(call_, *item_);
  if (call_.kind == COLLET_COMPLETE) return out;
  if (offers_task_ && era_ == Era::legacy) {
    out.append(R"(,"task":{"ttl":)").append(std::to_string(limits::kTaskTtlMs)).append("}");
  }
  if (!request_state_.empty()) out.append(R"(,"requestState":)").append(request_state_);
  return out;
}

std::string ProxyCall::meta() const {
  std::string out = caller_.meta;
  if (!caller_.log_level.empty() && era_ == Era::modern) {
    append_member(out, "io.modelcontextprotocol/logLevel", "\"" + caller_.log_level + "\"");
  }
  return out;
}

// A modern remote decides, where the caller knows of tasks; one that cannot do without says so. In 2025-11-25 the
// tool says it beforehand.
bool ProxyCall::may_be_task() const {
  if (call_.kind != COLLET_TOOL) return false;
  if (era_ == Era::modern) return caller_.can_tasks || wants_task_ || item_->tasks == TaskSupport::required;
  const Peer& peer = remote_.peer();
  const auto requests = find_member(find_member(peer.capabilities, "tasks"), "requests");
  return item_->tasks == TaskSupport::required && find_member(find_member(requests, "tools"), "call").data();
}

void ProxyCall::begin() {
  try {
    send_request();
  } catch (const std::bad_alloc&) {
    fail("there is no memory for the request");
  }
}

void ProxyCall::send_request() {
  connection_ = remote_.connection();
  if (!connection_) return fail(remote_.why_down());
  if (caller_.too_far) return fail("the call has come through too many gateways: does one lead back to another?");
  era_ = connection_->era();
  if (call_.round > 0 && call_.state_version == kStateIsRequestState && request_state_.empty())
    request_state_ = call_.state;
  auto more = caller_headers(remote_.host(), call_.id, remote_.config());
  if (!more) return fail(more.message());
  headers_ = *more;
  if (!remote_.config().url.empty() && call_.kind == COLLET_TOOL && era_ == Era::modern && !item_->mirrored.empty()) {
    auto mirrored = mirrored_headers(item_->mirrored, call_.arguments.value_or("{}"));
    more->insert(more->end(), std::make_move_iterator(mirrored.begin()), std::make_move_iterator(mirrored.end()));
  }
  offers_task_ = may_be_task();
  capabilities_ = offers_task_ ? with_tasks(caller_.capabilities) : caller_.capabilities;
  remote_.want_logs(caller_.log_level);
  std::string members = meta();
  // The token is the request's own number, which is not known before it is made: the next one.
  progress_token_ = caller_.wants_progress ? connection_->next_id() : 0;
  if (progress_token_) append_member(members, "progressToken", std::to_string(progress_token_));
  RequestOptions options{.name = name_of(call_, *item_),
                         .headers = std::move(*more),
                         .meta = members,
                         .capabilities = capabilities_,
                         .repeatable = item_->idempotent};
  request_ = connection_->request(method_of(call_), params(), *this, std::move(options));
}

void ProxyCall::on_answer(const Answer& answer) {
  request_ = 0;
  if (!answer.lost) remote_.note_answer();
  settle(answer);
}

void ProxyCall::adopt(Connection& connection, RequestId request) {
  connection_ = &connection;
  era_ = connection.era();
  capabilities_ = caller_.capabilities;
  if (auto given = caller_headers(remote_.host(), call_.id, remote_.config())) headers_ = std::move(*given);
  connection.adopt(request, *this);
  request_ = request;
}

void ProxyCall::lose(Connection* connection, const Lost& why) {
  connection_ = connection;
  lost(why);
}

void ProxyCall::settle(Era era, RequestId request, std::string_view text) {
  connection_ = remote_.connection();
  era_ = era;
  std::optional<Answer> answer;
  static_cast<void>(for_each_message(text, [&](const Message& message, std::string_view) {
    const auto number = message.number();
    const bool ours = number ? *number == request : message.error.data() != nullptr;
    if (answer || !message.is_response() || !ours) return;
    answer.emplace();
    answer->result = message.result;
    if (message.error.data()) answer->error = read_error(message.error);
  }));
  if (!answer) return fail(what_is_wrong(text));
  deliver(*answer);
}

void ProxyCall::settle(const Answer& answer) {
  if (call_.id) return deliver(answer);
  questions_.clear();
  try {
    stored_ = Stored{std::string(answer.result), answer.error, answer.lost};  // until the client comes back
  } catch (const std::bad_alloc&) {
    stored_ = Stored{.result = {}, .error = {}, .lost = Lost{.message = "there was no memory for its answer"}};
  }
}

void ProxyCall::deliver(const Answer& answer) {
  if (answer.ok()) return complete(answer.result);
  if (answer.lost) return lost(*answer.lost);
  refuse(*answer.error);
}

void ProxyCall::refuse(const RpcError& error) {
  const auto lacking = find_member(find_member(error.data, "requiredCapabilities"), "extensions");
  if (error.code == kMissingClientCapability && find_member(lacking, kTasksExtension).data() &&
      call_.kind == COLLET_TOOL && !std::exchange(wants_task_, true)) {
    return begin();
  }
  if (error.code == kHeaderMismatch) remote_.refresh_tools();  // our idea of its schema is out of date
  remote_.host().fail(call_.id, error.code, remote_.without_secrets(error.message), error.data);
  remote_.on_over(*this);
}

void ProxyCall::complete(std::string_view result) {
  if (era_ == Era::modern && result.find("\"resultType\"") != std::string_view::npos) {
    const std::string type = find_string(result, "resultType").value_or("complete");
    if (type == "input_required") return ask_input(result);
    if (type == "task" && offers_task_) return begin_task(result);
    if (type != "complete") return fail("it answers with a result of type " + type + ", which was not asked for");
  }
  if (const auto task = find_member(result, "task"); offers_task_ && era_ == Era::legacy && task.data()) {
    return begin_task(task);
  }
  remote_.host().complete_with(call_.id, result);
  remote_.on_over(*this);
}

void ProxyCall::begin_task(std::string_view task) {
  if (!find_string(task, "taskId")) return fail("it answers with a task that has no taskId");
  task_ = std::make_unique<RemoteTask>(remote_, *this, era_, task);
}

RequestOptions ProxyCall::task_options() {
  return {.name = {}, .headers = headers_, .meta = caller_.meta, .capabilities = capabilities_};
}

void ProxyCall::on_task_answer(const Answer& answer) {
  offers_task_ = false;  // a task does not end with a task
  settle(answer);
}

void ProxyCall::on_task_questions(std::string_view requests) {
  bool good = true;
  for_each_member(requests, [&](std::string_view key, std::string_view request) {
    good = good && caller_can(find_string(request, "method").value_or(""), find_member(request, "params")) &&
           remote_.host().need_input(call_.id, key, request);
  });
  good ? wait_for_client() : fail("its task asks for what the client cannot give");
}

void ProxyCall::on_task_status(const std::string& message) {
  if (caller_.wants_progress) remote_.host().progress(call_.id, ++progress_, 0, message);
}

void ProxyCall::ask_input(std::string_view result) {
  const std::string_view state = find_member(result, "requestState");
  unsigned asked = 0;
  bool good = true;
  for_each_member(find_member(result, "inputRequests"), [&](std::string_view key, std::string_view request) {
    ++asked;
    good = remote_.host().need_input(call_.id, key, request) && good;
  });
  if (asked > 0) {
    // If one of the questions was bad, the host fails the call with its own words.
    remote_.host().suspend(call_.id, state.data() ? state : std::string_view(""), kStateIsRequestState);
    return remote_.on_over(*this);
  }
  if (!state.data() || ++rounds_ > limits::kInputRoundsMax) {
    return fail("it wants to be asked again and again without asking for anything");
  }
  request_state_ = state;
  call_.input_responses.clear();
  begin();
}

void ProxyCall::lost(const Lost& lost) {
  // A new session that is said to be unknown again is not what the remote means: others go on with it.
  if (lost.session_gone && std::exchange(session_lost_, true)) return fail(lost.message);
  if (lost.retry_after_ms && item_->idempotent && busy_ms_ + lost.retry_after_ms <= limits::kBusyMsMax) {
    return begin_later(lost.retry_after_ms, lost.message);
  }
  if (lost.unreachable() && connection_) remote_.note_unreachable(*connection_, lost.message);
  may_repeat(lost) ? remote_.begin_when_up(*this, lost.message) : fail(lost.message);
}

// What nobody was there to be sent to is for as long as a restart may take.
bool ProxyCall::may_repeat(const Lost& lost) {
  const bool harmless = item_->idempotent && (lost.http_status == 0 || lost.session_gone);
  if (lost.sent) return harmless && !std::exchange(retried_, true);
  if (lost.http_status != 0) return ++repeats_ <= limits::kRepeatsMax;
  const std::uint64_t now = remote_.loop().now_ms();
  if (!unreachable_since_ms_) unreachable_since_ms_ = now;
  return ++repeats_ <= limits::kRepeatsMax || now - *unreachable_since_ms_ <= remote_.config().restart_timeout_ms;
}

void ProxyCall::begin_later(std::uint64_t pause_ms, const std::string& why) {
  busy_ms_ += pause_ms;
  pause_ = std::make_unique<Timer>(remote_.loop());
  pause_->start(pause_ms, [this, why] { remote_.begin_when_up(*this, why); });
}

void ProxyCall::on_notification(const Message& message) {
  if (!call_.id) return;
  if (message.method == "notifications/progress") progress_ = to_number(find_member(message.params, "progress"));
  tell(remote_.host(), call_.id, message);
}

bool ProxyCall::caller_can(std::string_view method, std::string_view params) const {
  if (method == "roots/list") return find_member(caller_.capabilities, "roots").data();
  if (method == "sampling/createMessage") return find_member(caller_.capabilities, "sampling").data();
  if (method != "elicitation/create") return false;
  const std::string_view elicitation = find_member(caller_.capabilities, "elicitation");
  if (!elicitation.data()) return false;
  return find_string(params, "mode") != "url" || find_member(elicitation, "url").data();
}

bool ProxyCall::on_request(const Message& message) {
  if (questions_.size() >= limits::kServerRequestsMax) return false;
  if (!caller_can(message.method, message.params)) return false;
  std::string request = R"({"method":")" + std::string(message.method) + "\"";
  if (message.params.data()) request.append(R"(,"params":)").append(message.params);
  questions_.push_back({std::string(message.id), "q" + std::to_string(++asked_), request + "}"});
  if (call_.id) suspend();
  return true;
}

// The host asks the client all that is open, and calls again.
void ProxyCall::suspend() {
  const Host& host = remote_.host();
  std::erase_if(questions_, [&](const Question& question) {
    if (host.need_input(call_.id, question.key, question.request)) return false;
    connection_->refuse(question.id, kInvalidParams, "the question is not well-formed");
    return true;
  });
  if (!questions_.empty()) wait_for_client();
}

void ProxyCall::wait_for_client() {
  if (!remote_.keep_suspended(*this, token_)) return fail("too many of its questions are open");
  remote_.host().suspend(std::exchange(call_.id, 0), token_, kStateIsToken);
  if (!expiry_) expiry_ = std::make_unique<Timer>(remote_.loop());
  expiry_->start(limits::kSuspendedMs, [this] {
    answer_questions("{}");
    cancel("the client did not answer in time");
  });
}

void ProxyCall::answer_questions(std::string_view responses) {
  for (const Question& question : questions_) {
    const std::string_view response = find_member(responses, question.key);
    if (response.data()) {
      connection_->respond(question.id, response);
    } else {
      connection_->refuse(question.id, kInternalError, "the client has not answered");
    }
  }
  questions_.clear();
}

void ProxyCall::resume(IncomingCall call) {
  call_.id = call.id;
  expiry_->stop();
  token_.clear();
  try {
    go_on(std::move(call));
  } catch (const std::bad_alloc&) {  // the remote waits for what cannot be told: it hears that nobody does any more
    questions_.clear();
    cancel("there is no memory for the client's answer");
  }
}

void ProxyCall::go_on(IncomingCall call) {
  if (auto stored = std::exchange(stored_, std::nullopt)) {
    Answer answer{.result = {}, .error = std::move(stored->error), .lost = std::move(stored->lost)};
    if (answer.lost) return fail(answer.lost->message);
    if (!answer.error) answer.result = stored->result;
    return deliver(answer);
  }
  if (auto now = caller_headers(remote_.host(), call_.id, remote_.config())) headers_ = std::move(*now);
  if (task_ && era_ == Era::modern) return task_->respond(call.input_responses);
  // What the remote has asked since then has to be asked in a round of its own.
  const auto later = std::stable_partition(questions_.begin(), questions_.end(), [&](const Question& question) {
    return find_member(call.input_responses, question.key).data() != nullptr;
  });
  std::vector<Question> rest(std::make_move_iterator(later), std::make_move_iterator(questions_.end()));
  questions_.erase(later, questions_.end());
  answer_questions(call.input_responses);
  questions_ = std::move(rest);
  if (!questions_.empty()) suspend();
}

void ProxyCall::cancel(const char* reason) {
  if (request_) connection_->cancel(std::exchange(request_, 0), reason);
  fail(reason);
}

void ProxyCall::fail(std::string_view why) {
  if (task_) task_->cancel();
  if (call_.id) {
    const std::string shown = remote_.without_secrets(std::string(why));
    remote_.host().fail(call_.id, kInternalError, "remote " + remote_.config().name + ": " + shown);
  }
  remote_.on_over(*this);
}

}  // namespace collet::client
