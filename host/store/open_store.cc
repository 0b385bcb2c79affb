#include "store/open_store.h"

#include "store/memory_records.h"
#include "store/memory_streams.h"
#include "store/sqlite_store.h"

namespace collet::store {
namespace {

class MemoryStore final : public Store {
 public:
  Records& records() override { return records_; }
  Streams& streams() override { return streams_; }
  bool lasts() const override { return false; }

 private:
  MemoryRecords records_;
  MemoryStreams streams_;
};

}  // namespace

std::unique_ptr<Store> memory_store() { return std::make_unique<MemoryStore>(); }

Result<std::unique_ptr<Store>> open_store(const std::string& file) {
  if (file.empty()) return memory_store();
  auto opened = SqliteStore::open(file);
  if (!opened) return opened.failure();
  return std::unique_ptr<Store>(*std::move(opened));
}

}  // namespace collet::store
