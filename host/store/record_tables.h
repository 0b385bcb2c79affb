// Records as rows of a database: what is asked of them, between its begin() and commit().
//
// What has expired is not there for those who ask, and is freed by free_expired(): reading writes nothing. A put that finds its space full
// frees what has expired in there, for as long as that is needed.
#pragma once

#include "store/database.h"
#include "store/records.h"

namespace collet::store {

class RecordTables {
 public:
  // Both are borrowed.
  RecordTables(Database& database, const WallClock& now) : database_(database), now_(now) {}

  Records::Answer get(const std::string& space, const std::string& key);
  Records::Answer put(const std::string& space, const Records::Put& wanted);
  Records::Answer remove(const std::string& space, const std::string& key, Records::Expected expected);
  Records::Page list(const std::string& space, const Records::List& wanted);
  // Frees so much of what has expired by then, of all spaces together, what has ended first.
  void free_expired(std::uint64_t now_ms, std::size_t records_max);
  // As MemoryRecords has it.
  std::size_t count();

 private:
  struct Space {
    std::uint64_t id = 0;  // 0: nothing was ever put there
    std::uint64_t last_version = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
  };
  struct Record {
    std::uint64_t id = 0;  // 0: there is none
    std::uint64_t version = 0;
    std::uint64_t bytes = 0;  // of key and value
  };

  Space find_space(const std::string& name);
  Space open_space(const std::string& name);
  Record find(const Space& space, const std::string& key, std::uint64_t now_ms);
  bool make_room(Space& space, const std::string& name, const Record& before, std::uint64_t bytes, std::uint64_t now_ms);
  bool erase_all(Query::Rows found);
  void erase(std::uint64_t space, const Record& record);

  Database& database_;
  const WallClock& now_;

  Query find_space_{database_, "SELECT id, last_version, records, bytes FROM space WHERE name = ?"};
  Query add_space_{database_, "INSERT INTO space (name) VALUES (?)"};
  Query set_space_{database_, "UPDATE space SET last_version = ?2, records = ?3, bytes = ?4 WHERE id = ?1"};
  Query count_{database_, "SELECT sum(records) FROM space"};

  Query read_{database_, "SELECT version, value FROM record WHERE space = ? AND key = ? AND (ends_ms IS NULL OR ends_ms > ?)"};
  Query find_{database_,
              "SELECT id, version, length(key) + length(value), ends_ms IS NOT NULL AND ends_ms <= ?3 FROM record"
              " WHERE space = ?1 AND key = ?2"};
  Query write_{database_,
               "INSERT INTO record (space, key, version, ends_ms, value) VALUES (?, ?, ?, ?, ?)"
               " ON CONFLICT (space, key) DO UPDATE SET version = excluded.version, ends_ms = excluded.ends_ms, value = excluded.value"};
  Query erase_{database_, "DELETE FROM record WHERE id = ?"};
  Query take_from_space_{database_, "UPDATE space SET records = records - 1, bytes = bytes - ?2 WHERE id = ?1"};
  Query expired_{database_, "SELECT id, length(key) + length(value), space FROM record WHERE ends_ms <= ? ORDER BY ends_ms LIMIT ?"};
  Query expired_here_{database_, "SELECT id, length(key) + length(value), space FROM record WHERE ends_ms <= ? AND space = ?3 LIMIT ?2"};

  Query from_{database_, "SELECT key, version FROM record WHERE space = ? AND key >= ? AND (ends_ms IS NULL OR ends_ms > ?) ORDER BY key"};
  Query behind_{database_, "SELECT key, version FROM record WHERE space = ? AND key > ? AND (ends_ms IS NULL OR ends_ms > ?) ORDER BY key"};
};

}  // namespace collet::store
