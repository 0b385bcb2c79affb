// A process that keeps records and events, and is killed at any moment: what it was told is done must be there.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "store/backends.h"

using namespace collet::store;
using test::Folder;
using test::opened;
using test::told;

extern char** environ;

namespace {

constexpr int kTellDescriptor = 3;  // where the child tells what is done
constexpr const char* kFileVariable = "COLLET_CRASH_FILE";
constexpr unsigned kKeys = 50;
constexpr unsigned kUnanswered = 64;

// The child: puts and removes records and appends events, always some at a time, until it is killed. It tells each answer in a line:
// "put KEY VERSION", "removed KEY VERSION", "event SEQUENCE"; and before it asks for a removal "removing KEY".
class Busy {
 public:
  explicit Busy(const char* file) : store_(opened(file)) {}

  void go_on() {
    for (unsigned i = 0;; ++i) {
      const std::string key = "k" + std::to_string(i % kKeys);
      start();
      if (i % 7 == 3) {
        store_->append({"p", "s"}, std::string(i % 300, 'e'), [this](Streams::Answer answer) {
          end("event " + std::to_string(answer.sequence), answer.status == Streams::Status::done);
        });
      } else if (i % 11 == 5) {
        tell("removing " + key);
        store_->remove("p", key, {}, [this, key](Records::Answer answer) {
          end("removed " + key + " " + std::to_string(answer.version), answer.status == Records::Status::done);
        });
      } else {
        const std::string value = key + ":" + std::string(i % 5'000, 'v');
        store_->put("p", {key, value}, [this, key](Records::Answer answer) {
          end("put " + key + " " + std::to_string(answer.version), answer.status == Records::Status::done);
        });
      }
    }
  }

 private:
  void start() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return unanswered_ < kUnanswered; });
    ++unanswered_;
  }
  static void tell(const std::string& what) {
    const std::string line = what + '\n';
    if (write(kTellDescriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(1);
  }
  void end(const std::string& line, bool done) {
    if (!done) _exit(1);
    tell(line);
    const std::lock_guard lock(mutex_);
    --unanswered_;
    room_.notify_one();
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable room_;
  unsigned unanswered_ = 0;
  std::unique_ptr<SqliteStore> store_;
};

// The child with its end of the pipe; killed at the latest by the destructor.
class Child {
 public:
  Child(const std::string& file, std::string test) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], kTellDescriptor);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    setenv(kFileVariable, file.c_str(), 1);
    char name[] = "test_store";
    char* arguments[] = {name, test.data(), nullptr};
    REQUIRE(posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments, environ) == 0);
    unsetenv(kFileVariable);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    out_ = ends[0];
  }
  ~Child() {
    kill_it();
    close(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // What it has told when it was killed, which is after it has told so many bytes, or had ended.
  std::string told_until_killed(std::size_t bytes) {
    std::string told;
    char buffer[4'096];
    for (ssize_t size = 1; size > 0;) {
      if (told.size() >= bytes) kill_it();
      size = ::read(out_, buffer, sizeof buffer);
      if (size > 0) told.append(buffer, static_cast<std::size_t>(size));
    }
    return told.substr(0, told.rfind('\n') + 1);
  }

 private:
  void kill_it() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    CHECK(waitpid(pid_, nullptr, 0) == pid_);
    pid_ = -1;
  }

  pid_t pid_ = -1;
  int out_ = -1;
};

// What must be there, by what was told, and by what was there in an earlier round.
struct Promised {
  struct Last {
    std::uint64_t version = 0;  // the newest that it had
    bool is_there = false;
    unsigned removals = 0;  // that were asked for in this round, and not answered
  };
  std::map<std::string, Last> records;
  std::uint64_t sequence = 0;

  void add(const std::string& lines) {
    std::istringstream in(lines);
    for (std::string what, key; in >> what;) {
      if (what == "event") {
        in >> sequence;
        continue;
      }
      in >> key;
      Last& last = records[key];
      if (what == "removing") {
        ++last.removals;
        continue;
      }
      std::uint64_t version = 0;
      in >> version;
      if (what == "removed") --last.removals;
      last = {std::max(last.version, version), what == "put", last.removals};
    }
  }
};

Records::Answer get(SqliteStore& store, const std::string& key) {
  return told<Records::Answer>([&](Records::Answered then) { store.get("p", key, std::move(then)); });
}

// Whatever was not answered may be done as well: a newer record is as good, and so is none if its removal was asked for.
bool is_kept(const std::string& key, const Records::Answer& there, const Promised::Last& last) {
  if (there.value && !there.value->starts_with(key + ":")) return false;
  if (there.version == 0) return !last.is_there || last.removals > 0;
  return last.is_there ? there.version >= last.version : there.version > last.version;
}

// No record may ever have had it before.
std::uint64_t newest_version(SqliteStore& store) {
  return told<Records::Answer>([&](Records::Answered then) { store.put("p", {"newest", "newest:"}, std::move(then)); }).version;
}

std::string integrity(const std::string& file) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &connection) == SQLITE_OK);
  std::string told;
  const auto note = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += values[0];
    return 0;
  };
  sqlite3_exec(connection, "PRAGMA integrity_check", note, &told, nullptr);
  sqlite3_close(connection);
  return told;
}

}  // namespace

