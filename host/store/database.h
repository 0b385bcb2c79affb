// One SQLite file, of which this process is the only user. The only place that knows SQLite.
//
// The connection has the file for itself from its opening on (locking_mode = EXCLUSIVE): nobody else reads or writes it, so that nothing
// is ever busy, what is written beside the file (WAL) can always be put into it and begin anew, and no memory is shared by a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace collet::store {

// What SQLite could not do. It does not leave this folder.
struct DatabaseFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// By one thread at a time, and not behind a fork(). What does not say how it fails throws DatabaseFailure.
class Database {
 public:
  // Makes the file, for its owner alone (0600), where there is none, and brings its tables up to date: `migrations` are SQL, each of which
  // makes version n + 1 of the tables out of version n. Nothing is written if they are up to date. A file that is newer is refused, as is
  // one of another program, and one that others than this user can read or write; root may own it.
  static Result<std::unique_ptr<Database>> open(const std::string& file, std::span<const char* const> migrations);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void begin();
  // What has been written since begin() is on the disk when this has returned. If it throws nothing is done; then roll_back() is called. A
  // file that was found to be deleted or replaced stays so: begin() throws from then on.
  void commit();
  // Whatever has become of what begin() has begun: SQLite ends it by itself when the disk is full, for one.
  void roll_back() noexcept;
  void run(const char* sql);

  // Rows that were written since it was opened, also those that were rolled back.
  std::int64_t changes() const;

 private:
  friend class Query;
  struct Identity {  // of a file, whatever its name
    std::uint64_t device = 0;
    std::uint64_t number = 0;
    bool operator==(const Identity&) const = default;
  };

  explicit Database(std::string file) : file_(std::move(file)) {}
  void lock();
  void connect();
  void set_up(std::span<const char* const> migrations);
  void migrate(std::span<const char* const> migrations);
  std::int64_t number(const char* sql);
  std::string text(const char* sql);
  const char* displaced() const;
  [[noreturn]] void fail() const;
  static std::optional<Identity> identity(const std::string& file);

  const std::string file_;
  int lock_ = -1;  // a descriptor of the file
  sqlite3* connection_ = nullptr;
  std::optional<Identity> main_;
  std::optional<Identity> log_;      // of the file beside it
  std::int64_t changes_ = 0;         // up to the last commit
  const char* displaced_ = nullptr;  // as displaced() once said
};

// A statement that is compiled once. Lives shorter than its database.
class Query {
 public:
  Query(Database& database, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Its rows, one at a time. While a statement has rows to come, what is beside the file cannot be put into it: so they are short-lived.
  class Rows {
   public:
    ~Rows();
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    bool next();
    std::uint64_t number(int column) const;
    std::string_view bytes(int column) const;  // until next()

   private:
    friend class Query;
    explicit Rows(Query& query) : query_(query) {}
    Query& query_;
  };

  // With its parameters: numbers, bytes, which are borrowed as long as the rows, or nothing.
  template <class... Values>
  Rows rows(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return Rows(*this);
  }
  template <class... Values>
  void run(const Values&... values) {
    rows(values...).next();
  }

 private:
  void bind(int index, std::uint64_t number);
  void bind(int index, std::string_view bytes);
  void bind(int index, const std::optional<std::uint64_t>& number);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace collet::store
