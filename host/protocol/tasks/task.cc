#include "protocol/tasks/task.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <new>

#include "base/assert.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/random_id.h"
#include "protocol/shares.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kStatusNames[] = {"working", "input_required", "completed", "failed", "cancelled"};

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

// With the process the call has ended.
constexpr std::string_view kProcessHasEnded = R"({"code":-32603,"message":"The server was restarted while this task ran"})";

}  // namespace

bool is_over(Task::Status status) { return status != Task::Status::working && status != Task::Status::input_required; }

std::string_view status_name(Task::Status status) { return kStatusNames[static_cast<unsigned>(status)]; }

std::optional<Task::Status> status_of(std::string_view name) {
  const auto found = std::ranges::find(kStatusNames, name);
  if (found == std::end(kStatusNames)) return std::nullopt;
  return static_cast<Task::Status>(found - std::begin(kStatusNames));
}

Task::Task(std::string id, std::uint64_t number, Origin origin, std::uint64_t now_ms, Bytes kept)
    : id_(std::move(id)),
      number_(number),
      origin_(std::move(origin)),
      expires_ms_(now_ms + origin_.ttl_ms),
      created_at_ms_(wall_ms()),
      kept_(std::move(kept)),
      updated_ms_(created_at_ms_) {}

Task::Task(Record record, std::uint64_t number, std::uint64_t now_ms, Bytes kept)
    : id_(std::move(record.id)),
      number_(number),
      origin_(std::move(record.origin)),
      expires_ms_(now_ms + (record.created_at_ms + origin_.ttl_ms - std::min(record.created_at_ms + origin_.ttl_ms, wall_ms()))),
      created_at_ms_(record.created_at_ms),
      kept_(std::move(kept)),
      status_(record.status),
      updated_ms_(record.updated_at_ms),
      message_(std::move(record.message)),
      outcome_(std::move(record.outcome)) {
  if (!is_over(status_)) {
    status_ = Status::failed;
    outcome_.error = kProcessHasEnded;
  }
  *kept_ += outcome_.result.size() + outcome_.error.size();
}

Task::Record Task::record() const {
  const std::lock_guard lock(mutex_);
  return {.id = id_,
          .origin = origin_,
          .status = status_,
          .created_at_ms = created_at_ms_,
          .updated_at_ms = updated_ms_,
          .message = message_,
          .outcome = outcome_};
}

void Task::let_go() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(let_go_, true)) *kept_ -= outcome_.result.size() + outcome_.error.size();
}

template <class Change>
bool Task::update(Change&& change) {
  std::vector<std::function<void()>> watchers;
  {
    const std::lock_guard lock(mutex_);
    if (!change()) return false;
    ++revision_;
    updated_ms_ = wall_ms();
    for (const auto& [watch, changed] : watchers_) watchers.push_back(changed);
  }
  for (const auto& changed : watchers) changed();
  return true;
}

bool Task::over() const {
  const std::lock_guard lock(mutex_);
  return is_over(status_);
}

std::size_t Task::bytes() const {
  const std::lock_guard lock(mutex_);
  return outcome_.result.size() + outcome_.error.size();
}

std::string_view Task::status() const {
  const std::lock_guard lock(mutex_);
  return status_name(status_);
}

std::uint64_t Task::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