TEST_CASE("puts until it is killed", "[.busy-until-killed]") {
  const char* file = std::getenv(kFileVariable);
  if (!file) return;
  Busy(file).go_on();
}

TEST_CASE("says whether it opens the file", "[.opens]") {
  const char* file = std::getenv(kFileVariable);
  if (!file) return;
  const auto store = SqliteStore::open(file);
  const std::string told = store ? "opened\n" : store.message() + "\n";
  CHECK(write(kTellDescriptor, told.data(), told.size()) == static_cast<ssize_t>(told.size()));
}

TEST_CASE("a file that something else in the process has opened and closed is not free for another process") {
  const Folder folder;
  const auto says = [&] { return Child(folder.file(), "[.opens]").told_until_killed(std::string::npos); };
  {
    const auto store = opened(folder.file());
    close(open(folder.file().c_str(), O_RDONLY));
    CHECK(says() == "cannot open the store " + folder.file() + ": another process has it open\n");
  }
  CHECK(says() == "opened\n");
}

TEST_CASE("what was answered is there after the process was killed, whenever that is") {
  const char* wanted = std::getenv("COLLET_CRASH_ROUNDS");
  const unsigned rounds = wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 50;
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::unique_ptr<Folder> folder;
  Promised promised;
  unsigned told = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    INFO("round " << round);
    if (round % 10 == 0) {  // each file is killed at ten times
      folder = std::make_unique<Folder>();
      promised = {};
    }
    {
      Child child(folder->file(), "[.busy-until-killed]");
      const std::string lines = child.told_until_killed(random() % (round % 5 == 0 ? 100 : 60'000));
      told += !lines.empty();
      promised.add(lines);
    }
    {
      const auto store = opened(folder->file());
      const std::uint64_t newest = newest_version(*store);
      for (unsigned i = 0; i < kKeys; ++i) {
        const std::string key = "k" + std::to_string(i);
        Promised::Last& last = promised.records[key];
        INFO(key << " " << last.version << (last.is_there ? " put" : " removed"));
        const Records::Answer there = get(*store, key);
        REQUIRE(is_kept(key, there, last));
        last = {std::max(last.version, there.version), there.version != 0};
        REQUIRE(newest > last.version);
      }
      const auto page =
          test::told<Streams::Page>([&](Streams::Read then) { store->read({"p", "s"}, Streams::kNewest, 0, std::move(then)); });
      REQUIRE(page.last >= promised.sequence);
      promised.sequence = page.last;
    }
    REQUIRE(integrity(folder->file()) == "ok");
  }
  CHECK(told > rounds / 2);
}
