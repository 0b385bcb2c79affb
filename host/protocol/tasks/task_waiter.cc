#include "protocol/tasks/task_waiter.h"

#include "protocol/server.h"
#include "protocol/server_loop.h"

namespace collet::protocol {
namespace {

// The object's text; its _meta, or that of its `member`, says which task it belongs to (Related Task Metadata).
std::string with_related_task(std::string_view object, const char* member, const std::string& task_id) {
  json::Document document;
  COLLET_ASSERT(!json::parse(object, document) && document.IsObject());
  auto& allocator = document.GetAllocator();
  const auto child = [&](json::Value& parent, const char* name) -> json::Value& {
    if (parent.HasMember(name) && parent[name].IsObject()) return parent[name];
    parent.RemoveMember(name);
    parent.AddMember(json::Value(name, allocator), json::Value(rapidjson::kObjectType), allocator);
    return parent[name];
  };
  json::Value& meta = child(member ? child(document, member) : document, "_meta");
  json::Value& related = child(meta, mcp::kRelatedTask.data());
  related.RemoveMember("taskId");
  related.AddMember("taskId", json::Value(task_id, allocator), allocator);
  return json::to_text(document);
}

rpc::Error read_error(std::string_view text) {
  json::Document error;
  COLLET_ASSERT(!json::parse(text, error));
  rpc::Error out = rpc::internal_error(std::string(json::find_string(error, "message").value_or("")));
  if (const json::Value* code = json::find(error, "code"); code && code->IsInt()) out.code = code->GetInt();
  if (const json::Value* data = json::find(error, "data")) out.data = json::to_text(*data);
  return out;
}

}  // namespace

void answer_with_outcome(Request& request, const Task& task) {
  const Task::Outcome outcome = task.outcome();
  if (!outcome.result.empty()) {
    request.exchange.result({with_related_task(outcome.result, nullptr, task.id())});
  } else if (!outcome.error.empty()) {
    request.exchange.error(read_error(outcome.error));
  } else {
    request.invalid_params("the task was cancelled");
  }
}

TaskWaiter::TaskWaiter(ServerLoop& loop, std::uint64_t serial, RequestPtr request, TaskPtr task)
    : loop_(loop),
      serial_(serial),
      request_(std::move(request)),
      task_(std::move(task)),
      watch_(task_, loop.waker(serial)) {
  if (transport::HttpReply* reply = request_->http.reply()) reply->observe(this);
}

TaskWaiter::~TaskWaiter() {
  if (rpc::InFlight* in_flight = loop_.clients().in_flight_of(*request_)) in_flight->remove(request_->exchange.id());
}

void TaskWaiter::look() {
  if (!task_->over()) return ask();
  answer_with_outcome(*request_, *task_);
  loop_.held_open().let_go(serial_);
}

void TaskWaiter::ask() {
  if (!request_->exchange.can_ask()) return;
  Session& session = *request_->context.session;
  for (const auto& [key, question] : task_->questions()) {
    if (!asked_.insert(key).second) continue;
    // To the call itself, which has asked.
    if (const auto id = session.note_question(task_->place(), key)) {
      request_->exchange.ask(*id, with_related_task(question, "params", task_->id()));
    }
  }
}

void TaskWaiter::cancel() {
  request_->exchange.disown();
  request_->http.abandon();
  loop_.held_open().let_go(serial_);
}

void TaskWaiter::on_gone() {
  request_->http.forget();
  if (request_->http.resumable()) return;
  request_->exchange.disown();
  loop_.held_open().let_go(serial_);
}

}  // namespace collet::protocol
