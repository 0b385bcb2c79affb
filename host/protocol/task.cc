#include "protocol/task.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/assert.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/random_id.h"

namespace collet::protocol {
namespace {

// ISO 8601, in UTC.
std::string timestamp(std::uint64_t ms) {
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, ms % 1000);
}

std::string joined(std::span<const std::string_view> pieces) {
  std::string text;
  for (std::string_view piece : pieces) text += piece;
  return text;
}

}  // namespace

std::uint64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Task::Task(std::string id, std::string principal, rpc::Place place, std::uint64_t now_ms)
    : id_(std::move(id)),
      principal_(std::move(principal)),
      place_(place),
      created_ms_(now_ms),
      updated_ms_(now_ms) {}

bool Task::over() const {
  const std::lock_guard lock(mutex_);
  return status_ != Status::working && status_ != Status::input_required;
}

std::size_t Task::bytes() const {
  const std::lock_guard lock(mutex_);
  return outcome_.size();
}

std::string Task::describe() const {
  static constexpr std::string_view kNames[] = {"working", "input_required", "completed", "failed", "cancelled"};
  const std::lock_guard lock(mutex_);
  std::string out =
      fmt::format(R"("taskId":"{}","status":"{}","createdAt":"{}","lastUpdatedAt":"{}",)", id_,
                  kNames[static_cast<unsigned>(status_)], timestamp(created_ms_), timestamp(updated_ms_));
  out += fmt::format(R"("ttlMs":{},"pollIntervalMs":{})", limits::kTaskTtlMs, limits::kTaskPollIntervalMs);
  if (!message_.empty()) {
    out += R"(,"statusMessage":)";
    text::append_json_string(out, message_);
  }
  if (status_ == Status::completed) out += R"(,"result":)" + outcome_;
  if (status_ == Status::failed) out += R"(,"error":)" + outcome_;
  if (status_ == Status::input_required) {
    out += R"(,"inputRequests":{)";
    for (const auto& [key, request] : questions_) {
      if (out.back() != '{') out += ',';
      text::append_json_string(out, key);
      out += ':' + request;
    }
    out += '}';
  }
  return out;
}

void Task::enter(Status status) {
  status_ = status;
  updated_ms_ = wall_clock_ms();
}

void Task::ask(const std::vector<registry::InputRequest>& questions) {
  const std::lock_guard lock(mutex_);
  for (const registry::InputRequest& question : questions) questions_.emplace(question.key, question.request);
  enter(Status::input_required);
}

bool Task::take_answer(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (questions_.erase(key) == 0) return false;
  if (questions_.empty()) enter(Status::working);
  return true;
}

void Task::cancel() {
  const std::lock_guard lock(mutex_);
  questions_.clear();
  if (status_ == Status::working || status_ == Status::input_required) enter(Status::cancelled);
}

void Task::interim(std::span<const std::string_view> pieces) {
  json::Document message;
  if (json::parse(joined(pieces), message)) return;
  const json::Value* params = json::find(message, "params");
  const auto said = params ? json::find_string(*params, "message") : std::nullopt;
  if (!said) return;
  const std::lock_guard lock(mutex_);
  message_ = *said;
  updated_ms_ = wall_clock_ms();
}

void Task::answer(int, std::span<const std::string_view> pieces) {
  json::Document message;
  COLLET_ASSERT(!json::parse(joined(pieces), message));
  const json::Value* result = json::find(message, "result");
  const std::lock_guard lock(mutex_);
  if (status_ == Status::cancelled) return;
  outcome_ = json::to_text(result ? *result : *json::find(message, "error"));
  enter(result ? Status::completed : Status::failed);
}

TaskPtr TaskTable::create(std::string principal, rpc::Place place, std::uint64_t now_ms) {
  auto task = std::make_shared<Task>(random_id(), std::move(principal), place, now_ms);
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  shed_bytes();
  if (by_age_.size() >= limits::kTasksMax && !drop_oldest_over()) return nullptr;
  by_age_.push_back(task);
  by_id_.emplace(task->id(), std::prev(by_age_.end()));
  return task;
}

TaskPtr TaskTable::find(std::string_view id, std::string_view principal, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || (*found->second)->principal() != principal) return nullptr;
  return *found->second;
}

std::size_t TaskTable::size() const {
  const std::lock_guard lock(mutex_);
  return by_age_.size();
}

void TaskTable::expire(std::uint64_t now_ms) {
  while (!by_age_.empty() && now_ms >= by_age_.front()->created_ms() + limits::kTaskTtlMs) {
    by_id_.erase(by_age_.front()->id());
    by_age_.pop_front();
  }
}

// Only where a task is made: looking one up must not weigh all of them.
void TaskTable::shed_bytes() {
  const auto held = [this] {
    std::size_t bytes = 0;
    for (const TaskPtr& task : by_age_) bytes += task->bytes();
    return bytes;
  };
  while (held() > bytes_max_ && drop_oldest_over()) {
  }
}

bool TaskTable::drop_oldest_over() {
  const auto found = std::find_if(by_age_.begin(), by_age_.end(), [](const TaskPtr& task) { return task->over(); });
  if (found == by_age_.end()) return false;
  by_id_.erase((*found)->id());
  by_age_.erase(found);
  return true;
}

}  // namespace collet::protocol
