// A database as the tools see it: its tables, one table in detail, the answer to one statement.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/connection.h"
#include "sqlite/heap.h"

namespace sqlite {

struct TableName {
  std::string name;
  std::string kind;  // "table", "view" or "virtual"
  std::int64_t columns = 0;
  std::optional<std::int64_t> rows_estimate;  // as of the last ANALYZE, if there was one
};

struct Column {
  std::string name;
  std::string type;
  bool not_null = false;
  std::optional<std::string> default_value;  // an SQL expression
  std::int64_t primary_key = 0;              // place in the primary key, from 1; 0: not part of it
  bool generated = false;
};

struct Index {
  std::string name;
  bool unique = false;
  bool partial = false;
  std::vector<std::string> columns;  // "" stands for an expression
};

struct ForeignKey {
  std::vector<std::string> columns;
  std::string table;
  std::vector<std::string> references;  // columns of `table`; empty: its primary key
  std::string on_update;
  std::string on_delete;
};

struct Table {
  std::string name;
  std::string kind;
  std::vector<Column> columns;
  std::vector<Index> indexes;
  std::vector<ForeignKey> foreign_keys;
  std::string sql;  // the statement that created it
};

// Values for the parameters of a statement: by place, or by name without its ':', '@' or '$'.
using Parameters = std::variant<std::vector<Value>, std::map<std::string, Value>>;

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
  bool truncated = false;      // there are more rows than were asked for, or than fit
  bool row_too_large = false;  // the row after the last one given is alone larger than what fits
  std::int64_t changes = 0;    // 0 for a statement that only reads
  std::optional<std::int64_t> last_insert_rowid;
};

struct Caps {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // of all values together
};

// Any thread. Nothing is opened before the first question; everything throws Failure.
class Database {
 public:
  explicit Database(Settings settings);

  std::vector<TableName> tables(const Cancelled& cancelled);
  Table describe(const std::string& name, const Cancelled& cancelled);
  Rows query(std::string_view sql, const Parameters& parameters, const Caps& caps, const Cancelled& cancelled);

 private:
  // A connection for one call, handed back at its end.
  class Lease {
   public:
    Lease(Database& database, const Cancelled& cancelled);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection* operator->() { return connection_.get(); }
    Connection& operator*() { return *connection_; }

   private:
    Database& database_;
    std::unique_ptr<Connection> connection_;
    std::optional<Connection::Watch> watch_;
  };

  std::unique_ptr<Connection> open() const;
  // What `ask` answers of a connection; it is asked again if the file was written meanwhile.
  template <class Ask>
  auto read(const Cancelled& cancelled, Ask ask);

  const Settings settings_;
  const unsigned connections_max_;  // every connection to ":memory:" would be a database of its own
  const HeapShare heap_;            // outlives the connections

  std::mutex mutex_;  // guards the two below
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  unsigned open_ = 0;
};

}  // namespace sqlite
