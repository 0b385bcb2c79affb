#include "sqlite/connection.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <sqlite3.h>

namespace sqlite {
namespace {

constexpr int kValueBytesMax = 4 << 20;  // of one value or row, also within an expression
constexpr int kSqlBytesMax = 100'000;
constexpr int kOpsBetweenChecks = 2'000;  // some 100 µs of SQLite's virtual machine
constexpr int kBusyPauseMs = 5;           // between two tries for another process's lock
constexpr std::size_t kExcerptBytes = 40;
constexpr const char* kReadOnly = "the database is read-only; its configuration would need read_only = false";

// Pragmas that tell and change nothing. The first kind takes an argument; with one, the second would set something.
constexpr const char* kTellingPragmas[] = {"table_info",        "table_xinfo",    "table_list",  "index_list",
                                           "index_info",        "index_xinfo",    "quick_check", "foreign_key_list",
                                           "foreign_key_check", "integrity_check"};
constexpr const char* kReadablePragmas[] = {"application_id", "collation_list", "compile_options", "database_list",
                                            "data_version",   "encoding",       "freelist_count",  "function_list",
                                            "page_count",     "page_size",      "user_version"};

template <std::size_t N>
bool is_one_of(const char* const (&names)[N], const char* name) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](const char* n) { return sqlite3_stricmp(n, name) == 0; });
}

bool is_harmless_pragma(const char* name, const char* argument) {
  return is_one_of(kTellingPragmas, name) || (!argument && is_one_of(kReadablePragmas, name));
}

// Functions that reach past the database, whether or not this SQLite has them.
bool is_forbidden_function(const char* name) {
  static constexpr const char* kNames[] = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"};
  return is_one_of(kNames, name);
}

// RFC 3629.
bool is_utf8(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u; };
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned lead = byte(i), second = byte(i + 1);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return false;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return false;
    i += length;
  }
  return true;
}

bool is_blank(std::string_view sql) {
  return std::all_of(sql.begin(), sql.end(), [](unsigned char c) { return std::isspace(c) || c == ';'; });
}

}  // namespace

// ---- Connection

Connection::Connection(const Settings& settings) : settings_(settings) {
  const int access = settings.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int status = sqlite3_open_v2(settings.database.c_str(), &db_,
                                     access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (status != SQLITE_OK) {
    const Failure error("cannot open the database " + settings.database + ": " +
                        (db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(status)) +
                        (settings.read_only ? " (it is opened read-only, so it must exist already)" : ""));
    sqlite3_close(db_);
    throw error;
  }
  limit_resources();
  if (settings.read_only) sqlite3_exec(db_, "PRAGMA query_only = 1", nullptr, nullptr, nullptr);
  sqlite3_busy_handler(db_, &on_busy, this);
  sqlite3_progress_handler(db_, kOpsBetweenChecks, &on_progress, this);
  sqlite3_set_authorizer(db_, &on_authorize, this);
}

Connection::~Connection() { sqlite3_close(db_); }

void Connection::limit_resources() {
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, kValueBytesMax);
  sqlite3_limit(db_, SQLITE_LIMIT_SQL_LENGTH, kSqlBytesMax);
  sqlite3_limit(db_, SQLITE_LIMIT_EXPR_DEPTH, 500);
  sqlite3_limit(db_, SQLITE_LIMIT_COMPOUND_SELECT, 100);
  sqlite3_limit(db_, SQLITE_LIMIT_VDBE_OP, 100'000);
  sqlite3_limit(db_, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1'000);  // LIKE backtracks
  sqlite3_limit(db_, SQLITE_LIMIT_TRIGGER_DEPTH, 100);
  sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db_, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
}

Connection::Watch::Watch(Connection& connection, const Cancelled& cancelled) : connection_(connection) {
  connection_.cancelled_ = &cancelled;
  connection_.started_ = Clock::now();
  connection_.stopped_ = nullptr;
}

Connection::Watch::~Watch() { connection_.cancelled_ = nullptr; }

bool Connection::should_stop() {
  if (!cancelled_) return false;
  if ((*cancelled_)()) {
    stopped_ = "the call was cancelled";
  } else if (Clock::now() - started_ >= std::chrono::milliseconds(settings_.timeout_ms)) {
    stopped_ = "it ran for longer than timeout_ms allows; ask for less, or for what an index can find";
  }
  return stopped_ != nullptr;
}

int Connection::on_progress(void* self) { return static_cast<Connection*>(self)->should_stop(); }

int Connection::on_busy(void* self, int) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.should_stop()) return 0;
  const auto waited = Clock::now() - connection.started_;
  if (connection.cancelled_ && waited >= std::chrono::milliseconds(connection.settings_.busy_timeout_ms)) return 0;
  sqlite3_sleep(kBusyPauseMs);
  return 1;
}

