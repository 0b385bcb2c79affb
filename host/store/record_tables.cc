#include "store/record_tables.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace collet::store {

using Status = Records::Status;

Records::Answer RecordTables::get(const std::string& space, const std::string& key) {
  const std::uint64_t now_ms = now_();
  auto rows = read_.rows(find_space(space).id, key, now_ms);
  if (!rows.next()) return {};
  return {.version = rows.number(0), .value = std::make_shared<const std::string>(rows.bytes(1))};
}

Records::Answer RecordTables::put(const std::string& name, const Records::Put& wanted) {
  const std::uint64_t now_ms = now_();
  Space space = find_space(name);
  const Record before = find(space, wanted.key, now_ms);
  if (wanted.expected && *wanted.expected != before.version) return {.status = Status::unexpected, .version = before.version};

  const std::uint64_t bytes = wanted.key.size() + wanted.value.size();
  if (!make_room(space, name, before, bytes, now_ms)) return {.status = Status::full, .version = before.version};

  if (space.id == 0) space = open_space(name);
  const auto ends_ms = wanted.ttl_ms ? std::optional(now_ms + wanted.ttl_ms) : std::nullopt;
  write_.run(space.id, wanted.key, space.last_version + 1, ends_ms, wanted.value);
  set_space_.run(space.id, space.last_version + 1, space.records + (before.id == 0), space.bytes - before.bytes + bytes);
  return {.version = space.last_version + 1};
}

Records::Answer RecordTables::remove(const std::string& name, const std::string& key, Records::Expected expected) {
  const std::uint64_t now_ms = now_();
  const Space space = find_space(name);
  const Record there = find(space, key, now_ms);
  if (expected && *expected != there.version) return {.status = Status::unexpected, .version = there.version};
  if (there.id) erase(space.id, there);
  return {.version = there.version};
}

Records::Page RecordTables::list(const std::string& space, const Records::List& wanted) {
  const std::uint64_t now_ms = now_();
  const std::uint32_t keys_max = std::min(wanted.keys_max ? wanted.keys_max : limits::kRecordPageKeys, limits::kRecordPageKeys);
  const bool begins_behind = wanted.after && *wanted.after >= wanted.prefix;
  const std::uint64_t id = find_space(space).id;
  auto rows = begins_behind ? behind_.rows(id, *wanted.after, now_ms) : from_.rows(id, wanted.prefix, now_ms);
  Records::Page page;
  while (rows.next() && rows.bytes(0).starts_with(wanted.prefix)) {
    page.more = page.keys.size() == keys_max;
    if (page.more) break;
    page.keys.push_back({std::string(rows.bytes(0)), rows.number(1)});
  }
  return page;
}

void RecordTables::free_expired(std::uint64_t now_ms, std::size_t records_max) {
  erase_all(expired_.rows(now_ms, std::uint64_t{records_max}));
}

std::size_t RecordTables::count() {
  auto rows = count_.rows();
  return rows.next() ? rows.number(0) : 0;
}

RecordTables::Space RecordTables::find_space(const std::string& name) {
  auto rows = find_space_.rows(name);
  if (!rows.next()) return {};
  return {rows.number(0), rows.number(1), rows.number(2), rows.number(3)};
}

RecordTables::Space RecordTables::open_space(const std::string& name) {
  add_space_.run(name);
  return find_space(name);
}

// What has expired is erased.
RecordTables::Record RecordTables::find(const Space& space, const std::string& key, std::uint64_t now_ms) {
  Record record;
  bool has_expired = false;
  {
    auto rows = find_.rows(space.id, key, now_ms);
    if (!rows.next()) return {};
    record = {rows.number(0), rows.number(1), rows.number(2)};
    has_expired = rows.number(3) != 0;
  }
  if (!has_expired) return record;
  erase(space.id, record);
  return {};
}

// For a record of so many bytes, in the place of `before`. False: there is none, whatever is freed.
bool RecordTables::make_room(Space& space, const std::string& name, const Record& before, std::uint64_t bytes, std::uint64_t now_ms) {
  for (;;) {
    if (space.id) space = find_space(name);
    const std::uint64_t records = space.records + (before.id == 0);
    if (records <= limits::kRecordsMax && space.bytes - before.bytes + bytes <= limits::kRecordsBytesMax) return true;
    if (!erase_all(expired_here_.rows(now_ms, std::uint64_t{limits::kRecordsFreedAtOnce}, space.id))) return false;
  }
}

// Whether there was any.
bool RecordTables::erase_all(Query::Rows found) {
  std::vector<std::pair<std::uint64_t, Record>> all;  // with the space of each
  while (found.next()) all.emplace_back(found.number(2), Record{.id = found.number(0), .bytes = found.number(1)});
  for (const auto& [space, record] : all) erase(space, record);
  return !all.empty();
}

void RecordTables::erase(std::uint64_t space, const Record& record) {
  erase_.run(record.id);
  take_from_space_.run(space, record.bytes);
}

}  // namespace collet::store
