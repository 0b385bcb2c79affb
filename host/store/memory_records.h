// Records in the memory of this process.
//
// What has expired is freed by whatever is asked next, of any space: so much of the space that it is about, and so much of another,
// each in its turn.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/clock.h"
#include "store/records.h"

namespace collet::store {

class MemoryRecords final : public Records {
 public:
  explicit MemoryRecords(WallClock now = wall_ms) : now_(std::move(now)) {}

  void get(const std::string& space, const std::string& key, Answered then) override;
  void put(const std::string& space, Put put, Answered then) override;
  void remove(const std::string& space, const std::string& key, Expected expected, Answered then) override;
  void list(const std::string& space, const List& list, Listed then) override;

  // Records that take memory, of all spaces: also those that have expired and are not freed yet.
  std::size_t count() const;

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  struct Record {
    Bytes value;
    std::uint64_t version = 0;
    std::uint64_t ends_ms = kNever;
  };
  using Entries = std::map<std::string, Record, std::less<>>;
  struct Space {
    Entries entries;
    std::set<std::pair<std::uint64_t, std::string_view>> ends;  // of those that have one, with the key where it is in `entries`
    std::size_t bytes = 0;
    std::uint64_t last_version = 0;
  };
  // The space and the time at which something is asked of it. Some of what has expired is freed.
  struct Visit {
    Space& space;
    std::uint64_t now_ms;
  };

  // With mutex_.
  Visit visit(const std::string& name);
  static Answer put(const Visit& here, Put& wanted);
  static Entries::iterator find(const Visit& here, std::string_view key);
  static void erase(Space& space, Entries::iterator entry);
  static void free_expired(const Visit& here, std::size_t at_most);
  static std::size_t bytes_of(const Entries::value_type& entry) { return entry.first.size() + entry.second.value->size(); }

  const WallClock now_;
  mutable std::mutex mutex_;  // guards both below
  std::map<std::string, Space> spaces_;
  std::string turn_;  // the space of which some was freed last
};

}  // namespace collet::store
