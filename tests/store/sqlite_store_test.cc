#include "store/sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/limits.h"
#include "base/log.h"
#include "store/backends.h"
#include "store/migrations.h"

using namespace collet;
using namespace collet::store;
using test::Folder;
using test::opened;
using test::told;

using Status = Records::Status;

namespace {

Records::Answer put_one(Records& records, const std::string& key, std::string value, std::uint64_t ttl_ms = 0,
                        Records::Expected expected = {}) {
  return told<Records::Answer>(
      [&](Records::Answered then) { records.put("p", {key, std::move(value), expected, ttl_ms}, std::move(then)); });
}
Records::Answer remove_one(Records& records, const std::string& key) {
  return told<Records::Answer>([&](Records::Answered then) { records.remove("p", key, {}, std::move(then)); });
}
Records::Page list_all(Records& records) {
  return told<Records::Page>([&](Records::Listed then) { records.list("p", {}, std::move(then)); });
}
std::string text_of(Records& records, const std::string& key) {
  const auto answer = told<Records::Answer>([&](Records::Answered then) { records.get("p", key, std::move(then)); });
  if (answer.status != Status::done) return "failed";
  return answer.value ? *answer.value : "none";
}
Streams::Answer append_one(Streams& streams, std::string bytes) {
  return told<Streams::Answer>([&](Streams::Appended then) { streams.append({"p", "s"}, std::move(bytes), std::move(then)); });
}
Streams::Page read_all(Streams& streams) {
  return told<Streams::Page>([&](Streams::Read then) { streams.read({"p", "s"}, 0, 0, std::move(then)); });
}

// Why a file cannot be opened, without what every message begins with.
std::string refusal(const std::string& file) {
  const auto store = SqliteStore::open(file);
  if (store) return "opened";
  const std::string begin = "cannot open the store " + file + ": ";
  CHECK_THAT(store.message(), Catch::StartsWith(begin));
  return store.message().substr(begin.size());
}

void set_mode(const std::string& file, unsigned mode) { std::filesystem::permissions(file, std::filesystem::perms(mode)); }

// A file for its owner alone, with that text.
void make_file(const std::string& file, const std::string& text) {
  std::ofstream(file) << text;
  set_mode(file, 0600);
}

// What somebody else does to the file while nobody has it open.
void change(const std::string& file, const char* sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &connection) == SQLITE_OK);
  CHECK(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(connection);
  set_mode(file, 0600);
}

void overwrite(const std::string& file, std::streamoff from, std::size_t bytes) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(from) << std::string(bytes, '\x5a');
}

// Without the rights of root, where the test has them; the file is the user's then.
class NoRoot {
 public:
  explicit NoRoot(std::string file) : file_(std::move(file)), is_root_(geteuid() == 0) {
    if (!is_root_) return;
    CHECK(chown(file_.c_str(), 65534, 65534) == 0);
    CHECK(seteuid(65534) == 0);
  }
  ~NoRoot() {
    if (!is_root_) return;
    CHECK(seteuid(0) == 0);
    CHECK(chown(file_.c_str(), 0, 0) == 0);
  }
  NoRoot(const NoRoot&) = delete;
  NoRoot& operator=(const NoRoot&) = delete;

 private:
  const std::string file_;
  const bool is_root_;
};

// Nothing can be written to a file as long as it lives, as on a disk that is full.
class NoWrites {
 public:
  NoWrites() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
  }
  ~NoWrites() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoWrites(const NoWrites&) = delete;
  NoWrites& operator=(const NoWrites&) = delete;

 private:
  void (*const handler_)(int);
  rlimit before_{};
};

// A file system of that many bytes in the folder, if one can be had.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder, const char* options)
      : folder_(std::move(folder)), is_there_(mount("collet", folder_.c_str(), "tmpfs", 0, options) == 0) {}
  ~SmallDisk() {
    if (is_there_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_there() const { return is_there_; }

 private:
  const std::string folder_;
  const bool is_there_;
};

// The log has errors that belong to the test.
class QuietLog {
 public:
  QuietLog() { log::configure(log::Level::off, log::Format::text); }
  ~QuietLog() { log::configure(log::Level::info, log::Format::text); }
};

}  // namespace

