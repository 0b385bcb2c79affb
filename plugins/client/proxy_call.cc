#include "client/proxy_call.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "client/limits.h"
#include "client/remote.h"

namespace collet::client {
namespace {

constexpr std::string_view kOwn = "io.modelcontextprotocol/";
constexpr std::array<std::string_view, 8> kSeverities = {"emergency", "alert",  "critical", "error",
                                                         "warning",   "notice", "info",     "debug"};

std::string_view method_of(std::uint32_t kind) {
  switch (kind) {
    case COLLET_RESOURCE:
      return "resources/read";
    case COLLET_PROMPT:
      return "prompts/get";
    case COLLET_COMPLETE:
      return "completion/complete";
    default:
      return "tools/call";
  }
}

// The members of an object's text: {"a":1} → "a":1.
std::string_view members_of(std::string_view object) {
  const std::size_t begin = object.find('{'), end = object.rfind('}');
  return begin == std::string_view::npos || end <= begin ? std::string_view()
                                                         : object.substr(begin + 1, end - begin - 1);
}

void append_member(std::string& out, std::string_view key, std::string_view json) {
  if (!out.empty()) out += ',';
  append_json(out, key);
  out.append(":").append(json);
}

double to_number(std::string_view json) {
  double number = 0;
  std::from_chars(json.data(), json.data() + json.size(), number);
  return number;
}

// What of the caller's abilities counts for a remote: extensions are between each pair of neighbours.
std::string relayed(std::string_view capabilities) {
  std::string out;
  for_each_member(capabilities, [&](std::string_view key, std::string_view value) {
    if (key != "extensions" && key != "tasks") append_member(out, key, value);
  });
  return "{" + out + "}";
}

// The capabilities of a caller for whom this client awaits the end of a task.
std::string with_tasks(std::string_view capabilities) {
  const std::string_view members = members_of(capabilities);
  std::string out = R"({"extensions":{")" + std::string(kTasksExtension) + R"(":{}})";
  if (!members.empty()) out.append(",").append(members);
  return out + "}";
}

}  // namespace

ProxyCall::ProxyCall(Remote& remote, IncomingCall call, RemoteItemPtr item)
    : remote_(remote), call_(std::move(call)), item_(std::move(item)) {
  read_caller();
}

std::string ProxyCall::principal() const { return remote_.host().info(call_.id, "principal").value_or(""); }

ProxyCall::~ProxyCall() {
  if (request_) connection_->cancel(request_, "the client is being unloaded");
}

void ProxyCall::read_caller() {
  const Host& host = remote_.host();
  bool has_capabilities = false;
  if (const auto meta = host.info(call_.id, "_meta")) {
    for_each_member(*meta, [&](std::string_view key, std::string_view value) {
      if (key == "progressToken") {
        caller_.wants_progress = true;
      } else if (key == "io.modelcontextprotocol/clientCapabilities") {
        caller_.capabilities = relayed(value);
        caller_.can_tasks = find_member(find_member(value, "extensions"), kTasksExtension).data();
        has_capabilities = true;
      } else if (!key.starts_with(kOwn)) {
        append_member(caller_.meta, key, value);
      }
    });
  }
  if (!has_capabilities) {
    if (const auto capabilities = host.info(call_.id, "clientCapabilities"))
      caller_.capabilities = relayed(*capabilities);
  }
  caller_.log_level = host.info(call_.id, "logLevel").value_or("");
}

std::string ProxyCall::params() const {
  std::string out;
  out.reserve(64 + item_->name.size() + (call_.arguments ? call_.arguments->size() : 0) +
              call_.input_responses.size());
  if (call_.kind == COLLET_COMPLETE) {
    const bool prompt = item_->kind == COLLET_PROMPT;
    out += prompt ? R"("ref":{"type":"ref/prompt","name":)" : R"("ref":{"type":"ref/resource","uri":)";
    append_json(out, item_->name);
    out += '}';
    const std::string_view members = call_.arguments ? members_of(*call_.arguments) : std::string_view();
    if (!members.empty()) out.append(",").append(members);
    return out;
  }
  out += call_.kind == COLLET_RESOURCE ? R"("uri":)" : R"("name":)";
  append_json(out, call_.kind == COLLET_RESOURCE ? call_.uri : item_->name);
  if (call_.arguments) out.append(R"(,"arguments":)").append(*call_.arguments);
  if (offers_task_ && era_ == Era::legacy) {
    out.append(R"(,"task":{"ttl":)").append(std::to_string(limits::kTaskTtlMs)).append("}");
  }
  if (!call_.input_responses.empty()) out.append(R"(,"inputResponses":)").append(call_.input_responses);
  if (!request_state_.empty()) out.append(R"(,"requestState":)").append(request_state_);
  return out;
}

std::string ProxyCall::meta() const {
  std::string out = caller_.meta;
  if (!caller_.log_level.empty() && era_ == Era::modern && remote_.peer().can("logging")) {
    append_member(out, "io.modelcontextprotocol/logLevel", "\"" + caller_.log_level + "\"");
  }
  return out;
}

// Those of the caller that the configuration has handed on.
Result<std::vector<HttpHeader>> ProxyCall::headers() const {
  std::vector<HttpHeader> out;
  if (!remote_.has_headers()) return out;
  const RemoteConfig& config = remote_.config();
  const Host& host = remote_.host();
  const CallerLookup lookup{[&](std::string_view key) { return host.info(call_.id, key); }};
  for (const std::string& name : config.forward_headers) {
    if (auto value = host.info(call_.id, "header:" + name); value && is_header_value(*value))
      out.push_back({name, *value});
  }
  if (config.forward_token) {
    if (auto value = host.info(call_.id, "header:authorization")) out.push_back({"Authorization", *value});
  }
  for (const auto& [name, text] : config.headers) {
    if (is_constant(text)) continue;
    auto value = expand(text, config, lookup);
    if (!value) return Failure{"header " + name + ": " + value.message()};
    if (!is_header_value(*value))
      return Failure{"header " + name + " would have characters that no header can have"};
    out.push_back({name, std::move(*value)});
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
  connection_ = remote_.connection();
  if (!connection_) return fail(remote_.why_down());
  era_ = connection_->era();
  if (call_.round > 0 && call_.state_version == kStateIsRequestState && request_state_.empty())
    request_state_ = call_.state;
  auto more = headers();
  if (!more) return fail(more.message());
  caller_.headers = *more;
  if (remote_.has_headers() && call_.kind == COLLET_TOOL && era_ == Era::modern && !item_->mirrored.empty()) {
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
  RequestOptions options{.name = call_.kind == COLLET_COMPLETE   ? std::string()
                                 : call_.kind == COLLET_RESOURCE ? call_.uri
                                                                 : item_->name,
                         .headers = std::move(*more),
                         .meta = members,
                         .capabilities = capabilities_};
  request_ = connection_->request(method_of(call_.kind), params(), *this, std::move(options));
}

void ProxyCall::on_answer(const Answer& answer) {
  request_ = 0;
  settle(answer);
}

void ProxyCall::settle(const Answer& answer) {
  if (call_.id) return deliver(answer);
  questions_.clear();
  stored_ = Stored{std::string(answer.result), answer.error, answer.lost};  // until the client comes back
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
  if (error.code == kHeaderMismatch) remote_.refresh(COLLET_TOOL);  // our idea of its schema is out of date
  remote_.host().fail(call_.id, error.code, error.message, error.data);
  remote_.over(*this);
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
  remote_.over(*this);
}

void ProxyCall::begin_task(std::string_view task) {
  if (!find_string(task, "taskId")) return fail("it answers with a task that has no taskId");
  task_ = std::make_unique<RemoteTask>(remote_, *this, era_, task);
}

RequestOptions ProxyCall::task_options() {
  return {.name = {}, .headers = caller_.headers, .meta = caller_.meta, .capabilities = capabilities_};
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
    return remote_.over(*this);
  }
  if (!state.data() || ++rounds_ > limits::kInputRoundsMax) {
    return fail("it wants to be asked again and again without asking for anything");
  }
  request_state_ = state;
  call_.input_responses.clear();
  begin();
}

void ProxyCall::lost(const Lost& lost) {
  const bool gone = lost.http_status == 404 && remote_.peer().era == Era::legacy;  // the session is
  const bool again = !lost.sent || gone || (item_->idempotent && lost.http_status == 0);
  if (!lost.sent || gone) remote_.note_unreachable(*connection_, lost.message);
  if (!again || std::exchange(retried_, true)) return fail(lost.message);
  remote_.begin_when_up(*this, lost.message);
}

void ProxyCall::on_notification(const Message& message) {
  if (!call_.id) return;
  const Host& host = remote_.host();
  if (message.method == "notifications/progress") {
    const double total = to_number(find_member(message.params, "total"));
    progress_ = to_number(find_member(message.params, "progress"));
    host.progress(call_.id, progress_, total, find_string(message.params, "message").value_or(""));
    return;
  }
  const std::string level = find_string(message.params, "level").value_or("info");
  const auto severity = std::find(kSeverities.begin(), kSeverities.end(), level);
  const std::string_view data = find_member(message.params, "data");
  host.log(
      call_.id,
      severity == kSeverities.end() ? COLLET_LOG_INFO : static_cast<std::uint32_t>(severity - kSeverities.begin()),
      find_string(message.params, "logger").value_or(""), data.data() ? data : "null");
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
  if (auto stored = std::exchange(stored_, std::nullopt)) {
    Answer answer{.result = {}, .error = std::move(stored->error), .lost = std::move(stored->lost)};
    if (answer.lost) return fail(answer.lost->message);
    if (!answer.error) answer.result = stored->result;
    return deliver(answer);
  }
  if (auto now = headers()) caller_.headers = std::move(*now);
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
    remote_.host().fail(call_.id, kInternalError, "remote " + remote_.config().name + ": " + std::string(why));
  }
  remote_.over(*this);
}

}  // namespace collet::client
