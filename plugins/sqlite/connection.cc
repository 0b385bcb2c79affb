#include "sqlite/connection.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <sqlite3.h>

namespace sqlite {
namespace {

constexpr int kSqlBytesMax = 100'000;
// Nobody is asked whether to go on while a function runs, nor between those of one row.
constexpr int kOpsBetweenChecks = 100;  // of SQLite's virtual machine: some rows
constexpr int kFunctionsMax = 500;      // in one statement
constexpr int kBusyPauseMs = 5;         // between two tries for another process's lock
constexpr int kLongTextBytes = 10'000;  // from which on a comparison asks whether to go on
constexpr std::size_t kExcerptBytes = 40;
constexpr std::size_t kValueOverheadBytes = 2;  // what a number or NULL counts, and punctuation
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

// As SQLite's own collations.
int compare_nocase(std::string_view a, std::string_view b) {
  const int size = static_cast<int>(std::min(a.size(), b.size()));
  const int order = size == 0 ? 0 : sqlite3_strnicmp(a.data(), b.data(), size);
  return order != 0 ? order : static_cast<int>(a.size()) - static_cast<int>(b.size());
}
int compare_rtrim(std::string_view a, std::string_view b) {
  const auto trimmed = [](std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); };
  return trimmed(a).compare(trimmed(b));
}

bool is_blank(std::string_view sql) {
  return std::all_of(sql.begin(), sql.end(), [](unsigned char c) { return std::isspace(c) || c == ';'; });
}

}  // namespace

// ---- Connection

Connection::Connection(const Settings& settings, const WalState& wal) : settings_(settings), wal_(wal) {
  const bool is_alone = wal.use == WalUse::at_rest;
  const std::string name = is_alone ? immutable_uri(settings.database) : settings.database;
  const int access = settings.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int status = sqlite3_open_v2(
      name.c_str(), &db_.pointer,
      access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (is_alone ? SQLITE_OPEN_URI : 0), nullptr);
  if (status != SQLITE_OK) {
    throw Failure("cannot open the database " + settings.database + ": " +
                  (db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(status)) +
                  (settings.read_only ? " (it is opened read-only, so it must exist already)" : ""));
  }
  limit_resources();
  functions_ = std::make_unique<Functions>(db_, [this] { return should_stop(); });
  sqlite3_create_collation(db_, "NOCASE", SQLITE_UTF8, this, &on_collate<compare_nocase>);
  sqlite3_create_collation(db_, "RTRIM", SQLITE_UTF8, this, &on_collate<compare_rtrim>);
  // What a sort, a DISTINCT or a subquery keeps has the limit of the heap, where files would have none.
  run("PRAGMA temp_store = MEMORY");
  if (settings.read_only) run("PRAGMA query_only = 1");
  sqlite3_busy_handler(db_, &on_busy, this);
  sqlite3_progress_handler(db_, kOpsBetweenChecks, &on_progress, this);
  sqlite3_set_authorizer(db_, &on_authorize, this);
}

void Connection::run(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw failure();
}

bool Connection::is_current() const {
  if (!settings_.read_only) return true;
  if (wal_.use == WalUse::at_rest) return version_at_rest(settings_.database) == wal_.version;
  return is_in_wal_mode(db_) == (wal_.use == WalUse::in_use);
}

Connection::Handle::~Handle() { sqlite3_close(pointer); }

void Connection::limit_resources() {
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, static_cast<int>(settings_.value_bytes_max));
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
  connection_.skipped_ = false;
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

// A row can compare long texts 30000 times without a question whether to go on. A statement that only reads can end
// with whatever order it finds, since Statement::step() gives out nothing of it then; an index that is written
// cannot.
template <int (*Compare)(std::string_view, std::string_view)>
int Connection::on_collate(void* self, int size, const void* text, int other_size, const void* other) {
  auto& connection = *static_cast<Connection*>(self);
  if (std::min(size, other_size) >= kLongTextBytes && connection.reads_only_) {
    connection.skipped_ = connection.skipped_ || connection.should_stop();
    if (connection.skipped_) return 0;
  }
  return Compare({static_cast<const char*>(text), static_cast<std::size_t>(size)},
                 {static_cast<const char*>(other), static_cast<std::size_t>(other_size)});
}

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
      if (++connection.functions_called_ > kFunctionsMax) {
        return deny("the statement calls more than " + std::to_string(kFunctionsMax) +
                    " functions: send it in parts");
      }
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

Failure Connection::stop() const { return Failure(std::string("the statement was stopped: ") + stopped_); }

Failure Connection::failure(std::string_view sql) const {
  const int code = sqlite3_errcode(db_) & 0xff;
  if (code == SQLITE_INTERRUPT && stopped_) return stop();
  if (!denied_.empty()) return Failure(denied_);
  if (code == SQLITE_READONLY && settings_.read_only) return Failure(kReadOnly);
  std::string message = sqlite3_errmsg(db_);
  if (code == SQLITE_NOMEM) {
    return Failure(message + ": with the calls beside it, the statement needs more than the " +
                   std::to_string(settings_.memory_bytes_max) +
                   " bytes that max_memory_bytes allows; ask for less at a time, or have that key raised");
  }
  if (code == SQLITE_TOOBIG) {
    return Failure(message + ": a value or row has more than " + std::to_string(settings_.value_bytes_max) +
                   " bytes; compute less, leave it out, or have max_bytes raised, of which it may have four times");
  }
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
  functions_called_ = 0;
  const auto compile = [this](std::string_view text, const char** rest) {
    sqlite3_stmt* compiled = nullptr;
    const int status = sqlite3_prepare_v3(db_, text.data(), static_cast<int>(text.size()), 0, &compiled, rest);
    return std::pair(status, Statement(*this, compiled));
  };
  if (sql.size() > kSqlBytesMax) throw Failure("the SQL is longer than " + std::to_string(kSqlBytesMax) + " bytes");
  if (sql.find('\0') != sql.npos) throw Failure("the SQL contains a NUL character");
  const char* rest = nullptr;
  auto [status, statement] = compile(sql, &rest);
  if ((status & 0xff) == SQLITE_NOMEM) {
    throw Failure(
        "out of memory to compile the statement: it does too much, or the calls beside it use all that "
        "max_memory_bytes allows");
  }
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
  connection_->functions_called_ = 0;  // the schema may have changed: then the statement is compiled again
  connection_->reads_only_ = sqlite3_stmt_readonly(statement_.get()) != 0;
  const int status = sqlite3_step(statement_.get());
  connection_->reads_only_ = false;
  if (connection_->skipped_) throw connection_->stop();
  if (status != SQLITE_ROW && status != SQLITE_DONE) throw connection_->failure();
  return status == SQLITE_ROW;
}

int Statement::column_count() const { return sqlite3_column_count(statement_.get()); }

std::string Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_.get(), column);
  return name ? name : "";
}

std::uint64_t Statement::size(int column) const {
  const int type = sqlite3_column_type(statement_.get(), column);
  if (type != SQLITE_TEXT && type != SQLITE_BLOB) return sizeof(std::int64_t) + kValueOverheadBytes;
  const auto bytes = static_cast<std::uint64_t>(sqlite3_column_bytes(statement_.get(), column));
  return (type == SQLITE_BLOB ? bytes / 3 * 4 : bytes) + kValueOverheadBytes;
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
  const bool is_blob = sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB;
  const void* bytes =  // of a blob as they are, of a text in UTF-8
      is_blob ? sqlite3_column_blob(statement_.get(), column) : sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

}  // namespace sqlite
