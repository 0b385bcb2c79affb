#include "protocol/tasks/task_records.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/json.h"
#include "base/json_members.h"

namespace collet::protocol {
namespace {

const std::string kTasksSpace = "host:tasks";  // no plugin's name has a colon

// Of all keys that one owner has. Whose a record is says the record: an owner's name may have a slash, too.
std::string key_prefix(const std::string& owner) { return owner + '/'; }

}  // namespace

std::string task_text(const Task::Record& record) {
  return json::ObjectText()
      .add_text("process", record.process)
      .add_text("id", record.id)
      .add_text("dialect", record.origin.dialect == Era::modern ? "modern" : "legacy")
      .add_text("owner", record.origin.owner)
      .add_bool("hasShare", record.origin.has_share)
      .add_number("ttlMs", record.origin.ttl_ms)
      .add_number("createdAtMs", record.created_at_ms)
      .add_number("updatedAtMs", record.updated_at_ms)
      .add_text("status", status_name(record.status))
      .add_text("message", record.message)
      .add_text("result", record.outcome.result)
      .add_text("error", record.outcome.error)
      .take();
}

std::optional<Task::Record> read_task(std::string_view text) {
  json::Document document;
  if (json::parse(text, document) || !document.IsObject()) return std::nullopt;
  bool whole = true;
  const auto string = [&](std::string_view name) {
    const auto value = json::find_string(document, name);
    whole = whole && value;
    return std::string(value.value_or(""));
  };
  const auto number = [&](std::string_view name) {
    const json::Value* value = json::find(document, name);
    whole = whole && value && value->IsUint64();
    return whole ? value->GetUint64() : 0;
  };
  const json::Value* has_share = json::find(document, "hasShare");
  const auto status = status_of(string("status"));
  Task::Record record{.process = string("process"),
                      .id = string("id"),
                      .origin = {.dialect = string("dialect") == "modern" ? Era::modern : Era::legacy,
                                 .owner = string("owner"),
                                 .ttl_ms = number("ttlMs"),
                                 .has_share = has_share && has_share->IsTrue()},
                      .created_at_ms = number("createdAtMs"),
                      .updated_at_ms = number("updatedAtMs"),
                      .message = string("message"),
                      .outcome = {string("result"), string("error")}};
  if (!whole || !status) return std::nullopt;
  record.status = *status;
  return record;
}

void TaskRecords::keep(const Task& task) {
  Task::Record record = task.record();
  record.process = process_;
  const std::string key = key_prefix(record.origin.owner) + record.id;
  const std::uint64_t end_ms = record.created_at_ms + record.origin.ttl_ms;
  const std::uint64_t now_ms = wall_ms();
  if (end_ms <= now_ms || key.size() > limits::kRecordKeyBytesMax) return;
  auto answered = [this, key, over = is_over(record.status)](store::Records::Answer answer) {
    // What it was when it began would say that it has failed.
    if (!trouble_.note(answer.status, "a task") && over) records_.remove(kTasksSpace, key, {}, [](store::Records::Answer) {});
  };
  records_.put(kTasksSpace, {.key = key, .value = task_text(record), .ttl_ms = end_ms - now_ms}, std::move(answered));
}

void TaskRecords::remove(const Task& task) {
  records_.remove(kTasksSpace, key_prefix(task.owner()) + task.id(), {}, [](store::Records::Answer) {});
}

// Shared by the answers that are to come; the last one tells.
class TaskRecords::Search {
 public:
  Search(std::string owner, std::string process, std::size_t count, Found then)
      : owner_(std::move(owner)), process_(std::move(process)), left_(count), then_(std::move(then)) {}

  void note(const store::Records::Answer& answer) {
    if (answer.status == store::Records::Status::failed) failed_ = true;
    auto record = answer.value ? read_task(*answer.value) : std::nullopt;
    if (record && record->origin.owner == owner_ && (is_over(record->status) || record->process != process_)) {
      const std::lock_guard lock(mutex_);
      found_.push_back(std::move(*record));
    }
    if (--left_ > 0) return;
    if (failed_) return then_(error("the store has failed"));
    std::ranges::sort(found_, {}, &Task::Record::created_at_ms);
    then_(std::move(found_));
  }

 private:
  const std::string owner_;
  const std::string process_;
  std::atomic<std::size_t> left_;
  std::atomic<bool> failed_ = false;
  Found then_;
  std::mutex mutex_;  // guards `found_` until the last answer
  std::vector<Task::Record> found_;
};

void TaskRecords::find(const std::string& owner, std::vector<std::string> ids, Found then) {
  const std::string prefix = key_prefix(owner);
  std::erase_if(ids, [&](const std::string& id) { return prefix.size() + id.size() > limits::kRecordKeyBytesMax; });
  if (ids.empty()) return then(std::vector<Task::Record>());
  const auto search = std::make_shared<Search>(owner, process_, ids.size(), std::move(then));
  for (const std::string& id : ids) {
    records_.get(kTasksSpace, prefix + id, [search](store::Records::Answer answer) { search->note(answer); });
  }
}

void TaskRecords::find_all(const std::string& owner, Wants wants, Found then) {
  collect(owner, std::nullopt, std::move(wants), {}, std::move(then));
}

// A page of keys at a time.
void TaskRecords::collect(const std::string& owner, std::optional<std::string> after, Wants wants, std::vector<std::string> ids,
                          Found then) {
  const std::string prefix = key_prefix(owner);
  auto listed = [this, owner, bytes = prefix.size(), wants = std::move(wants), ids = std::move(ids),
                 then = std::move(then)](store::Records::Page page) mutable {
    if (page.status == store::Records::Status::failed) return then(error("the store has failed"));
    for (const auto& key : page.keys) {
      if (std::string id = key.key.substr(bytes); wants(id)) ids.push_back(std::move(id));
    }
    if (!page.more || ids.size() >= limits::kTasksMax) return find(owner, std::move(ids), std::move(then));
    collect(owner, page.keys.back().key, std::move(wants), std::move(ids), std::move(then));
  };
  records_.list(kTasksSpace, {.prefix = prefix, .after = std::move(after)}, std::move(listed));
}

}  // namespace collet::protocol
