// The tables of the file, as a way from each version to the next. What stands here was run on somebody's file: it is added to, and never
// changed.
#pragma once

namespace collet::store {

inline constexpr const char* kMigrations[] = {
    // 1. Keys, values, names and events are bytes. What is large stands last in its row, so that the rest is read without it.
    R"(
CREATE TABLE space (
  id INTEGER PRIMARY KEY,
  name BLOB NOT NULL UNIQUE,
  last_version INTEGER NOT NULL DEFAULT 0,
  records INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,
  key BLOB NOT NULL,
  version INTEGER NOT NULL,
  ends_ms INTEGER,
  value BLOB NOT NULL,
  UNIQUE (space, key)
);
CREATE INDEX record_end ON record (ends_ms, space) WHERE ends_ms IS NOT NULL;
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  owner BLOB NOT NULL,
  name BLOB NOT NULL,
  first INTEGER NOT NULL DEFAULT 1,
  last INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  UNIQUE (owner, name)
);
CREATE TABLE event (
  stream INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (stream, sequence)
) WITHOUT ROWID;
)",
};

}  // namespace collet::store
