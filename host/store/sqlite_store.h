// Records and streams in one SQLite file, which outlives this process, however it ends.
//
// One thread of its own does what is asked, reads too, in the order in which it was asked. What waits meanwhile is one transaction: those who
// asked are answered once it is on the disk. So an answer is durable, and nobody reads what may still be lost. Where a transaction fails,
// it is rolled back and each of its questions is tried alone, so that none fails for another one's sake. When something is to be committed
// and the file was deleted or replaced, that and all that is asked later fails.
//
// What has expired is freed after what has written something, in a transaction of its own: no question fails for its sake.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/clock.h"
#include "store/open_store.h"
#include "store/record_tables.h"
#include "store/stream_tables.h"
#include "store/watchers.h"

namespace collet::store {

class SqliteStore final : public Store, public Records, public Streams {
 public:
  // A missing file is made; the folder must be there. Waits for a moment if another process has it open.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& file, WallClock now = wall_ms);
  // All that was asked is done and answered when it has returned.
  ~SqliteStore() override;

  Records& records() override { return *this; }
  Streams& streams() override { return *this; }
  bool lasts() const override { return true; }

  void get(const std::string& space, const std::string& key, Answered then) override;
  void put(const std::string& space, Put put, Answered then) override;
  void remove(const std::string& space, const std::string& key, Expected expected, Answered then) override;
  void list(const std::string& space, const List& list, Listed then) override;

  void append(const StreamName& name, std::string bytes, Appended then) override;
  void read(const StreamName& name, std::uint64_t after, std::uint32_t events_max, Read then) override;
  std::uint64_t watch(const StreamName& name, std::function<void()> appended) override { return watchers_.watch(name, std::move(appended)); }
  void unwatch(const StreamName& name, std::uint64_t watch) override { watchers_.unwatch(name, watch); }

  // As MemoryRecords has it. Waits for the answer.
  std::size_t count();

 private:
  struct Tables {
    Tables(Database& database, const WallClock& now) : records(database, now), streams(database, now) {}
    RecordTables records;
    StreamTables streams;
  };
  // What somebody asks.
  class Question {
   public:
    virtual ~Question() = default;
    // Within a transaction, and again in another one if that has failed.
    virtual void run(Tables& tables) = 0;
    virtual void fail() = 0;
    virtual void answer() = 0;
    std::size_t bytes = 0;  // that it writes
  };
  template <class Told, class Work>
  class Asked;
  using Questions = std::vector<std::unique_ptr<Question>>;

  SqliteStore(std::string file, WallClock now, std::unique_ptr<Database> database);
  template <class Told, class Work>
  void ask(std::size_t bytes, Work work, Callback<void(Told)> then);

  // Thread of the store.
  void work();
  bool take();
  void carry_out();
  bool attempt(std::span<const std::unique_ptr<Question>> questions);
  void answer(Question& question);
  void free_expired(std::uint64_t now_ms, std::size_t records_max);
  template <class Work>
  bool transact(Work&& steps);
  void note_failure(const char* what, std::uint64_t& quiet_until_ms);

  const std::string file_;
  const WallClock now_;
  const std::unique_ptr<Database> database_;
  // Thread of the store.
  Tables tables_{*database_, now_};
  Questions taken_;                               // with room for as many as one transaction answers
  const DatabaseFailure no_memory_{"no memory"};  // made while there is some
  DatabaseFailure failure_{""};                   // of the last transaction that has failed
  std::uint64_t quiet_until_ms_ = 0;              // of note_failure(), for what is asked
  std::uint64_t unfreed_until_ms_ = 0;            // likewise, for what has expired; until then nothing is freed

  Watchers watchers_;

  std::mutex mutex_;  // guards both below
  std::condition_variable asked_;
  std::deque<std::unique_ptr<Question>> waiting_;  // as much as those who ask may have unanswered
  bool ending_ = false;

  std::thread thread_;  // the last: it uses all of this
};

}  // namespace collet::store
