#include "sqlite/database.h"

#include <algorithm>
#include <chrono>

namespace sqlite {
namespace {

constexpr unsigned kConnectionsMax = 8;
constexpr int kAttemptsMax = 3;                        // to read a file that is not written meanwhile
constexpr std::chrono::milliseconds kCancelCheck{20};  // while waiting for a connection

void bind(Statement& statement, const std::vector<Value>& values) {
  const auto wanted = static_cast<std::size_t>(statement.parameter_count());
  if (values.size() != wanted) {
    throw Failure("the statement has " + std::to_string(wanted) + " parameters, but params has " +
                  std::to_string(values.size()) + " values");
  }
  for (std::size_t i = 0; i < values.size(); ++i) statement.bind(static_cast<int>(i) + 1, values[i]);
}

void bind(Statement& statement, const std::map<std::string, Value>& values) {
  std::size_t used = 0;
  for (int i = 1; i <= statement.parameter_count(); ++i) {
    const std::string_view name = statement.parameter_name(i);
    if (name.empty() || name[0] == '?')
      throw Failure("the statement has parameters without a name: give params as an array");
    const auto value = values.find(std::string(name.substr(1)));
    if (value == values.end()) throw Failure("params has no value for " + std::string(name));
    statement.bind(i, value->second);
    ++used;
  }
  if (used < values.size()) throw Failure("params has values that the statement has no parameter for");
}

// A statement with one text parameter.
Statement ask(Connection& connection, std::string_view sql, const std::string& parameter) {
  Statement statement = connection.prepare(sql);
  statement.bind(1, parameter);
  return statement;
}

std::vector<Column> columns_of(Connection& connection, const std::string& table) {
  constexpr std::string_view kSql =
      "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1";
  std::vector<Column> columns;
  for (Statement row = ask(connection, kSql, table); row.step();) {
    std::optional<std::string> default_value;
    if (!row.is_null(3)) default_value = row.text(3);
    columns.push_back(
        {row.text(0), row.text(1), row.integer(2) != 0, default_value, row.integer(4), row.integer(5) != 0});
  }
  return columns;
}

std::vector<Index> indexes_of(Connection& connection, const std::string& table) {
  std::vector<Index> indexes;
  for (Statement row = ask(connection, "SELECT name, \"unique\", partial FROM pragma_index_list(?)", table);
       row.step();) {
    Index index{row.text(0), row.integer(1) != 0, row.integer(2) != 0, {}};
    for (Statement column = ask(connection, "SELECT name FROM pragma_index_info(?)", index.name); column.step();) {
      index.columns.push_back(column.text(0));
    }
    indexes.push_back(std::move(index));
  }
  return indexes;
}

std::vector<ForeignKey> foreign_keys_of(Connection& connection, const std::string& table) {
  constexpr std::string_view kSql =
      "SELECT seq, \"from\", \"table\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id, "
      "seq";
  std::vector<ForeignKey> keys;
  for (Statement row = ask(connection, kSql, table); row.step();) {
    if (row.integer(0) == 0) keys.push_back({{}, row.text(2), {}, row.text(4), row.text(5)});
    keys.back().columns.push_back(row.text(1));
    if (!row.is_null(3)) keys.back().references.push_back(row.text(3));
  }
  return keys;
}

// Table name to rows, as the last ANALYZE counted them.
std::map<std::string, std::int64_t> row_estimates(Connection& connection) {
  std::map<std::string, std::int64_t> rows;
  if (!connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").step()) return rows;
  // A stat begins with the number of rows.
  for (Statement row = connection.prepare("SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl");
       row.step();) {
    rows[row.text(0)] = row.integer(1);
  }
  return rows;
}

std::vector<TableName> tables_of(Connection& connection) {
  const auto estimates = row_estimates(connection);
  std::vector<TableName> tables;
  Statement row = connection.prepare(
      "SELECT name, type, ncol FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' "
      "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
  while (row.step()) {
    TableName table{row.text(0), row.text(1), row.integer(2), {}};
    if (const auto rows = estimates.find(table.name); rows != estimates.end()) table.rows_estimate = rows->second;
    tables.push_back(std::move(table));
  }
  return tables;
}

Table table_of(Connection& connection, const std::string& name) {
  Table table;
  {
    Statement row = ask(connection,
                        "SELECT l.name, l.type, s.sql FROM pragma_table_list AS l JOIN sqlite_schema AS s "
                        "ON s.name = l.name AND s.type IN ('table', 'view') "
                        "WHERE l.schema = 'main' AND l.name = ? COLLATE NOCASE",
                        name);
    if (!row.step())
      throw Failure("there is no table or view \"" + name + "\": sqlite_tables lists those that exist");
    table.name = row.text(0);
    table.kind = row.text(1);
    table.sql = row.text(2);
  }
  table.columns = columns_of(connection, table.name);
  table.indexes = indexes_of(connection, table.name);
  table.foreign_keys = foreign_keys_of(connection, table.name);
  return table;
}

Rows rows_of(Connection& connection, std::string_view sql, const Parameters& parameters, const Caps& caps) {
  Statement statement = connection.prepare(sql);
  std::visit([&](const auto& values) { bind(statement, values); }, parameters);

  Rows result;
  const std::int64_t changes_before = connection.total_changes();
  const int columns = statement.column_count();
  for (int i = 0; i < columns; ++i) result.columns.push_back(statement.column_name(i));
  std::uint64_t bytes = 0;
  while (statement.step()) {
    if (result.rows.size() == caps.rows) {
      result.truncated = true;
      break;
    }
    std::uint64_t row_bytes = 0;
    for (int i = 0; i < columns; ++i) row_bytes += statement.size(i);
    if (bytes + row_bytes > caps.bytes) {
      result.truncated = true;
      result.row_too_large = row_bytes > caps.bytes;
      break;
    }
    bytes += row_bytes;
    auto& row = result.rows.emplace_back();
    for (int i = 0; i < columns; ++i) row.push_back(statement.value(i));
  }
  if (connection.total_changes() != changes_before) {
    result.changes = connection.changes();
    result.last_insert_rowid = connection.last_insert_rowid();
  }
  return result;
}

}  // namespace

Database::Database(Settings settings)
    : settings_(std::move(settings)),
      connections_max_(settings_.database == ":memory:" ? 1 : kConnectionsMax),
      heap_(settings_.memory_bytes_max) {}

Database::Lease::Lease(Database& database, const Cancelled& cancelled) : database_(database) {
  std::unique_lock lock(database_.mutex_);
  while (database_.idle_.empty() && database_.open_ == database_.connections_max_) {
    if (cancelled()) throw Failure("the call was cancelled");
    database_.returned_.wait_for(lock, kCancelCheck);
  }
  if (database_.idle_.empty()) {
    ++database_.open_;
  } else {
    connection_ = std::move(database_.idle_.back());
    database_.idle_.pop_back();
  }
  lock.unlock();
  try {
    if (connection_ && !connection_->is_current()) connection_.reset();
    if (!connection_) connection_ = database_.open();
  } catch (...) {
    lock.lock();
    --database_.open_;
    database_.returned_.notify_one();
    throw;
  }
  watch_.emplace(*connection_, cancelled);
}

Database::Lease::~Lease() {
  watch_.reset();
  // While it is open nobody who writes the file can clear away what is beside it.
  if (connection_->wal().use == WalUse::in_use) connection_.reset();
  {
    const std::lock_guard lock(database_.mutex_);
    if (connection_) {
      database_.idle_.push_back(std::move(connection_));
    } else {
      --database_.open_;
    }
  }
  database_.returned_.notify_one();
}

std::unique_ptr<Connection> Database::open() const {
  const bool is_name_of_file = settings_.database != ":memory:" && !settings_.database.starts_with("file:");
  const WalState wal = settings_.read_only && is_name_of_file ? wal_state(settings_.database) : WalState();
  return std::make_unique<Connection>(settings_, wal);
}

template <class Ask>
auto Database::read(const Cancelled& cancelled, Ask ask) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Lease connection(*this, cancelled);
    const auto was_written = [&] { return connection->wal().use == WalUse::at_rest && !connection->is_current(); };
    try {
      auto answer = ask(*connection);
      if (!was_written()) return answer;
    } catch (const Failure&) {
      if (!was_written()) throw;
    }
  }
  throw Failure("the database was written each time that it was read: ask again");
}

std::vector<TableName> Database::tables(const Cancelled& cancelled) {
  return read(cancelled, [](Connection& connection) { return tables_of(connection); });
}

Table Database::describe(const std::string& name, const Cancelled& cancelled) {
  return read(cancelled, [&](Connection& connection) { return table_of(connection, name); });
}

Rows Database::query(std::string_view sql, const Parameters& parameters, const Caps& caps,
                     const Cancelled& cancelled) {
  return read(cancelled, [&](Connection& connection) { return rows_of(connection, sql, parameters, caps); });
}

}  // namespace sqlite
