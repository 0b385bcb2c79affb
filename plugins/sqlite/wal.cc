#include "sqlite/wal.h"

#include <cctype>
#include <cstring>
#include <ctime>

#include <sys/stat.h>

#include <sqlite3.h>

#include "sqlite/failure.h"

namespace sqlite {
namespace {

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr int kHeaderBytes = 100;
constexpr std::size_t kReadVersionAt = 19;
constexpr unsigned char kWalVersion = 2;
constexpr int kTickMs = 2;  // a clock tick takes 1 to 10
constexpr int kWaitsMax = 50;
constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

// Whether a file that is written from now on gets another time of change. The clock for that counts in ticks; on
// some file systems it counts in seconds.
bool is_past(const timespec& changed) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  const std::uint64_t then = nanoseconds(changed) + (changed.tv_nsec == 0 ? 2 * kSecond : 0);
  return then < nanoseconds(now) || then > nanoseconds(now) + 3 * kSecond;  // which somebody has set
}

bool exists(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0;
}

bool has_content(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && status.st_size > 0;
}

// Through SQLite, whose locks are those of the process: to close a descriptor of our own would give them up.
bool is_file_in_wal_mode(const std::string& path) {
  sqlite3* db = nullptr;
  const int access = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  const bool is_wal =
      sqlite3_open_v2(immutable_uri(path).c_str(), &db, access, nullptr) == SQLITE_OK && is_in_wal_mode(db);
  sqlite3_close(db);
  return is_wal;
}

}  // namespace

bool is_in_wal_mode(sqlite3* db) {
  sqlite3_file* file = nullptr;
  unsigned char header[kHeaderBytes] = {};
  return sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file &&
         file->pMethods && file->pMethods->xRead(file, header, kHeaderBytes, 0) == SQLITE_OK &&
         header[kReadVersionAt] == kWalVersion;
}

std::optional<FileVersion> version_at_rest(const std::string& path) {
  for (int wait = 0; wait < kWaitsMax; ++wait) {
    struct stat file = {};
    if (::stat(path.c_str(), &file) != 0 || has_content(path + "-wal")) return std::nullopt;
    if (is_past(file.st_mtim) && is_past(file.st_ctim)) {
      return FileVersion{file.st_dev, file.st_ino, static_cast<std::uint64_t>(file.st_size),
                         nanoseconds(file.st_mtim), nanoseconds(file.st_ctim)};
    }
    sqlite3_sleep(kTickMs);
  }
  return std::nullopt;
}

WalState wal_state(const std::string& path) {
  if (!is_file_in_wal_mode(path)) return {};
  if (const auto version = version_at_rest(path)) return {WalUse::at_rest, *version};
  if (has_content(path + "-wal") && !exists(path + "-shm")) {
    throw Failure(
        "what was written last to the database is in " + path + "-wal, and " + path +
        "-shm, by which to read it, is missing: open the database once with a program that may change it, "
        "such as sqlite3, or set read_only = false");
  }
  return {WalUse::in_use, {}};
}

std::string immutable_uri(const std::string& path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || std::strchr("/._-", c)) {
      uri += c;
    } else {
      uri += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return uri + "?immutable=1";
}

}  // namespace sqlite
