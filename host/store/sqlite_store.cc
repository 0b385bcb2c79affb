#include "store/sqlite_store.h"

#include <sys/prctl.h>

#include <future>
#include <new>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "store/migrations.h"

namespace collet::store {

template <class Told, class Work>
class SqliteStore::Asked final : public Question {
 public:
  Asked(Work work, Callback<void(Told)> then) : work_(std::move(work)), then_(std::move(then)) {}

  void run(Tables& tables) override { answer_ = work_(tables); }
  void fail() override {
    answer_ = {};
    answer_.status = decltype(answer_.status)::failed;
  }
  void answer() override { then_(std::move(answer_)); }

 private:
  Work work_;
  Callback<void(Told)> then_;
  Told answer_;
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& file, WallClock now) {
  auto database = Database::open(file, kMigrations);
  if (!database) return database.failure();
  try {
    return std::unique_ptr<SqliteStore>(new SqliteStore(file, std::move(now), *std::move(database)));
  } catch (const DatabaseFailure& failure) {
    return error("cannot open the store {}: {}", file, failure.what());
  }
}

SqliteStore::SqliteStore(std::string file, WallClock now, std::unique_ptr<Database> database)
    : file_(std::move(file)), now_(std::move(now)), database_(std::move(database)) {
  taken_.reserve(limits::kStoreGroupMax);
  thread_ = std::thread([this] { work(); });
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  asked_.notify_one();
  thread_.join();
}

// ---- What is asked

template <class Told, class Work>
void SqliteStore::ask(std::size_t bytes, Work work, Callback<void(Told)> then) {
  auto question = std::make_unique<Asked<Told, Work>>(std::move(work), std::move(then));
  question->bytes = bytes;
  bool was_idle;
  {
    const std::lock_guard lock(mutex_);
    was_idle = waiting_.empty();
    waiting_.push_back(std::move(question));
  }
  if (was_idle) asked_.notify_one();
}

void SqliteStore::get(const std::string& space, const std::string& key, Answered then) {
  ask(0, [space, key](Tables& tables) { return tables.records.get(space, key); }, std::move(then));
}

void SqliteStore::put(const std::string& space, Put put, Answered then) {
  const std::size_t bytes = put.key.size() + put.value.size();
  ask(bytes, [space, put = std::move(put)](Tables& tables) { return tables.records.put(space, put); }, std::move(then));
}

void SqliteStore::remove(const std::string& space, const std::string& key, Expected expected, Answered then) {
  ask(0, [space, key, expected](Tables& tables) { return tables.records.remove(space, key, expected); }, std::move(then));
}

void SqliteStore::list(const std::string& space, const List& list, Listed then) {
  ask(0, [space, list](Tables& tables) { return tables.records.list(space, list); }, std::move(then));
}

void SqliteStore::append(const StreamName& name, std::string bytes, Appended then) {
  const std::size_t size = bytes.size();
  ask<Streams::Answer>(
      size, [name, bytes = std::move(bytes)](Tables& tables) { return tables.streams.append(name, bytes); },
      [this, name, then = std::move(then)](Streams::Answer answer) mutable {
        then(answer);
        if (answer.status == Streams::Status::done) watchers_.tell(name);
      });
}

void SqliteStore::read(const StreamName& name, std::uint64_t after, std::uint32_t events_max, Read then) {
  ask(0, [name, after, events_max](Tables& tables) { return tables.streams.read(name, after, events_max); }, std::move(then));
}

std::size_t SqliteStore::count() {
  struct Count {
    Records::Status status = Records::Status::done;
    std::size_t records = 0;
  };
  std::promise<std::size_t> counted;
  ask<Count>(
      0, [](Tables& tables) { return Count{.records = tables.records.count()}; },
      [&](Count count) { counted.set_value(count.records); });
  return counted.get_future().get();
}

// ---- Thread of the store

void SqliteStore::work() {
  prctl(PR_SET_NAME, "store");
  while (take()) {
    const std::int64_t changes = database_->changes();
    const std::size_t questions = taken_.size();
    carry_out();
    const std::uint64_t now_ms = now_();  // as those who asked have it, who go on when they are answered
    for (const auto& question : taken_) answer(*question);
    taken_.clear();
    // More than the questions may have put, so that it becomes less.
    if (database_->changes() != changes) free_expired(now_ms, limits::kRecordsFreedAtOnce + questions);
  }
}

// Takes what waits, as much as one transaction may have. False: it is the end.
bool SqliteStore::take() {
  std::unique_lock lock(mutex_);
  asked_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
  std::size_t bytes = 0;
  while (!waiting_.empty() && taken_.size() < limits::kStoreGroupMax && bytes < limits::kStoreGroupBytesMax) {
    bytes += waiting_.front()->bytes;
    taken_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return !taken_.empty();
}

void SqliteStore::carry_out() {
  if (attempt(taken_)) return;
  for (const auto& question : taken_) {
    if (attempt({&question, 1})) continue;
    question->fail();
    note_failure("has failed", quiet_until_ms_);
  }
}

bool SqliteStore::attempt(std::span<const std::unique_ptr<Question>> questions) {
  return transact([&] {
    for (const auto& question : questions) question->run(tables_);
  });
}

// Who is called answers for its own memory: the others must be answered.
void SqliteStore::answer(Question& question) {
  try {
    question.answer();
  } catch (const std::bad_alloc&) {
    failure_ = no_memory_;
    note_failure("could not tell an answer", quiet_until_ms_);
  }
}

void SqliteStore::free_expired(std::uint64_t now_ms, std::size_t records_max) {
  if (monotonic_ms() < unfreed_until_ms_) return;
  const bool is_done = transact([&] { tables_.records.free_expired(now_ms, records_max); });
  if (!is_done) note_failure("cannot free what has expired", unfreed_until_ms_);
}

// False: it is rolled back, and failure_ says why.
template <class Work>
bool SqliteStore::transact(Work&& steps) {
  try {
    database_->begin();
    steps();
    database_->commit();
    return true;
  } catch (const DatabaseFailure& failure) {
    failure_ = failure;
  } catch (const std::bad_alloc&) {
    failure_ = no_memory_;
  }
  database_->roll_back();
  return false;
}

// Once in a while: some of what is asked may fail, and the rest be done.
void SqliteStore::note_failure(const char* what, std::uint64_t& quiet_until_ms) {
  const std::uint64_t now_ms = monotonic_ms();
  if (now_ms < quiet_until_ms) return;
  quiet_until_ms = now_ms + limits::kStoreFailureMs;
  try {
    log::error("the store {} {}: {}", file_, what, failure_.what());
  } catch (const std::bad_alloc&) {  // the next one is said
    quiet_until_ms = 0;
  }
}

}  // namespace collet::store