TEST_CASE("what was put is there when the file is opened again, with its version and its end") {
  const Folder folder;
  std::uint64_t now_ms = 1'000'000;
  std::uint64_t version = 0;
  {
    const auto store = opened(folder.file(), [&] { return now_ms; });
    put_one(*store, "removed", "0");
    version = put_one(*store, "a", std::string("1\0002", 3)).version;
    put_one(*store, "ends", "3", 100);
    store->remove("p", "removed", {}, [](Records::Answer) {});
    append_one(*store, "x");
    append_one(*store, "y");
  }
  now_ms += 100;
  const auto store = opened(folder.file(), [&] { return now_ms; });
  CHECK(text_of(*store, "a") == std::string("1\0002", 3));
  CHECK(text_of(*store, "ends") == "none");
  CHECK(text_of(*store, "removed") == "none");
  CHECK(put_one(*store, "a", "2").version > version);
  CHECK(read_all(*store).events.size() == 2);
  CHECK(append_one(*store, "z").sequence == 3);
}

TEST_CASE("a version is not given again when the file is opened again, though its record was the newest and is gone") {
  const Folder folder;
  std::uint64_t version = 0;
  {
    const auto store = opened(folder.file());
    version = put_one(*store, "a", "1").version;
    store->remove("p", "a", {}, [](Records::Answer) {});
  }
  CHECK(put_one(*opened(folder.file()), "b", "1").version > version);
}

TEST_CASE("what was asked before the end is done and answered") {
  const Folder folder;
  constexpr unsigned kMany = 3 * limits::kStoreGroupMax;
  unsigned answered = 0;
  {
    const auto store = opened(folder.file());
    const auto count = [&](Records::Answer answer) { answered += answer.status == Status::done; };
    for (unsigned i = 0; i < kMany; ++i) store->put("p", {std::to_string(i), "v"}, count);
  }
  CHECK(answered == kMany);
  CHECK(opened(folder.file())->count() == kMany);
}

TEST_CASE("what one thread asks is answered in that order") {
  const Folder folder;
  std::vector<unsigned> order;
  {
    const auto store = opened(folder.file());
    for (unsigned i = 0; i < 1'000; ++i) {
      if (i % 3 == 0) store->get("p", "k", [&, i](Records::Answer) { order.push_back(i); });
      if (i % 3 == 1) store->put("p", {"k", "v"}, [&, i](Records::Answer) { order.push_back(i); });
      if (i % 3 == 2) store->append({"p", "s"}, "e", [&, i](Streams::Answer) { order.push_back(i); });
    }
  }
  CHECK(order.size() == 1'000);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("the file, and what is beside it, is for its owner alone") {
  const Folder folder;
  const mode_t before = umask(0);
  const auto store = opened(folder.file());
  put_one(*store, "a", "1");
  umask(before);
  unsigned files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++files;
    CHECK((entry.status().permissions() & std::filesystem::perms::mask) == std::filesystem::perms(0600));
  }
  CHECK(files == 2);
}

TEST_CASE("a file of a newer Collet is refused, and stays as it is") {
  const Folder folder;
  put_one(*opened(folder.file()), "a", "1");
  change(folder.file(), "PRAGMA user_version = 1000");
  const std::string known = std::to_string(std::size(kMigrations));
  CHECK(refusal(folder.file()) ==
        "a newer Collet has written it: its tables are of version 1000, and this one knows versions up to " + known);
  change(folder.file(), ("PRAGMA user_version = " + known).c_str());
  CHECK(text_of(*opened(folder.file()), "a") == "1");
}

