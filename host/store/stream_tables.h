// Streams as rows of a database: what is asked of them, between its begin() and commit().
#pragma once

#include "store/database.h"
#include "store/streams.h"

namespace collet::store {

class StreamTables {
 public:
  // Both are borrowed.
  StreamTables(Database& database, const WallClock& now) : database_(database), now_(now) {}

  Streams::Answer append(const StreamName& name, const std::string& bytes);
  Streams::Page read(const StreamName& name, std::uint64_t after, std::uint32_t events_max);

 private:
  struct Stream {
    std::uint64_t id = 0;  // 0: there is none
    std::uint64_t first = 1;
    std::uint64_t last = 0;
    std::uint64_t bytes = 0;
  };

  Stream find(const StreamName& name);
  Stream open(const StreamName& name);
  void keep_to_limits(Stream& stream);

  Database& database_;
  const WallClock& now_;

  Query find_{database_, "SELECT id, first, last, bytes FROM stream WHERE owner = ? AND name = ?"};
  Query count_{database_, "SELECT count(*) FROM stream WHERE owner = ?"};
  Query add_{database_, "INSERT INTO stream (owner, name) VALUES (?, ?)"};
  Query set_{database_, "UPDATE stream SET first = ?2, last = ?3, bytes = ?4 WHERE id = ?1"};
  Query append_{database_, "INSERT INTO event (stream, sequence, time_ms, bytes) VALUES (?, ?, ?, ?)"};
  Query oldest_{database_, "SELECT sequence, length(bytes) FROM event WHERE stream = ? ORDER BY sequence"};
  Query forget_{database_, "DELETE FROM event WHERE stream = ? AND sequence < ?"};
  Query read_{database_, "SELECT sequence, time_ms, bytes FROM event WHERE stream = ? AND sequence > ? ORDER BY sequence"};
};

}  // namespace collet::store
