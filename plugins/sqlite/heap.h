// The memory that SQLite may take. Its limit is one for the whole process, so it is the sum of everybody's shares.
#pragma once

#include <cstdint>

namespace sqlite {

// Raises SQLite's hard heap limit by `bytes` for as long as it lives; what would exceed the limit fails with
// SQLITE_NOMEM. Nothing stops one database from using what another's share has added. Whatever else in the process uses
// SQLite, as the host's store does, counts too, and fails likewise at the limit; in a worker there is nothing else. Any
// thread.
class HeapShare {
 public:
  explicit HeapShare(std::uint64_t bytes);
  ~HeapShare();
  HeapShare(const HeapShare&) = delete;
  HeapShare& operator=(const HeapShare&) = delete;

 private:
  const std::int64_t bytes_;
};

}  // namespace sqlite
