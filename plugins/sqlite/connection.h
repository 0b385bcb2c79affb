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

struct sqlite3;
struct sqlite3_stmt;

namespace sqlite {

struct Settings {
  std::string database;  // a file, or ":memory:"
  bool read_only = true;
  std::uint64_t busy_timeout_ms = 5'000;  // waiting for another process's lock
  std::uint64_t timeout_ms = 30'000;      // one statement, waiting included
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
  explicit Connection(const Settings& settings);  // throws Failure
  ~Connection();
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

  bool should_stop();
  Failure failure(std::string_view sql = {}) const;
  void limit_resources();

  const Settings& settings_;
  sqlite3* db_ = nullptr;
  const Cancelled* cancelled_ = nullptr;  // set while a Watch lives
  Clock::time_point started_;
  std::string denied_;             // what the authorizer refused last, in words
  const char* stopped_ = nullptr;  // why the last statement was interrupted, in words
};

}  // namespace sqlite
