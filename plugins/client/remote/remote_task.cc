#include "client/remote/remote_task.h"

#include <algorithm>

#include <collet/json.hpp>

#include "client/limits.h"

namespace collet::client {

RemoteTask::RemoteTask(Owner& remote, TaskWaiter& waiter, Era era, std::string_view task)
    : remote_(remote),
      waiter_(waiter),
      era_(era),
      id_(find_string(task, "taskId").value_or("")),
      timer_(remote.loop()),
      interval_ms_(limits::kTaskPollMsDefault) {
  note_interval(task);
  if (era_ == Era::legacy) {
    fetch();
  } else {
    find_string(task, "status") == "working" ? later() : poll();
  }
}

RemoteTask::~RemoteTask() {
  if (request_) connection_->cancel(request_, nullptr);
}

void RemoteTask::request(std::string_view method, std::string_view more) {
  connection_ = remote_.connection();
  if (!connection_) return lost({.sent = false, .http_status = 0, .message = remote_.why_down()});
  RequestOptions options = waiter_.task_options();
  options.name = id_;
  std::string params = R"("taskId":)";
  append_json(params, id_);
  params += more;
  options.repeatable = asked_ == Asked::state;
  request_ = connection_->request(method, params, *this, std::move(options));
}

void RemoteTask::poll() {
  asked_ = Asked::state;
  request("tasks/get");
}

void RemoteTask::fetch() {
  asked_ = Asked::outcome;
  request("tasks/result");
}

void RemoteTask::update() {
  asked_ = Asked::acknowledgement;
  request("tasks/update", R"(,"inputResponses":{)" + responses_ + "}");
}

void RemoteTask::respond(std::string_view responses) {
  for_each_member(responses, [&](std::string_view key, std::string_view response) {
    if (!answered_.insert(std::string(key)).second) return;
    if (!responses_.empty()) responses_ += ',';
    append_json(responses_, key);
    responses_.append(":").append(response);
  });
  responses_.empty() ? poll() : update();
}

void RemoteTask::cancel() {
  if (std::exchange(over_, true)) return;
  timer_.stop();
  if (request_) connection_->cancel(std::exchange(request_, 0), nullptr);
  tell_cancelled();
}

void RemoteTask::tell_cancelled() {
  connection_ = remote_.connection();
  if (!connection_) return;
  RequestOptions options = waiter_.task_options();
  options.name = id_;
  options.timeout_ms = limits::kAskMs;
  std::string params = R"("taskId":)";
  append_json(params, id_);
  connection_->ask("tasks/cancel", params, std::move(options), [](const Answer&) {});
}

void RemoteTask::on_answer(const Answer& answer) {
  request_ = 0;
  if (answer.lost) return lost(*answer.lost);
  lost_ = 0;
  if (asked_ == Asked::outcome) {
    if (answer.ok() || known_over_) return finish(answer);
    // The error is the outcome, or says that there is none yet.
    return std::exchange(refused_, true) ? later() : poll();
  }
  if (!answer.ok()) {
    if (asked_ == Asked::acknowledgement) tell_cancelled();
    return finish(answer);
  }
  if (asked_ == Asked::state) return take(answer.result);
  responses_.clear();
  poll();
}

void RemoteTask::note_interval(std::string_view task) {
  const auto wish = find_unsigned(task, era_ == Era::modern ? "pollIntervalMs" : "pollInterval");
  if (wish) interval_ms_ = std::clamp(*wish, limits::kTaskPollMsMin, limits::kTaskPollMsMax);
}

void RemoteTask::take(std::string_view task) {
  note_interval(task);
  const std::string status = find_string(task, "status").value_or("");
  known_over_ = status == "completed" || status == "failed" || status == "cancelled";
  if (era_ == Era::legacy) return known_over_ || status == "input_required" ? fetch() : later();
  const std::string message = find_string(task, "statusMessage").value_or("");
  if (message != std::exchange(status_message_, message)) waiter_.on_task_status(message);
  if (status == "input_required") return take_questions(task);
  if (!known_over_) return later();
  Answer answer;
  if (status == "completed") answer.result = find_member(task, "result");
  if (const auto error = find_member(task, "error"); error.data()) answer.error = read_error(error);
  if (!answer.ok() && !answer.error) {
    const std::string why = message.empty() ? "its task is " + status : "its task is " + status + ": " + message;
    answer.error = RpcError{.code = kInternalError, .message = why, .data = {}};
  }
  finish(answer);
}

void RemoteTask::take_questions(std::string_view task) {
  std::string open = "{";
  for_each_member(find_member(task, "inputRequests"), [&](std::string_view key, std::string_view question) {
    if (answered_.contains(std::string(key))) return;
    if (open.size() > 1) open += ',';
    append_json(open, key);
    open.append(":").append(question);
  });
  if (open.size() == 1) return later();  // it has not looked at the answers yet
  open += '}';
  waiter_.on_task_questions(open);
}

// A task outlives a request that is lost: it is asked for again.
void RemoteTask::lost(const Lost& lost) {
  if (connection_ && lost.unreachable()) remote_.note_unreachable(*connection_, lost.message);
  if (++lost_ <= limits::kTaskLostMax) return later(limits::kRetryMsDefault);
  Answer answer;
  answer.lost = lost;
  finish(answer);
}

void RemoteTask::later(std::uint64_t least_ms) {
  timer_.start(std::max(interval_ms_, least_ms), [this] { responses_.empty() ? poll() : update(); });
}

void RemoteTask::finish(const Answer& answer) {
  over_ = true;
  waiter_.on_task_answer(answer);
}

}  // namespace collet::client