TEST_CASE("an older file is brought up to date, step by step, and what fails leaves it as it was") {
  const Folder folder;
  const char* const first[] = {"CREATE TABLE a (x)"};
  const char* const both[] = {"CREATE TABLE a (x)", "ALTER TABLE a RENAME TO b"};
  const char* const wrong[] = {"CREATE TABLE a (x)", "ALTER TABLE a RENAME TO c; nonsense"};
  CHECK(Database::open(folder.file(), first).ok());
  CHECK_FALSE(Database::open(folder.file(), wrong).ok());
  CHECK(Database::open(folder.file(), both).ok());
  CHECK(Database::open(folder.file(), both).ok());
  CHECK_FALSE(Database::open(folder.file(), first).ok());
  change(folder.file(), "SELECT x FROM b");
}

TEST_CASE("a database of another program is refused, and not written to") {
  const Folder folder;
  change(folder.file(), "CREATE TABLE precious (x)");
  std::ifstream in(folder.file(), std::ios::binary);
  const std::string before(std::istreambuf_iterator<char>(in), {});
  CHECK(refusal(folder.file()) == "it is a database of another program");
  std::ifstream again(folder.file(), std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(again), {}) == before);
}

TEST_CASE("a file that is no database is refused") {
  const Folder folder;
  make_file(folder.file(), std::string(10'000, 'x'));
  CHECK(refusal(folder.file()) == "it is no SQLite database, or a damaged one");
}

TEST_CASE("a file that is damaged at its beginning is refused") {
  const Folder folder;
  put_one(*opened(folder.file()), "a", "1");
  overwrite(folder.file(), 0, 100);
  CHECK(refusal(folder.file()) == "it is no SQLite database, or a damaged one");
}

TEST_CASE("what is read of a page that is damaged has failed, and the rest is there") {
  const Folder folder;
  const QuietLog quiet;
  {
    const auto store = opened(folder.file());
    append_one(*store, "x");
    for (unsigned i = 0; i < 200; ++i) put_one(*store, std::to_string(1'000 + i), std::string(3'000, 'v'));
  }
  const std::streamoff size = static_cast<std::streamoff>(std::filesystem::file_size(folder.file()));
  overwrite(folder.file(), size / 2 / 4'096 * 4'096, 10 * 4'096);
  const auto store = opened(folder.file());
  unsigned failed = 0;
  for (unsigned i = 0; i < 200; ++i) failed += text_of(*store, std::to_string(1'000 + i)) == "failed";
  CHECK(failed > 0);
  CHECK(failed < 200);
  CHECK(read_all(*store).events.size() == 1);
}

TEST_CASE("a record that has expired, and is damaged, is not freed, and the rest is there") {
  const Folder folder;
  const QuietLog quiet;
  std::uint64_t now_ms = 1'000'000;
  const auto open = [&] { return opened(folder.file(), [&] { return now_ms; }); };
  {
    const auto store = open();
    put_one(*store, "a", "1");
    append_one(*store, "x");
    put_one(*store, "ends", std::string(50 * 4'096, 'v'), 100);
  }
  const std::streamoff size = static_cast<std::streamoff>(std::filesystem::file_size(folder.file()));
  overwrite(folder.file(), size / 2 / 4'096 * 4'096, 10 * 4'096);
  now_ms += 100;
  const auto store = open();
  CHECK(text_of(*store, "a") == "1");
  CHECK(put_one(*store, "b", "2").status == Status::done);
  CHECK(text_of(*store, "b") == "2");
  CHECK(text_of(*store, "ends") == "none");
  CHECK(list_all(*store).keys.size() == 2);
  CHECK(read_all(*store).events.size() == 1);
  CHECK(store->count() == 3);
  CHECK(put_one(*store, "ends", "3").status == Status::failed);
  CHECK(text_of(*store, "a") == "1");
}

TEST_CASE("an empty file is as good as none") {
  const Folder folder;
  make_file(folder.file(), "");
  CHECK(put_one(*opened(folder.file()), "a", "1").status == Status::done);
}

TEST_CASE("a folder that is not there is named") {
  const Folder folder;
  CHECK(refusal(folder.path() / "none" / "store.db") == "No such file or directory");
  CHECK(refusal(folder.path()) == "Is a directory");
}

TEST_CASE("a file that may only be read is refused, as is a folder") {
  const Folder folder;
  put_one(*opened(folder.file()), "a", "1");
  set_mode(folder.path(), 0777);
  set_mode(folder.file(), 0400);
  {
    const NoRoot no_root(folder.file());
    CHECK(refusal(folder.file()) == "Permission denied");
  }
  set_mode(folder.file(), 0600);
  set_mode(folder.path(), 0555);
  {
    const NoRoot no_root(folder.file());
    CHECK(refusal(folder.file()) == "its folder cannot be written");
    CHECK(refusal(folder.path() / "other.db") == "Permission denied");
  }
  set_mode(folder.path(), 0700);
  CHECK(text_of(*opened(folder.file()), "a") == "1");
}

TEST_CASE("a file that others than its owner can read or write is refused, as is what is beside it") {
  const Folder folder;
  const std::string log = folder.file() + "-wal";
  put_one(*opened(folder.file()), "a", "1");
  make_file(log, "");
  for (const unsigned mode : {0640, 0620, 0604, 0602}) {
    set_mode(folder.file(), mode);
    CHECK(refusal(folder.file()) == "it can be read or written by others than its owner: chmod 600 " + folder.file());
    set_mode(folder.file(), 0600);
    set_mode(log, mode);
    CHECK(refusal(folder.file()) == "the file beside it (-wal) can be read or written by others than its owner: chmod 600 " + log);
    set_mode(log, 0600);
  }
  CHECK(text_of(*opened(folder.file()), "a") == "1");
}

TEST_CASE("a file of another user is refused, as is what is beside it") {
  if (geteuid() != 0) {
    WARN("skipped: only root can give a file to another user");
    return;
  }
  const Folder folder;
  const std::string log = folder.file() + "-wal";
  put_one(*opened(folder.file()), "a", "1");
  make_file(log, "");
  for (const std::string& file : {folder.file(), log}) {
    CHECK(chown(file.c_str(), 65534, 65534) == 0);
    CHECK(refusal(folder.file()) == (file == log ? "the file beside it (-wal) is another user's" : "it is another user's"));
    CHECK(chown(file.c_str(), 0, 0) == 0);
  }
  CHECK(text_of(*opened(folder.file()), "a") == "1");
}

TEST_CASE("a file that is open is not opened a second time, and is when it is closed") {
  const Folder folder;
  auto store = opened(folder.file());
  CHECK(refusal(folder.file()) == "another process has it open");
  CHECK(put_one(*store, "a", "1").status == Status::done);
  store = nullptr;
  CHECK(text_of(*opened(folder.file()), "a") == "1");
}

TEST_CASE("of many that open a new file at once one gets it, and the others are told") {
  const Folder folder;
  std::atomic<unsigned> got = 0, told_so = 0;
  std::barrier all_tried(8);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto store = SqliteStore::open(folder.file());
      got += store.ok();
      told_so += !store.ok() && store.message().ends_with("another process has it open");
      all_tried.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(got == 1);
  CHECK(told_so == 7);
}

TEST_CASE("a file that was deleted or replaced keeps nothing, and says so") {
  const QuietLog quiet;
  for (const char* gone : {"", "-wal"}) {
    const Folder folder;
    const auto store = opened(folder.file());
    CHECK(put_one(*store, "a", "1").status == Status::done);
    std::filesystem::remove(folder.file() + gone);
    CHECK(put_one(*store, "b", "1").status == Status::failed);
    std::ofstream(folder.file() + gone).flush();
    CHECK(put_one(*store, "c", "1").status == Status::failed);
    CHECK(append_one(*store, "c").status == Streams::Status::failed);
  }
}

TEST_CASE("what was refused as the file was deleted is not done") {
  const QuietLog quiet;
  for (const std::string what : {"put", "remove", "append"}) {
    INFO(what);
    const Folder folder;
    const std::string kept = folder.path() / "kept";
    {
      const auto store = opened(folder.file());
      const std::uint64_t version = put_one(*store, "a", "1").version;
      std::filesystem::create_hard_link(folder.file(), kept);
      std::filesystem::remove(folder.file());
      if (what == "put") CHECK(put_one(*store, "a", "2", 0, version).status == Status::failed);
      if (what == "remove") CHECK(remove_one(*store, "a").status == Status::failed);
      if (what == "append") CHECK(append_one(*store, "x").status == Streams::Status::failed);
      CHECK(text_of(*store, "a") == "failed");
    }
    std::filesystem::rename(kept, folder.file());
    const auto store = opened(folder.file());
    CHECK(text_of(*store, "a") == "1");
    CHECK(read_all(*store).last == 0);
  }
}

TEST_CASE("where nothing can be written the file is opened, and what is there is read, though some has expired") {
  const Folder folder;
  const QuietLog quiet;
  std::uint64_t now_ms = 1'000'000;
  const auto open = [&] { return opened(folder.file(), [&] { return now_ms; }); };
  {
    const auto store = open();
    put_one(*store, "a", "1");
    put_one(*store, "ends", "2", 100);
    append_one(*store, "x");
  }
  now_ms += 100;
  std::unique_ptr<SqliteStore> store;
  {
    const NoWrites no_writes;
    store = open();
    CHECK(text_of(*store, "a") == "1");
    CHECK(text_of(*store, "ends") == "none");
    CHECK(list_all(*store).keys.size() == 1);
    CHECK(read_all(*store).events.size() == 1);
    CHECK(put_one(*store, "b", "3").status == Status::failed);
    CHECK(append_one(*store, "y").status == Streams::Status::failed);
    CHECK(text_of(*store, "a") == "1");
    CHECK(store->count() == 2);
  }
  CHECK(put_one(*store, "b", "3").status == Status::done);
  CHECK(text_of(*store, "b") == "3");
  CHECK(append_one(*store, "y").sequence == 2);
}

TEST_CASE("with a full disk what has no room fails, and the rest is done; with room again all is done") {
  const Folder folder;
  const SmallDisk disk(folder.path(), "size=2m");
  if (!disk.is_there()) {
    WARN("skipped: no file system can be mounted here");
    return;
  }
  const QuietLog quiet;
  const auto store = opened(folder.file());
  CHECK(put_one(*store, "a", "1").status == Status::done);
  const std::string ballast = folder.path() / "ballast";
  {
    std::ofstream out(ballast);
    while (out << std::string(4'096, 'b') << std::flush) continue;
  }
  unsigned answered = 0, failed = 0;
  for (unsigned i = 0; i < 100; ++i) {
    store->put("p", {std::to_string(i), std::string(100'000, 'v')}, [&](Records::Answer answer) {
      ++answered;
      failed += answer.status == Status::failed;
    });
  }
  CHECK(text_of(*store, "a") == "1");
  CHECK(answered == 100);
  CHECK(failed > 0);
  CHECK(append_one(*store, std::string(50'000, 'e')).status == Streams::Status::failed);
  std::filesystem::remove(ballast);
  CHECK(put_one(*store, "b", "2").status == Status::done);
  CHECK(text_of(*store, "b") == "2");
  CHECK(append_one(*store, "e").sequence == 1);
}

TEST_CASE("what is beside the file does not grow without end") {
  const Folder folder;
  const auto store = opened(folder.file());
  const std::string value(limits::kRecordValueBytesMax, 'v');
  for (unsigned i = 0; i < 100; ++i) {
    if (i % 10 != 9) store->put("p", {std::to_string(i % 3), value}, [](Records::Answer) {});
    if (i % 10 == 9) CHECK(put_one(*store, "k", value).status == Status::done);
  }
  CHECK(std::filesystem::file_size(folder.file() + "-wal") <= limits::kStoreLogBytesKept);
  CHECK(std::filesystem::file_size(folder.file()) <= 16 * limits::kRecordValueBytesMax);
}
