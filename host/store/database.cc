#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>

#include "base/clock.h"
#include "base/limits.h"

namespace collet::store {
namespace {

constexpr auto kLockPause = std::chrono::milliseconds(5);
constexpr std::int64_t kApplication = 0x436f6c74;  // "Colt", in the file's header

// FULL: a commit returns when the disk has what is beside the file (WAL). What was committed outlives the process, the system and a loss of
// power, if the disk keeps what it says it has. With NORMAL a loss of power would take the last commits, but leave the file sound.
constexpr const char* kSetUp = "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF";

// Throws if others than this user and root can read or write `file`, which messages call `it`.
void check_private(const struct stat& status, std::string_view it, std::string_view file) {
  if (status.st_uid != geteuid() && status.st_uid != 0) throw DatabaseFailure(fmt::format("{} is another user's", it));
  if (status.st_mode & 077) {
    throw DatabaseFailure(fmt::format("{} can be read or written by others than its owner: chmod 600 {}", it, file));
  }
}

std::string reason_of(sqlite3* connection) {
  const int code = sqlite3_extended_errcode(connection);
  switch (code & 0xff) {
    case SQLITE_BUSY:
      return "another process has it open";
    case SQLITE_NOTADB:
      return "it is no SQLite database, or a damaged one";
    case SQLITE_CORRUPT:
      return fmt::format("it is damaged ({})", sqlite3_errmsg(connection));
    case SQLITE_FULL:
      return "there is no room on its disk";
    case SQLITE_READONLY:
      return code == SQLITE_READONLY_DIRECTORY ? "its folder cannot be written" : "it cannot be written";
    default:
      break;
  }
  const int system = sqlite3_system_errno(connection);
  const bool is_of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (!is_of_system || system == 0) return fmt::format("{} ({})", sqlite3_errmsg(connection), code);
  return fmt::format("{} ({}): {}", sqlite3_errmsg(connection), code, std::strerror(system));
}

}  // namespace

// ---- Database

Result<std::unique_ptr<Database>> Database::open(const std::string& file, std::span<const char* const> migrations) {
  std::unique_ptr<Database> database(new Database(file));
  try {
    database->lock();
    database->connect();
    database->set_up(migrations);
  } catch (const DatabaseFailure& failure) {
    return error("cannot open the store {}: {}", file, failure.what());
  }
  return database;
}

// Another descriptor of the file that is closed takes SQLite's locks from it (POSIX): so lock_ is the last.
Database::~Database() {
  sqlite3_close(connection_);
  if (lock_ >= 0) close(lock_);
}

// Whatever in this process opens the file and closes it again, as a plugin may, takes SQLite's locks from it. This one stays: it is the
// descriptor's, and at a place where SQLite has none.
void Database::lock() {
  lock_ = ::open(file_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  struct stat status;
  if (lock_ < 0 || fstat(lock_, &status) != 0) throw DatabaseFailure(std::strerror(errno));
  check_private(status, "it", file_);
  struct flock mark {};
  mark.l_type = F_WRLCK;
  mark.l_whence = SEEK_SET;
  mark.l_start = std::numeric_limits<off_t>::max() - 1;
  mark.l_len = 1;
  const std::uint64_t until_ms = monotonic_ms() + limits::kStoreBusyMs;
  while (fcntl(lock_, F_OFD_SETLK, &mark) != 0) {
    if (errno != EAGAIN && errno != EACCES) throw DatabaseFailure(fmt::format("it cannot be locked: {}", std::strerror(errno)));
    if (monotonic_ms() >= until_ms) throw DatabaseFailure("another process has it open");
    std::this_thread::sleep_for(kLockPause);
  }
}

void Database::connect() {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(file_.c_str(), &connection_, flags, nullptr) != SQLITE_OK) fail();
  sqlite3_busy_timeout(connection_, static_cast<int>(limits::kStoreBusyMs));
  const char* log = sqlite3_filename_wal(sqlite3_db_filename(connection_, "main"));
  struct stat status;
  if (stat(log, &status) == 0) check_private(status, "the file beside it (-wal)", log);
}

// SQLite's own lock keeps its shell away. Nothing is written before it is known whose file it is.
void Database::set_up(std::span<const char* const> migrations) {
  run("PRAGMA locking_mode = EXCLUSIVE");
  run("BEGIN EXCLUSIVE");
  const bool is_new = number("SELECT count(*) FROM sqlite_schema") == 0 && number("PRAGMA application_id") == 0;
  if (!is_new && number("PRAGMA application_id") != kApplication) throw DatabaseFailure("it is a database of another program");
  const auto version = static_cast<std::size_t>(number("PRAGMA user_version"));
  if (version > migrations.size()) {
    throw DatabaseFailure(fmt::format("a newer Collet has written it: its tables are of version {}, and this one knows versions up to {}",
                                      version, migrations.size()));
  }
  run("COMMIT");
  if (text("PRAGMA journal_mode = WAL") != "wal") throw DatabaseFailure("nothing can be written beside it (WAL)");
  run(kSetUp);
  run(fmt::format("PRAGMA journal_size_limit = {}", limits::kStoreLogBytesKept).c_str());
  migrate(migrations.subspan(version));
  main_ = identity(sqlite3_db_filename(connection_, "main"));
  log_ = identity(sqlite3_filename_wal(sqlite3_db_filename(connection_, "main")));
}

void Database::migrate(std::span<const char* const> migrations) {
  if (migrations.empty()) return;  // a disk that is full can still be read
  begin();
  const std::int64_t version = number("PRAGMA user_version");
  for (const char* migration : migrations) run(migration);
  run(fmt::format("PRAGMA application_id = {}", kApplication).c_str());
  run(fmt::format("PRAGMA user_version = {}", version + static_cast<std::int64_t>(migrations.size())).c_str());
  commit();
}

void Database::begin() {
  if (displaced_) throw DatabaseFailure(displaced_);
  run("BEGIN");
}

void Database::commit() {
  const std::int64_t before = std::exchange(changes_, changes());
  if (changes_ != before) displaced_ = displaced();
  if (displaced_) throw DatabaseFailure(displaced_);
  run("COMMIT");
}

void Database::roll_back() noexcept {
  if (!sqlite3_get_autocommit(connection_)) sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::run(const char* sql) {
  if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t Database::changes() const { return sqlite3_total_changes64(connection_); }

std::int64_t Database::number(const char* sql) {
  Query query(*this, sql);
  auto rows = query.rows();
  return rows.next() ? static_cast<std::int64_t>(rows.number(0)) : 0;
}

std::string Database::text(const char* sql) {
  Query query(*this, sql);
  auto rows = query.rows();
  return rows.next() ? std::string(rows.bytes(0)) : std::string();
}

// Why nobody would ever read what is written: SQLite goes on to write files that were deleted or replaced. Null: they are in their place.
const char* Database::displaced() const {
  if (!main_) return nullptr;
  const char* main = sqlite3_db_filename(connection_, "main");
  if (identity(main) != main_) return "the file was deleted or replaced";
  if (identity(sqlite3_filename_wal(main)) != log_) return "the file beside it (-wal) was deleted or replaced";
  return nullptr;
}

void Database::fail() const { throw DatabaseFailure(connection_ ? reason_of(connection_) : "no memory"); }

std::optional<Database::Identity> Database::identity(const std::string& file) {
  struct stat status;
  if (stat(file.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

// ---- Query

Query::Query(Database& database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v3(database_.connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) database_.fail();
}

Query::~Query() { sqlite3_finalize(statement_); }

void Query::bind(int index, std::uint64_t number) {
  if (sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(number)) != SQLITE_OK) database_.fail();
}

void Query::bind(int index, std::string_view bytes) {
  const char* data = bytes.data() ? bytes.data() : "";  // NULL would be no bytes
  if (sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK) database_.fail();
}

void Query::bind(int index, const std::optional<std::uint64_t>& number) {
  if (number) return bind(index, *number);
  if (sqlite3_bind_null(statement_, index) != SQLITE_OK) database_.fail();
}

// ---- Query::Rows

Query::Rows::~Rows() {
  sqlite3_reset(query_.statement_);
  sqlite3_clear_bindings(query_.statement_);
}

bool Query::Rows::next() {
  const int status = sqlite3_step(query_.statement_);
  if (status != SQLITE_ROW && status != SQLITE_DONE) query_.database_.fail();
  return status == SQLITE_ROW;
}

std::uint64_t Query::Rows::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(query_.statement_, column));
}

std::string_view Query::Rows::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(query_.statement_, column));
  return {data ? data : "", static_cast<std::size_t>(sqlite3_column_bytes(query_.statement_, column))};
}

}  // namespace collet::store
