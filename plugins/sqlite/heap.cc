#include "sqlite/heap.h"

#include <sqlite3.h>

namespace sqlite {
namespace {

// The sum is kept by SQLite itself, under a mutex of SQLite's: a plugin that is loaded twice, or replaced while it
// still answers, has every variable twice, but there is one SQLite.
void change_limit(std::int64_t bytes) {
  sqlite3_mutex* const mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
  sqlite3_mutex_enter(mutex);
  const std::int64_t sum = sqlite3_hard_heap_limit64(-1) + bytes;
  sqlite3_hard_heap_limit64(sum);
  sqlite3_soft_heap_limit64(sum);  // it stays where it was when the hard limit rises
  sqlite3_mutex_leave(mutex);
}

}  // namespace

HeapShare::HeapShare(std::uint64_t bytes) : bytes_(static_cast<std::int64_t>(bytes)) { change_limit(bytes_); }
HeapShare::~HeapShare() { change_limit(-bytes_); }

}  // namespace sqlite