std::string Task::describe() const {
  const std::lock_guard lock(mutex_);
  std::string out =
      fmt::format(R"("taskId":"{}","status":"{}","createdAt":"{}","lastUpdatedAt":"{}",)", id_,
                  status_name(status_), timestamp(created_at_ms_), timestamp(updated_ms_));
  const bool modern = origin_.dialect == Era::modern;
  out += fmt::format(R"("ttl{0}":{1},"pollInterval{0}":{2})", modern ? "Ms" : "", origin_.ttl_ms,
                     limits::kTaskPollIntervalMs);
  if (!message_.empty()) {
    out += R"(,"statusMessage":)";
    text::append_json_string(out, message_);
  }
  if (!modern) return out;
  if (status_ == Status::completed) out += R"(,"result":)" + outcome_.result;
  if (status_ == Status::failed) out += R"(,"error":)" + outcome_.error;
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

void Task::ask(const std::vector<registry::InputRequest>& questions) {
  update([&] {
    for (const registry::InputRequest& question : questions) questions_.emplace(question.key, question.request);
    status_ = Status::input_required;
    return true;
  });
}

std::map<std::string, std::string> Task::questions() const {
  const std::lock_guard lock(mutex_);
  return questions_;
}

bool Task::take_answer(const std::string& key) {
  return update([&] {
    if (is_over(status_) || questions_.erase(key) == 0) return false;
    if (questions_.empty()) status_ = Status::working;
    return true;
  });
}

void Task::cancel() {
  update([&] {
    questions_.clear();
    if (is_over(status_)) return false;
    status_ = Status::cancelled;
    return true;
  });
}

Task::Outcome Task::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

std::uint64_t Task::watch(std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  watchers_.emplace(++last_watch_, std::move(changed));
  return last_watch_;
}

void Task::unwatch(std::uint64_t watch) {
  const std::lock_guard lock(mutex_);
  watchers_.erase(watch);
}

void Task::interim(std::span<const std::string_view> pieces) {
  json::Document message;
  if (json::parse(joined(pieces), message)) return;
  const json::Value* params = json::find(message, "params");
  const auto said = params ? json::find_string(*params, "message") : std::nullopt;
  if (!said) return;
  update([&] {
    message_ = *said;
    return true;
  });
}

// What it takes to keep the answer, which is more than the answer.
Task::Answer Task::read_answer(std::span<const std::string_view> pieces) const {
  json::Document message;
  COLLET_ASSERT(!json::parse(joined(pieces), message));
  const json::Value* result = json::find(message, "result");
  const json::Value* error = json::find(message, "error");
  // 2025-11-25: a tool's error is a failed task; the modern dialect keeps that for errors of JSON-RPC.
  const json::Value* is_error = result && origin_.dialect == Era::legacy ? json::find(*result, mcp::kIsError) : nullptr;
  Answer answer{.failed = !result || (is_error && is_error->IsTrue())};
  if (result) answer.outcome.result = json::to_text(*result);
  if (error) answer.outcome.error = json::to_text(*error);
  return answer;
}

void Task::answer(int, std::span<const std::string_view> pieces) {
  Answer answer{.outcome = {.error = R"({"code":-32603,"message":"The server is out of memory"})"}, .failed = true};
  try {
    answer = read_answer(pieces);
  } catch (const std::bad_alloc&) {  // then it has failed of that
  }
  update([&] {
    if (status_ == Status::cancelled) return false;
    outcome_ = std::move(answer.outcome);
    if (!let_go_) *kept_ += outcome_.result.size() + outcome_.error.size();
    status_ = answer.failed ? Status::failed : Status::completed;
    return true;
  });
}

TaskPtr TaskTable::create(Task::Origin origin, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  shed_bytes();
  if (!make_room(origin)) return nullptr;
  return add(std::make_shared<Task>(random_id(), ++last_number_, std::move(origin), now_ms, kept_));
}

TaskPtr TaskTable::restore(Task::Record record, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  if (const auto found = by_id_.find(record.id); found != by_id_.end()) return *found->second;
  shed_bytes();
  if (!make_room(record.origin)) return nullptr;
  return add(std::make_shared<Task>(std::move(record), ++last_number_, now_ms, kept_));
}

TaskPtr TaskTable::add(TaskPtr task) {
  ++counts_[task->owner()];
  by_age_.push_back(task);
  by_id_.emplace(task->id(), std::prev(by_age_.end()));
  by_expiry_.emplace(task->expires_ms(), std::prev(by_age_.end()));
  return task;
}

TaskPtr TaskTable::find(std::string_view id, std::string_view owner, std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  shed_bytes();
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || (*found->second)->owner() != owner) return nullptr;
  return *found->second;
}

std::vector<TaskPtr> TaskTable::list(std::string_view owner, std::uint64_t behind, std::size_t count,
                                     std::uint64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  std::vector<TaskPtr> tasks;
  for (const TaskPtr& task : by_age_) {
    if (task->number() <= behind || task->owner() != owner) continue;
    if (tasks.size() == count) break;
    tasks.push_back(task);
  }
  return tasks;
}

std::size_t TaskTable::size() const {
  const std::lock_guard lock(mutex_);
  return by_age_.size();
}

void TaskTable::expire(std::uint64_t now_ms) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now_ms) drop(by_expiry_.begin()->second);
}

// At the cost of who keeps most.
void TaskTable::shed_bytes() {
  if (*kept_ <= bytes_max_) return;
  std::map<std::string, std::size_t> amounts;
  for (const TaskPtr& task : by_age_) amounts[task->owner()] += task->bytes();
  while (*kept_ > bytes_max_ && !amounts.empty()) {
    const auto most = who_has_most(amounts);
    const auto oldest = oldest_over(&most->first);
    if (oldest == by_age_.end()) {
      amounts.erase(most);
      continue;
    }
    most->second -= (*oldest)->bytes();
    drop_for_room(oldest);
  }
}

// For one more, at the cost of who has most if that can be.
bool TaskTable::make_room(const Task::Origin& origin) {
  const auto own = counts_.find(origin.owner);
  const bool has_its_share =
      origin.has_share && own != counts_.end() && own->second >= share_of(limits::kTasksMax);
  if (!has_its_share && by_age_.size() < limits::kTasksMax) return true;
  auto oldest = oldest_over(has_its_share ? &origin.owner : &who_has_most(counts_)->first);
  if (oldest == by_age_.end() && !has_its_share) oldest = oldest_over(nullptr);
  if (oldest == by_age_.end()) return false;
  drop_for_room(oldest);
  return true;
}

// Of that owner, or of all.
TaskTable::ByAge::iterator TaskTable::oldest_over(const std::string* owner) {
  return std::find_if(by_age_.begin(), by_age_.end(),
                      [&](const TaskPtr& task) { return (!owner || task->owner() == *owner) && task->over(); });
}

void TaskTable::drop_for_room(ByAge::iterator task) {
  if (on_drop_) on_drop_(**task);
  drop(task);
}

void TaskTable::drop(ByAge::iterator task) {
  (*task)->let_go();
  const auto [first, last] = by_expiry_.equal_range((*task)->expires_ms());
  by_expiry_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == task; }));
  by_id_.erase((*task)->id());
  if (const auto owner = counts_.find((*task)->owner()); --owner->second == 0) counts_.erase(owner);
  by_age_.erase(task);
}

}  // namespace collet::protocol
