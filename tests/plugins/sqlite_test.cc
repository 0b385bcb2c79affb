#include "sqlite/database.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <sqlite3.h>

#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace sqlite;
using namespace std::chrono_literals;

namespace {

const Cancelled kNever = [] { return false; };
constexpr Caps kCaps{100, 100'000};
constexpr const char* kForever =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

using Row = std::vector<Value>;
using Texts = std::vector<std::string>;

// A database of two tables, a view and an index, built by SQLite itself.
struct Disk {
  TemporaryDirectory directory;

  Disk() {
    run(R"(
      CREATE TABLE author(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'anon', born INTEGER);
      CREATE TABLE book(isbn TEXT, author INTEGER REFERENCES author(id) ON DELETE CASCADE, title TEXT,
                        short TEXT GENERATED ALWAYS AS (substr(title, 1, 3)), PRIMARY KEY (isbn, author)) WITHOUT ROWID;
      CREATE UNIQUE INDEX book_title ON book(title, lower(isbn)) WHERE title IS NOT NULL;
      CREATE VIEW titles AS SELECT title FROM book;
      INSERT INTO author VALUES (1, 'Ada', 1815), (2, 'Grace', 1906), (3, 'Barbara', NULL);
      INSERT INTO book(isbn, author, title) VALUES ('x1', 1, 'Notes'), ('x2', 2, 'A-0');
      ANALYZE;)");
  }

  std::string path() const { return directory.path("test.db"); }
  Settings settings(bool read_only = true) const { return {path(), read_only, 5'000, 30'000}; }

  // With a connection of its own, as another program would.
  void run(const char* sql) const {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(path().c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
  }
};

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

Rows query(Database& database, std::string_view sql, const Parameters& parameters = {}, const Caps& caps = kCaps) {
  return database.query(sql, parameters, caps, kNever);
}

std::string query_error(Database& database, std::string_view sql, const Parameters& parameters = {}) {
  return refusal([&] { query(database, sql, parameters); });
}

}  // namespace

TEST_CASE("tables are listed with what is cheap to know") {
  Disk disk;
  Database database(disk.settings());
  const auto tables = database.tables(kNever);
  REQUIRE(tables.size() == 3);
  CHECK(tables[0].name == "author");
  CHECK(tables[0].kind == "table");
  CHECK(tables[0].columns == 3);
  CHECK(tables[0].rows_estimate == 3);
  CHECK(tables[1].name == "book");
  CHECK(tables[2].kind == "view");
  CHECK_FALSE(tables[2].rows_estimate);
}

TEST_CASE("a table is described with columns, keys and indexes") {
  Disk disk;
  Database database(disk.settings());
  const Table book = database.describe("BOOK", kNever);
  CHECK(book.name == "book");
  CHECK_THAT(book.sql, Catch::StartsWith("CREATE TABLE book"));
  REQUIRE(book.columns.size() == 4);
  CHECK(book.columns[1].name == "author");
  CHECK(book.columns[1].type == "INTEGER");
  CHECK(book.columns[1].primary_key == 2);
  CHECK(book.columns[3].generated);
  REQUIRE(book.foreign_keys.size() == 1);
  CHECK(book.foreign_keys[0].columns == Texts{"author"});
  CHECK(book.foreign_keys[0].references == Texts{"id"});
  CHECK(book.foreign_keys[0].on_delete == "CASCADE");
  REQUIRE(book.indexes.size() == 2);
  CHECK(book.indexes[0].name == "book_title");
  CHECK(book.indexes[0].unique);
  CHECK(book.indexes[0].partial);
  CHECK(book.indexes[0].columns == Texts{"title", ""});

  const Table author = database.describe("author", kNever);
  CHECK(author.columns[1].not_null);
  CHECK(author.columns[1].default_value == "'anon'");
  CHECK(database.describe("titles", kNever).kind == "view");
  for (const char* name : {"", "nobody", "author; DROP TABLE author", "'"}) {
    CHECK_THAT(refusal([&] { database.describe(name, kNever); }), Catch::Contains("sqlite_tables"));
  }
}

TEST_CASE("values keep their types") {
  Disk disk;
  Database database(disk.settings());
  const Rows rows = query(database,
                          "SELECT 9223372036854775807, -1.5, 'é', x'00ff', NULL, CAST(x'ff' AS TEXT), "
                          "'a' || char(0) || 'b', 9e999 AS \"inf\"");
  REQUIRE(rows.rows.size() == 1);
  const Row expected = {
      INT64_MAX, -1.5, "é", Blob{std::string("\0\xff", 2)}, nullptr, Blob{"\xff"}, std::string("a\0b", 3)};
  CHECK(Row(rows.rows[0].begin(), rows.rows[0].end() - 1) == expected);
  CHECK(std::get<double>(rows.rows[0].back()) > 1e308);
  CHECK(rows.columns.back() == "inf");
  CHECK_FALSE(rows.last_insert_rowid);
}

TEST_CASE("parameters are bound by place or by name") {
  Disk disk;
  Database database(disk.settings());
  const std::string by_place = "SELECT name FROM author WHERE born > ? AND name <> ?";
  CHECK(query(database, by_place, Row{std::int64_t{1800}, "Ada"}).rows == std::vector<Row>{{"Grace"}});
  const std::string by_name = "SELECT :a, @b, $c, :a";
  const std::map<std::string, Value> values = {
      {"a", std::int64_t{1}}, {"b", nullptr}, {"c", "'; DROP TABLE author"}};
  CHECK(query(database, by_name, values).rows ==
        std::vector<Row>{{std::int64_t{1}, nullptr, "'; DROP TABLE author", std::int64_t{1}}});

  CHECK_THAT(query_error(database, by_place, Row{1.0}), Catch::Contains("has 2 parameters, but params has 1"));
  CHECK_THAT(query_error(database, "SELECT 1", Row{1.0}), Catch::Contains("has 0 parameters"));
  CHECK_THAT(query_error(database, by_place), Catch::Contains("has 2 parameters"));
  using Named = std::map<std::string, Value>;
  CHECK_THAT(query_error(database, by_name, Named{{"a", 1.0}}), Catch::Contains("no value for @b"));
  CHECK_THAT(query_error(database, "SELECT :a", Named{{"a", 1.0}, {"z", 1.0}}),
             Catch::Contains("no parameter for"));
  CHECK_THAT(query_error(database, "SELECT ?", Named{{"a", 1.0}}), Catch::Contains("as an array"));
}

TEST_CASE("rows and bytes are capped, and the answer says so") {
  Disk disk;
  Database database(disk.settings());
  const std::string sql = "SELECT name FROM author ORDER BY id";  // 5, 7 and 9 bytes with what each value adds
  CHECK_FALSE(query(database, sql, {}, {3, 1'000}).truncated);
  const Rows two = query(database, sql, {}, {2, 1'000});
  CHECK(two.rows == std::vector<Row>{{"Ada"}, {"Grace"}});
  CHECK(two.truncated);
  CHECK_FALSE(two.row_too_large);
  CHECK(query(database, sql, {}, {9, 21}).rows.size() == 3);
  const Rows cut = query(database, sql, {}, {9, 20});
  CHECK(cut.rows.size() == 2);
  CHECK(cut.truncated);
  CHECK_FALSE(cut.row_too_large);
  CHECK(query(database, "SELECT zeroblob(1000)", {}, {9, 500}).row_too_large);
}

TEST_CASE("read-only means read-only, whatever the SQL") {
  Disk disk;
  Database database(disk.settings());
  const std::string other = disk.directory.path("other.db");
  const std::string statements[] = {
      "INSERT INTO author(name) VALUES ('x')",
      "UPDATE author SET name = 'x'",
      "DELETE FROM author",
      "DROP TABLE author",
      "CREATE TABLE t(x)",
      "CREATE TEMP TABLE t(x)",
      "CREATE VIEW v AS SELECT 1",
      "ALTER TABLE author RENAME TO writer",
      "WITH x AS (SELECT 1) DELETE FROM author",
      "INSERT INTO author(name) VALUES ('x') RETURNING id",
      "UPDATE sqlite_master SET sql = ''",
      "REINDEX",
      "ANALYZE",
      "VACUUM",
      "VACUUM INTO '" + other + "'",
      "ATTACH '" + other + "' AS o",
      "ATTACH ':memory:' AS o",
      "DETACH main",
      "BEGIN",
      "COMMIT",
      "SAVEPOINT s",
      "PRAGMA query_only = 0",
      "PRAGMA writable_schema = 1",
      "PRAGMA journal_mode = WAL",
      "PRAGMA journal_mode",
      "PRAGMA user_version = 7",
      "PRAGMA wal_checkpoint",
      "PRAGMA temp_store_directory = '/tmp'",
      "SELECT load_extension('/tmp/x.so')",
      "CREATE VIRTUAL TABLE v USING fts5(x)",
  };
  for (const auto& sql : statements) {
    INFO(sql);
    CHECK(query_error(database, sql) != "no failure");
  }
  CHECK_THAT(query_error(database, "DELETE FROM author"), Catch::Contains("read_only = false"));
  CHECK_THAT(query_error(database, "PRAGMA journal_mode"), Catch::Contains("PRAGMA journal_mode is not allowed"));
  CHECK_THAT(query_error(database, "BEGIN"), Catch::Contains("none can span calls"));
  CHECK(query(database, "SELECT count(*) FROM author").rows == std::vector<Row>{{std::int64_t{3}}});
  CHECK_FALSE(disk.directory.has("other.db"));
}

TEST_CASE("describing is allowed as SQL too") {
  Disk disk;
  Database database(disk.settings());
  for (const char* sql : {"PRAGMA table_info(author)", "PRAGMA user_version",
                          "SELECT * FROM pragma_index_list('book')", "EXPLAIN QUERY PLAN SELECT * FROM author",
                          "SELECT sql FROM sqlite_schema", "PRAGMA quick_check", "VALUES (1), (2)"}) {
    INFO(sql);
    CHECK(query_error(database, sql) == "no failure");
  }
}

TEST_CASE("a writable database is written, one statement a call") {
  Disk disk;
  Database database(disk.settings(false));
  const Rows inserted = query(database, "INSERT INTO author(name) VALUES ('Edsger'), ('Tony')");
  CHECK(inserted.changes == 2);
  CHECK(inserted.last_insert_rowid == 5);
  CHECK(
      query(database, "INSERT INTO author(name) VALUES ('a'), ('b'), ('c') RETURNING id", {}, {1, 100}).truncated);
  CHECK(query(database, "SELECT count(*) FROM author").rows == std::vector<Row>{{std::int64_t{8}}});
  CHECK_THAT(query_error(database, "INSERT INTO book(isbn, author) VALUES ('q', 99)"),
             Catch::Contains("FOREIGN KEY"));
  CHECK(query(database, "CREATE TABLE empty(x)").changes == 0);
  query(database, "CREATE VIRTUAL TABLE search USING fts5(text)");
  query(database, "INSERT INTO search VALUES ('hay and needle')");
  CHECK(query(database, "SELECT count(*) FROM search('needle')").rows == std::vector<Row>{{std::int64_t{1}}});
  for (const char* sql :
       {"ATTACH ':memory:' AS o", "BEGIN", "PRAGMA writable_schema = 1", "VACUUM INTO '/tmp/x'",
        "SELECT load_extension('x')", "DELETE FROM sqlite_schema", "UPDATE sqlite_master SET sql = ''"}) {
    INFO(sql);
    CHECK(query_error(database, sql) != "no failure");
  }
}

TEST_CASE("exactly one statement is taken") {
  Disk disk;
  Database database(disk.settings());
  for (const char* sql :
       {"SELECT 1", "SELECT 1;", " SELECT 1 ;; \n", "SELECT 1; -- done", "/* a */ SELECT 1 /* b */;"}) {
    INFO(sql);
    CHECK(query_error(database, sql) == "no failure");
  }
  for (const char* sql : {"SELECT 1; SELECT 2", "SELECT 1; nonsense", "SELECT 1;;DROP TABLE author",
                          "SELECT 1; /* x */ ; SELECT 2"}) {
    INFO(sql);
    CHECK_THAT(query_error(database, sql), Catch::Contains("more than one statement"));
  }
  for (const char* sql : {"", "  ", ";", "-- nothing"}) {
    INFO(sql);
    CHECK_THAT(query_error(database, sql), Catch::Contains("no SQL statement"));
  }
  CHECK_THAT(query_error(database, std::string_view("SELECT 1\0; DROP", 15)), Catch::Contains("NUL"));
}

TEST_CASE("an error says what SQLite says, and where") {
  Disk disk;
  Database database(disk.settings());
  CHECK_THAT(query_error(database, "SELECT name FORM author"),
             Catch::Contains("near \"author\": syntax error (at byte 17: \"author\")"));
  CHECK_THAT(query_error(database, "SELECT nmae FROM author"), Catch::Contains("no such column: nmae (at byte 7"));
  CHECK_THAT(query_error(database, "SELECT * FROM writer"), Catch::Contains("no such table: writer"));
  Database missing({disk.directory.path("missing.db"), true, 0, 0});
  CHECK_THAT(query_error(missing, "SELECT 1"),
             Catch::Contains("missing.db") && Catch::Contains("must exist already"));
  CHECK_FALSE(disk.directory.has("missing.db"));
  disk.directory.put("text.db", std::string(5'000, 'x'));
  Database text({disk.directory.path("text.db"), true, 5'000, 5'000});
  CHECK_THAT(query_error(text, "SELECT * FROM t"), Catch::Contains("not a database"));
}

TEST_CASE("hostile SQL hits a limit, not the process") {
  Disk disk;
  Database database(disk.settings());
  CHECK_THAT(query_error(database, "SELECT zeroblob(1000000000)"), Catch::Contains("too big"));
  CHECK_THAT(query_error(database, "SELECT hex(randomblob(3000000))"), Catch::Contains("too big"));
  CHECK(query(database, "SELECT printf('%.*c', 100000000, 'x')").rows == std::vector<Row>{{nullptr}});
  std::string deep = "SELECT 1";
  for (int i = 1; i < 500; ++i) deep += "+1";
  CHECK(query_error(database, deep) == "no failure");
  CHECK_THAT(query_error(database, deep + "+1"), Catch::Contains("too large"));
  CHECK_THAT(query_error(database, "SELECT " + std::string(1'000, '(')), Catch::Contains("overflow"));
  std::string compound = "SELECT 1";
  for (int i = 0; i < 100; ++i) compound += " UNION ALL SELECT 1";
  CHECK_THAT(query_error(database, compound), Catch::Contains("too many terms"));
  CHECK_THAT(query_error(database, "SELECT 'a' LIKE '" + std::string(1'001, '%') + "'"),
             Catch::Contains("too complex"));
  const std::string longest = "SELECT 1 " + std::string(100'000 - 9, ' ');
  CHECK(query_error(database, longest) == "no failure");
  CHECK_THAT(query_error(database, longest + " "), Catch::Contains("longer than"));
}

TEST_CASE("an endless statement stops when it is cancelled, and at its deadline") {
  Disk disk;
  Database database(disk.settings());
  std::atomic<bool> cancelled{false};
  std::atomic<bool> running{false};
  std::string message;
  std::thread caller([&] {
    message = refusal([&] {
      database.query(kForever, {}, kCaps, [&] {
        running = true;
        running.notify_all();
        return cancelled.load();
      });
    });
  });
  running.wait(false);
  cancelled = true;
  caller.join();
  CHECK_THAT(message, Catch::Contains("cancelled"));
  CHECK(query(database, "SELECT 1").rows.size() == 1);  // the connection is as good as new

  Settings hurried = disk.settings();
  hurried.timeout_ms = 30;
  Database timed(hurried);
  CHECK_THAT(query_error(timed, kForever), Catch::Contains("timeout_ms"));
  CHECK(query(timed, "SELECT 1").rows.size() == 1);
}

TEST_CASE("a lock of another program is waited for, no longer than configured, and cancelled like all else") {
  Disk disk;
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(disk.path().c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);

  Settings impatient = disk.settings();
  impatient.busy_timeout_ms = 20;
  Database quick(impatient);
  CHECK_THAT(query_error(quick, "SELECT * FROM author"), Catch::Contains("locked"));

  Database patient(disk.settings());
  int looks = 0;
  CHECK_THAT(refusal([&] { patient.query("SELECT * FROM author", {}, kCaps, [&] { return ++looks > 2; }); }),
             Catch::Contains("locked") || Catch::Contains("cancelled"));

  looks = 0;
  const Rows rows = patient.query("SELECT * FROM author", {}, kCaps, [&] {
    if (++looks == 3) sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
    return false;
  });
  CHECK(rows.rows.size() == 3);
  sqlite3_close(other);
}

TEST_CASE("queries run side by side, each with its own cancellation") {
  Disk disk;
  Database database(disk.settings());
  std::atomic<bool> cancelled{false};
  std::atomic<unsigned> running{0};
  std::vector<std::thread> threads;
  std::atomic<unsigned> stopped{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      bool counted = false;
      const auto watch = [&] {
        if (!std::exchange(counted, true)) ++running;
        return cancelled.load();
      };
      stopped += refusal([&] { database.query(kForever, {}, kCaps, watch); }) != "no failure";
    });
  }
  while (running < 3) std::this_thread::yield();
  CHECK(query(database, "SELECT count(*) FROM author").rows == std::vector<Row>{{std::int64_t{3}}});
  cancelled = true;
  for (auto& thread : threads) thread.join();
  CHECK(stopped == 3);
}

TEST_CASE("more calls than connections wait for one, and are cancelled while they wait") {
  Database memory({":memory:", false, 5'000, 30'000});
  query(memory, "CREATE TABLE t(x)");
  query(memory, "INSERT INTO t VALUES (1)");
  CHECK(query(memory, "SELECT * FROM t").rows.size() == 1);  // always the same database

  std::atomic<bool> release{false};
  std::atomic<bool> running{false};
  std::thread holder([&] {
    refusal([&] {
      memory.query(kForever, {}, kCaps, [&] {
        running = true;
        running.notify_all();
        return release.load();
      });
    });
  });
  running.wait(false);
  int looks = 0;
  CHECK_THAT(refusal([&] { memory.query("SELECT 1", {}, kCaps, [&] { return ++looks > 1; }); }),
             Catch::Contains("cancelled"));
  std::thread waiter([&] { CHECK(memory.query("SELECT * FROM t", {}, kCaps, kNever).rows.size() == 1); });
  release = true;
  holder.join();
  waiter.join();
}
