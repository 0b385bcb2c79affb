// One connection to a database, locked down for SQL that nobody has read before.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sqlite/failure.h"
#include "sqlite/functions.h"
#include "sqlite/wal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sqlite {

struct Settings {
  std::string database;  // a file, or ":memory:"
  bool read_only = true;
  std::uint64_t busy_timeout_ms = 5'000;  // waiting for another process's lock
  std::uint64_t timeout_ms = 30'000;      // one statement, waiting included
  // One value or row, also within an expression or a table. Less than 100'000 would leave no room for the schema.
  std::uint64_t value_bytes_max = 1 << 20;
  // What SQLite takes for all connections of a database together: the pages that they hold, what they sort.
  std::uint64_t memory_bytes_max = 256 << 20;
};

// Asked while a statement runs: true once nobody waits for the answer any more.
using Cancelled = std::function<bool()>;

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
// A cell or a parameter. Text that is not UTF-8 is a Blob.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;

// A compiled statement. Lives shorter than its Connection; everything throws Failure.
class Statement {
 public:
  void bind(int index, const Value& value);  // from 1
  // The number of parameters, and the name of one with its ':', '@' or '$'; empty if it is '?'.
  int parameter_count() const;
  std::string_view parameter_name(int index) const;

  bool step();  // true: a row is there
  int column_count() const;
  std::string column_name(int column) const;
  std::uint64_t size(int column) const;  // bytes of the value in an answer; nothing is copied to find out
  Value value(int column) const;
  std::string text(int column) const;  // empty for NULL
  std::int64_t integer(int column) const;
  bool is_null(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(class Connection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement) {}

  class Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Used by one thread at a time.
class Connection {
 public:
  // `wal` is the state of the database file, if it may only be read. Throws Failure.
  explicit Connection(const Settings& settings, const WalState& wal = {});
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // While it lives, statements of `connection` stop when `cancelled`, or at the latest timeout_ms after its start.
  class Watch {
   public:
    Watch(Connection& connection, const Cancelled& cancelled);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Connection& connection_;
  };

  const WalState& wal() const { return wal_; }
  bool is_current() const;  // whether a statement now would find the file as `wal` says

  // Compiles `sql`, which must hold exactly one statement.
  Statement prepare(std::string_view sql);

  std::int64_t total_changes() const;  // rows changed since the connection was opened
  std::int64_t changes() const;        // by the last statement that changes rows
  std::int64_t last_insert_rowid() const;

 private:
  friend class Statement;
  using Clock = std::chrono::steady_clock;

  static int on_authorize(void* self, int action, const char* first, const char* second, const char*, const char*);
  static int on_progress(void* self);
  static int on_busy(void* self, int attempt);
  template <int (*Compare)(std::string_view, std::string_view)>
  static int on_collate(void* self, int size, const void* text, int other_size, const void* other);

  void run(const char* sql);
  bool should_stop();
  Failure stop() const;
  Failure failure(std::string_view sql = {}) const;
  void limit_resources();

  struct Handle {
    ~Handle();
    operator sqlite3*() const { return pointer; }
    sqlite3* pointer = nullptr;
  };

  const Settings& settings_;
  const WalState wal_;
  std::unique_ptr<Functions> functions_;  // of db_
  Handle db_;
  const Cancelled* cancelled_ = nullptr;  // set while a Watch lives
  Clock::time_point started_;
  int functions_called_ = 0;       // by the statement that is compiled
  bool reads_only_ = false;        // the statement that runs
  bool skipped_ = false;           // whether it has compared without looking, since it should stop
  std::string denied_;             // what the authorizer refused last, in words
  const char* stopped_ = nullptr;  // why the last statement was interrupted, in words
};

}  // namespace sqlite