int Connection::on_authorize(void* self, int action, const char* first, const char* second, const char*,
                             const char*) {
  auto& connection = *static_cast<Connection*>(self);
  const auto deny = [&](std::string why) {
    connection.denied_ = std::move(why);
    return SQLITE_DENY;
  };
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_UPDATE:
      // Table-valued functions, such as pragma_table_info(), are declared so. The schema itself is beyond SQL's
      // reach: SQLITE_DBCONFIG_DEFENSIVE.
      if (std::strcmp(first, "sqlite_master") == 0) return SQLITE_OK;
      return connection.settings_.read_only ? deny(kReadOnly) : SQLITE_OK;
    case SQLITE_FUNCTION:
      if (is_forbidden_function(second)) return deny(std::string("the function ") + second + " is not allowed");
      return SQLITE_OK;
    case SQLITE_PRAGMA:
      if (is_harmless_pragma(first, second)) return SQLITE_OK;
      return deny(std::string("PRAGMA ") + first + " is not allowed, only those that describe the database");
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return deny("only the configured database can be used, so no ATTACH, DETACH and VACUUM");
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return deny("each call is a transaction of its own, and none can span calls");
    default:
      return connection.settings_.read_only ? deny(kReadOnly) : SQLITE_OK;
  }
}

Failure Connection::failure(std::string_view sql) const {
  const int code = sqlite3_errcode(db_) & 0xff;
  if (code == SQLITE_INTERRUPT && stopped_) return Failure(std::string("the statement was stopped: ") + stopped_);
  if (!denied_.empty()) return Failure(denied_);
  if (code == SQLITE_READONLY && settings_.read_only) return Failure(kReadOnly);
  std::string message = sqlite3_errmsg(db_);
  const int offset = sqlite3_error_offset(db_);
  if (offset >= 0 && static_cast<std::size_t>(offset) < sql.size()) {
    auto excerpt = sql.substr(static_cast<std::size_t>(offset), kExcerptBytes);
    while (!excerpt.empty() && !is_utf8(excerpt)) excerpt.remove_suffix(1);
    message += " (at byte " + std::to_string(offset) + ": \"" + std::string(excerpt) + "\")";
  }
  return Failure(message);
}

Statement Connection::prepare(std::string_view sql) {
  denied_.clear();
  const auto compile = [this](std::string_view text, const char** rest) {
    sqlite3_stmt* compiled = nullptr;
    const int status = sqlite3_prepare_v3(db_, text.data(), static_cast<int>(text.size()), 0, &compiled, rest);
    return std::pair(status, Statement(*this, compiled));
  };
  if (sql.size() > kSqlBytesMax) throw Failure("the SQL is longer than " + std::to_string(kSqlBytesMax) + " bytes");
  if (sql.find('\0') != sql.npos) throw Failure("the SQL contains a NUL character");
  const char* rest = nullptr;
  auto [status, statement] = compile(sql, &rest);
  if (status != SQLITE_OK) throw failure(sql);
  if (!statement.statement_) throw Failure("there is no SQL statement in \"sql\"");

  const std::string_view tail = sql.substr(static_cast<std::size_t>(rest - sql.data()));
  if (!is_blank(tail)) {
    const auto [trailing_status, trailing] = compile(tail, &rest);  // a comment compiles to nothing
    if (trailing_status != SQLITE_OK || trailing.statement_ || !is_blank({rest, tail.data() + tail.size()})) {
      throw Failure("there is more than one statement, the second from byte " +
                    std::to_string(tail.data() - sql.data()) + " on: send each in a call of its own");
    }
  }
  return std::move(statement);
}

std::int64_t Connection::total_changes() const { return sqlite3_total_changes64(db_); }
std::int64_t Connection::changes() const { return sqlite3_changes64(db_); }
std::int64_t Connection::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_); }

// ---- Statement

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind(int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
    int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
    int operator()(const std::string& text) const {
      return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    int operator()(const Blob& blob) const {
      return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), SQLITE_TRANSIENT);
    }
  };
  if (std::visit(Binder{statement_.get(), index}, value) != SQLITE_OK) throw connection_->failure();
}

int Statement::parameter_count() const { return sqlite3_bind_parameter_count(statement_.get()); }

std::string_view Statement::parameter_name(int index) const {
  const char* name = sqlite3_bind_parameter_name(statement_.get(), index);
  return name ? std::string_view(name) : std::string_view();
}

bool Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status != SQLITE_ROW && status != SQLITE_DONE) throw connection_->failure();
  return status == SQLITE_ROW;
}

int Statement::column_count() const { return sqlite3_column_count(statement_.get()); }

std::string Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_.get(), column);
  return name ? name : "";
}

Value Statement::value(int column) const {
  const int type = sqlite3_column_type(statement_.get(), column);
  if (type == SQLITE_NULL) return nullptr;
  if (type == SQLITE_INTEGER) return integer(column);
  if (type == SQLITE_FLOAT) return sqlite3_column_double(statement_.get(), column);
  std::string bytes = text(column);
  if (type == SQLITE_TEXT && is_utf8(bytes)) return bytes;
  return Blob{std::move(bytes)};
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

}  // namespace sqlite
