// Reading a database in WAL mode without making the two files beside it that SQLite makes even to read, and that a
// reader who may not write leaves there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

struct sqlite3;

namespace sqlite {

enum class WalUse {
  none,     // the file is not in WAL mode, or there is no file
  at_rest,  // all that was written is in the file: it can be read alone for as long as its version is the same
  in_use,   // what was written last is beside it
};

// Differs between two states of one file, as the system tells them.
using FileVersion = std::array<std::uint64_t, 5>;

struct WalState {
  WalUse use = WalUse::none;
  FileVersion version = {};  // of a file at rest
};

// Of the file `path`. Throws Failure if what was written last can only be read by making a file. Any thread.
WalState wal_state(const std::string& path);

// The version of the file `path`, if nothing was written beside it. Takes some milliseconds if the file was written
// in this tick of the clock: it could be written again without another time of change. Any thread.
std::optional<FileVersion> version_at_rest(const std::string& path);

// Of the file that `db` has open.
bool is_in_wal_mode(sqlite3* db);

// The name by which SQLite opens `path` and makes no files, because nobody writes it meanwhile.
std::string immutable_uri(const std::string& path);

}  // namespace sqlite
