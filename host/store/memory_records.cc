#include "store/memory_records.h"

#include <algorithm>

#include "base/limits.h"

namespace collet::store {
namespace {

bool is_unexpected(const Records::Expected& expected, std::uint64_t version) { return expected && *expected != version; }

}  // namespace

void MemoryRecords::get(const std::string& space, const std::string& key, Answered then) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    const Visit here = visit(space);
    if (const auto entry = find(here, key); entry != here.space.entries.end()) {
      answer.version = entry->second.version;
      answer.value = entry->second.value;
    }
  }
  then(std::move(answer));
}

void MemoryRecords::put(const std::string& space, Put wanted, Answered then) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    answer = put(visit(space), wanted);
  }
  then(std::move(answer));
}

MemoryRecords::Answer MemoryRecords::put(const Visit& here, Put& wanted) {
  Space& space = here.space;
  const auto before = find(here, wanted.key);
  const bool is_new = before == space.entries.end();
  const std::uint64_t version = is_new ? 0 : before->second.version;
  if (is_unexpected(wanted.expected, version)) return {.status = Status::unexpected, .version = version};

  const std::size_t bytes = wanted.key.size() + wanted.value.size();
  const std::size_t bytes_before = is_new ? 0 : bytes_of(*before);
  const auto has_room = [&] {
    return space.entries.size() + is_new <= limits::kRecordsMax && space.bytes - bytes_before + bytes <= limits::kRecordsBytesMax;
  };
  if (!has_room()) free_expired(here, limits::kRecordsMax);
  if (!has_room()) return {.status = Status::full, .version = version};

  auto value = std::make_shared<const std::string>(std::move(wanted.value));
  const std::uint64_t ends_ms = wanted.ttl_ms ? here.now_ms + wanted.ttl_ms : kNever;
  Entries fresh;
  const auto entry = is_new ? fresh.emplace(std::move(wanted.key), Record()).first : before;
  if (ends_ms != kNever) space.ends.emplace(ends_ms, entry->first);
  // From here on memory cannot run out.
  Record& record = entry->second;
  if (record.ends_ms != ends_ms) space.ends.erase({record.ends_ms, entry->first});
  record = {std::move(value), ++space.last_version, ends_ms};
  space.entries.merge(fresh);
  space.bytes += bytes - bytes_before;
  return {.version = record.version};
}

void MemoryRecords::remove(const std::string& space, const std::string& key, Expected expected, Answered then) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    const Visit here = visit(space);
    const auto entry = find(here, key);
    const bool is_there = entry != here.space.entries.end();
    if (is_there) answer.version = entry->second.version;
    if (is_unexpected(expected, answer.version)) {
      answer.status = Status::unexpected;
    } else if (is_there) {
      erase(here.space, entry);
    }
  }
  then(std::move(answer));
}

void MemoryRecords::list(const std::string& space, const List& wanted, Listed then) {
  const std::uint32_t keys_max = std::min(wanted.keys_max ? wanted.keys_max : limits::kRecordPageKeys, limits::kRecordPageKeys);
  Page page;
  {
    const std::lock_guard lock(mutex_);
    const Visit here = visit(space);
    const Entries& entries = here.space.entries;
    const bool begins_behind = wanted.after && *wanted.after >= wanted.prefix;
    auto entry = begins_behind ? entries.upper_bound(*wanted.after) : entries.lower_bound(wanted.prefix);
    for (; entry != entries.end() && entry->first.starts_with(wanted.prefix); ++entry) {
      if (entry->second.ends_ms <= here.now_ms) continue;
      page.more = page.keys.size() == keys_max;
      if (page.more) break;
      page.keys.push_back({entry->first, entry->second.version});
    }
  }
  then(std::move(page));
}

std::size_t MemoryRecords::count() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [name, space] : spaces_) count += space.entries.size();
  return count;
}

MemoryRecords::Visit MemoryRecords::visit(const std::string& name) {
  const std::uint64_t now_ms = now_();
  Space& space = spaces_[name];
  free_expired({space, now_ms}, limits::kRecordsFreedAtOnce);
  auto other = spaces_.upper_bound(turn_);
  if (other == spaces_.end()) other = spaces_.begin();
  free_expired({other->second, now_ms}, limits::kRecordsFreedAtOnce);
  turn_ = other->first;
  return {space, now_ms};
}

MemoryRecords::Entries::iterator MemoryRecords::find(const Visit& here, std::string_view key) {
  const auto entry = here.space.entries.find(key);
  if (entry == here.space.entries.end() || entry->second.ends_ms > here.now_ms) return entry;
  erase(here.space, entry);
  return here.space.entries.end();
}

void MemoryRecords::erase(Space& space, Entries::iterator entry) {
  space.bytes -= bytes_of(*entry);
  space.ends.erase({entry->second.ends_ms, entry->first});
  space.entries.erase(entry);
}

void MemoryRecords::free_expired(const Visit& here, std::size_t at_most) {
  Space& space = here.space;
  for (; at_most > 0 && !space.ends.empty() && space.ends.begin()->first <= here.now_ms; --at_most) {
    erase(space, space.entries.find(space.ends.begin()->second));
  }
}

}  // namespace collet::store
