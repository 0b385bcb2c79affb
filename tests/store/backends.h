// What the cases of records and streams run against: memory, and a file. The time is the test's.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>

#include "store/memory_records.h"
#include "store/memory_streams.h"
#include "store/sqlite_store.h"
#include "support/catch.h"

namespace test {

// A folder of its own, until the end of the test.
class Folder {
 public:
  Folder() {
    std::string made = (std::filesystem::temp_directory_path() / "collet-store-XXXXXX").string();
    REQUIRE(mkdtemp(made.data()));
    path_ = made;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string file() const { return path_ / "store.db"; }

 private:
  std::filesystem::path path_;
};

struct InMemory {
  explicit InMemory(const std::uint64_t& now_ms) : records([&] { return now_ms; }), streams([&] { return now_ms; }) {}
  std::size_t count() { return records.count(); }

  collet::store::MemoryRecords records;
  collet::store::MemoryStreams streams;
};

inline std::unique_ptr<collet::store::SqliteStore> opened(const std::string& file, collet::store::WallClock now = collet::wall_ms) {
  auto store = collet::store::SqliteStore::open(file, std::move(now));
  INFO((store ? "" : store.message()));
  REQUIRE(store.ok());
  return *std::move(store);
}

struct InFile {
  explicit InFile(const std::uint64_t& now_ms) : store(opened(folder.file(), [&] { return now_ms; })) {}
  std::size_t count() { return store->count(); }

  Folder folder;
  std::unique_ptr<collet::store::SqliteStore> store;
  collet::store::Records& records = *store;
  collet::store::Streams& streams = *store;
};

// What `ask` is told by the callback that it is given.
template <class Answer, class Ask>
Answer told(Ask&& ask) {
  std::promise<Answer> promise;
  ask([&](Answer answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

}  // namespace test
