#include "sqlite/database.h"

#include <atomic>
#include <chrono>
#include <cstring>
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

TEST_CASE("a value that is too long is refused, and the key to raise is named") {
  Disk disk;
  Settings narrow = disk.settings();
  narrow.value_bytes_max = 200'000;
  Database database(narrow);
  const std::string fits(200'000, 'x');
  CHECK(query_error(database, "SELECT length(randomblob(200000)), length(?)", Row{fits}) == "no failure");
  for (const char* sql :
       {"SELECT randomblob(200001)", "SELECT hex(zeroblob(100001))", "SELECT replace(?, 'x', 'xy')",
        "SELECT ? || 'x'", "SELECT group_concat(?) FROM author"}) {
    INFO(sql);
    CHECK_THAT(query_error(database, sql, std::strchr(sql, '?') ? Row{fits} : Row{}),
               Catch::Contains("more than 200000 bytes") && Catch::Contains("have max_bytes raised"));
  }
  CHECK_THAT(query_error(database, "SELECT ?", Row{fits + "x"}), Catch::Contains("have max_bytes raised"));
}

TEST_CASE("a row that does not fit is weighed before it is copied") {
  Disk disk;
  Database database(disk.settings());
  std::string sql = "SELECT zeroblob(id + 500000)";  // which SQLite makes real when its bytes are asked for
  for (int i = 1; i < 20; ++i) sql += ", zeroblob(id + 500000)";
  sql += " FROM author";
  query(database, "SELECT 1");
  sqlite3_memory_highwater(1);
  CHECK(query(database, sql).row_too_large);
  CHECK(sqlite3_memory_highwater(0) < 1'000'000);
}

TEST_CASE("the memory of all calls has one limit, which an error names") {
  Disk disk;
  Settings small = disk.settings();
  small.memory_bytes_max = 16 << 20;
  Database database(small);
  std::string wide = "SELECT randomblob(1000000)";
  for (int i = 1; i < 50; ++i) wide += ", randomblob(1000000)";
  const std::string many =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) ";  // 30 MB, sorted or kept
  const std::string row = "SELECT hex(randomblob(500)) AS h FROM n ";
  for (const std::string& sql :
       {wide, many + row + "ORDER BY h", many + "SELECT count(*) FROM (SELECT DISTINCT h FROM (" + row + "))",
        many + ", kept(h) AS MATERIALIZED (" + row + ") SELECT count(*) FROM kept a, kept b WHERE a.h = b.h",
        many + "SELECT group_concat(h) OVER (ORDER BY h) FROM (" + row + ")"}) {
    INFO(sql.substr(0, 300));
    sqlite3_memory_highwater(1);
    CHECK_THAT(query_error(database, sql),
               Catch::Contains("16777216 bytes that max_memory_bytes allows") || Catch::Contains("too big"));
    CHECK(sqlite3_memory_highwater(0) <= 16 << 20);
  }
  CHECK(query(database, many + "SELECT count(*) FROM n").rows == std::vector<Row>{{std::int64_t{30'000}}});
}

TEST_CASE("each database adds its share to the limit of the process, and takes it away") {
  Disk disk;
  const auto before = sqlite3_hard_heap_limit64(-1);
  {
    Settings settings = disk.settings();
    settings.memory_bytes_max = 16 << 20;
    Database one(settings);
    settings.memory_bytes_max = 32 << 20;
    Database two(settings);
    CHECK(sqlite3_hard_heap_limit64(-1) == before + (48 << 20));
    CHECK(sqlite3_soft_heap_limit64(-1) == sqlite3_hard_heap_limit64(-1));
  }
  CHECK(sqlite3_hard_heap_limit64(-1) == before);
}

TEST_CASE("functions whose time is bounded here answer as those of SQLite") {
  Disk disk;
  Database database(disk.settings());
  sqlite3* plain = nullptr;
  REQUIRE(sqlite3_open(":memory:", &plain) == SQLITE_OK);
  for (const std::string expression : {"instr('abcabc', 'ca')",
                                       "instr('äöü', 'ü')",
                                       "instr('abc', '')",
                                       "instr('', 'a')",
                                       "instr('', '')",
                                       "instr(NULL, 'a')",
                                       "instr('a', NULL)",
                                       "instr(x'00ff00', x'ff')",
                                       "instr(x'c3a4c3b6', 'ö')",
                                       "instr('ä', x'a4')",
                                       "instr(x'c3a4', x'a4')",
                                       "instr(12345, 34)",
                                       "instr('a' || char(0) || 'b', 'b')",
                                       "replace('abcabc', 'b', 'xyz')",
                                       "replace('aaaa', 'aa', 'a')",
                                       "replace('abc', '', 'x')",
                                       "replace('abc', 'abc', '')",
                                       "replace(NULL, 'a', 'b')",
                                       "replace('a', NULL, 'b')",
                                       "replace('a', 'b', NULL)",
                                       "replace(121, 1, 3)",
                                       "replace('', 'a', 'b')",
                                       "replace(x'6162', 'a', 'b')",
                                       "replace('äöä', 'ä', 'a')",
                                       "'Hello' LIKE 'h%O'",
                                       "'Ä' LIKE 'ä'",
                                       "'a_c' LIKE 'a\\_c' ESCAPE '\\'",
                                       "'abc' LIKE 'a\\_c' ESCAPE '\\'",
                                       "'a' LIKE NULL",
                                       "NULL LIKE 'a'",
                                       "x'61' LIKE 'a'",
                                       "12 LIKE '1%'",
                                       "'' LIKE ''",
                                       "'a' LIKE ''",
                                       "'abc' GLOB 'a[a-c]?'",
                                       "'abc' GLOB 'A*'",
                                       "x'61' GLOB 'a'",
                                       "NULL GLOB 'a'",
                                       "'ä' GLOB '?'",
                                       "trim('xxaxx', 'x')",
                                       "ltrim('xyaxy', 'yx')",
                                       "rtrim('äbä', 'ä')",
                                       "trim('abc', '')",
                                       "trim(NULL, 'x')",
                                       "trim(' a ')",
                                       "trim(121, 1)",
                                       "printf('%d|%5.2f|%-5s|%05d|%x|%%', 42, 3.14159, 'ab', 7, 255)",
                                       "printf('%.*c', 5, 'x')",
                                       "printf('%.-3c%c', 'x', 'yz')",
                                       "printf('%*d', 6, 1)",
                                       "printf('%,d', 1234567)",
                                       "printf('%s')",
                                       "printf()",
                                       "printf(NULL)",
                                       "format('%Q %q %w %lld', 'it''s', 'it''s', 'a\"b', 1)",
                                       "printf('%d %.*c', 2000000000, 2, 'x')",
                                       "printf('%r %y %s', 3, 4, 5)",
                                       "printf('%!.20g', 0.1)",
                                       "json_patch('{\"a\":1,\"b\":2}', '{\"b\":null,\"c\":[]}')",
                                       "json_object('x', json_patch('{}', '{\"b\":1}'))",
                                       "json_patch(NULL, '{}')"}) {
    INFO(expression);
    const std::string sql = "SELECT typeof(v) || ' ' || quote(v) FROM (SELECT " + expression + " AS v)";
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(plain, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    const std::string expected = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    CHECK(query(database, sql).rows == std::vector<Row>{{expected}});
  }
  sqlite3_close(plain);
  CHECK_THAT(query_error(database, "SELECT json_patch('{', '{}')"), Catch::Contains("malformed JSON"));
  CHECK_THAT(query_error(database, "SELECT 'a' LIKE 'b' ESCAPE 'cc'"), Catch::Contains("single character"));
}

TEST_CASE("a function asks whether to go on before it begins") {
  Disk disk;
  Database database(disk.settings());
  for (const char* call : {"instr('ab', 'b')", "replace('ab', 'b', 'c')", "'a' LIKE '%b'",
                           "'a' LIKE 'b' ESCAPE 'c'", "'a' GLOB '*b'", "trim('ab', 'b')", "ltrim('ab', 'b')",
                           "rtrim('ab', 'b')", "printf('%d', 1)", "format('%d', 1)", "json_patch('{}', '{}')"}) {
    INFO(call);
    const std::string sql = std::string("SELECT ") + call;
    CHECK_THAT(refusal([&] { database.query(sql, {}, kCaps, [] { return true; }); }), Catch::Contains("cancelled"));
    CHECK(query_error(database, sql) == "no failure");
  }
}

TEST_CASE("long texts are compared by a collation as long as nobody has cancelled it") {
  Disk disk;
  Database database(disk.settings());
  const std::string as(20'000, 'a'), upper(20'000, 'A'), blanks(20'000, ' ');
  for (const char* collation : {"NOCASE", "RTRIM"}) {
    INFO(collation);
    const std::string sql = std::string("SELECT ?1 = ?2 COLLATE ") + collation + ", ?1 < ?2 COLLATE " + collation;
    CHECK_THAT(refusal([&] {
                 database.query(sql, Row{as, as + "b"}, kCaps, [] { return true; });
               }),
               Catch::Contains("cancelled"));
    CHECK(query(database, sql, Row{as, as + "b"}).rows == std::vector<Row>{{std::int64_t{0}, std::int64_t{1}}});
  }
  const auto one = [&](const std::string& sql, const Row& texts) {
    return query(database, "SELECT " + sql, texts).rows == std::vector<Row>{{std::int64_t{1}}};
  };
  CHECK(one("? = ? COLLATE NOCASE", Row{as, upper}));
  CHECK(one("? < ? COLLATE NOCASE", Row{as, upper + "A"}));
  CHECK(one("? <> ? COLLATE NOCASE", Row{"ä", "Ä"}));
  CHECK(one("? = ? COLLATE RTRIM", Row{as, as + blanks}));
  CHECK(one("? = ? COLLATE RTRIM", Row{blanks, ""}));
  CHECK(one("? > ? COLLATE RTRIM", Row{as + "b", as + blanks}));
}

TEST_CASE("nobody waits long for a function between two questions whether to go on") {
  Disk disk;
  Database database(disk.settings());
  int looks = 0;
  database.query(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
      "SELECT sum(length(hex(randomblob(10)))) FROM n",
      {}, kCaps, [&] { return ++looks == 0; });
  CHECK(looks >= 100);  // at least once every ten rows

  const auto calls = [](int count) {
    std::string sql = "SELECT hex(1)";
    for (int i = 1; i < count; ++i) sql += "+hex(" + std::to_string(i) + ")";
    return sql;
  };
  CHECK(query_error(database, calls(400) + "," + calls(100).substr(7)) == "no failure");
  CHECK_THAT(query_error(database, calls(400) + "," + calls(101).substr(7)), Catch::Contains("500 functions"));
  CHECK(query_error(database, calls(400)) == "no failure");  // each statement is counted alone
}

TEST_CASE("a search for what is not there takes a time that grows with the lengths alone") {
  Disk disk;
  Settings hurried = disk.settings();
  hurried.value_bytes_max = 4 << 20;
  hurried.timeout_ms = 2'000;  // a search that tries each place takes several times as long for each row
  Database database(hurried);
  const Row text = {std::string(1'000'000, 'a'), std::string(500'000, 'a') + "b"};
  for (const char* search : {"instr(t, p)", "length(replace(t, p, ''))"}) {
    INFO(search);
    CHECK(query_error(database,
                      std::string("WITH x(t, p) AS (SELECT ?, ?) SELECT ") + search + " FROM x UNION ALL SELECT " +
                          search + " + 1 FROM x",
                      text) == "no failure");
  }
}

TEST_CASE("a function that compares all with all takes only so much of it") {
  Disk disk;
  Database database(disk.settings());
  const std::string text(1 << 20, 'a'), set(128, 'b');
  for (const char* call : {"trim(?1, ?2)", "ltrim(?1, ?2)", "rtrim(?1, ?2)", "?1 LIKE ?2", "?1 GLOB ?2",
                           "?1 LIKE ?2 ESCAPE '!'", "length(json_patch(?1, ?2))"}) {
    INFO(call);
    const std::string sql = std::string("SELECT length(") + call + ")";
    CHECK_THAT(query_error(database, sql, Row{text, set}),
               Catch::Contains("no failure") || Catch::Contains("malformed JSON"));
    CHECK_THAT(query_error(database, sql, Row{text, set + "b"}),
               Catch::Contains("() of ") && Catch::Contains("would take too long"));
  }
}

TEST_CASE("a character that is repeated too often is refused, not counted out") {
  Disk disk;
  Database database(disk.settings());
  for (const char* call :
       {"printf('%.*c', 1000000000, 'x')", "format('%.*c', 1000000000, 'x')", "printf('%.1000000000c', 'x')",
        "printf('%s %*.*c', 'a', 5, 1000000000, 'x')", "printf('%.*c', -1000000000, 'x')"}) {
    INFO(call);
    CHECK_THAT(query_error(database, std::string("SELECT ") + call), Catch::Contains("have max_bytes raised"));
  }
  CHECK(query_error(database, "SELECT printf('%.*c', 90000, 'x')") == "no failure");
}

TEST_CASE("text of a database in UTF-16 is text") {
  TemporaryDirectory directory;
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(directory.path("wide.db").c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(x); INSERT INTO t VALUES ('é'), (x'c3a9')",
                     nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  Database database({directory.path("wide.db"), true, 0, 30'000});
  CHECK(query(database, "SELECT x FROM t").rows == std::vector<Row>{{"é"}, {Blob{"\xc3\xa9"}}});
  CHECK(database.describe("t", kNever).columns.at(0).name == "x");
}

TEST_CASE("a database in WAL mode is read without a file being made beside it") {
  Disk disk;
  disk.run("PRAGMA journal_mode = WAL");
  const auto is_alone = [&] { return !disk.directory.has("test.db-wal") && !disk.directory.has("test.db-shm"); };
  REQUIRE(is_alone());
  Database database(disk.settings());
  CHECK(query(database, "SELECT count(*) FROM author").rows == std::vector<Row>{{std::int64_t{3}}});
  CHECK(database.tables(kNever).size() == 3);
  CHECK(database.describe("book", kNever).columns.size() == 4);
  CHECK(is_alone());

  for (std::int64_t i = 4; i < 30; ++i) {  // as fast as it goes: most of them in one tick of the clock
    disk.run("PRAGMA synchronous = OFF; INSERT INTO author(name) VALUES ('x')");
    CHECK(query(database, "SELECT count(*) FROM author").rows == std::vector<Row>{{i}});
    disk.run("PRAGMA synchronous = OFF; UPDATE author SET name = name || 'y'");
    CHECK(query(database, "SELECT max(length(name)) FROM author WHERE name LIKE 'x%'").rows ==
          std::vector<Row>{{i - 2}});
    CHECK(is_alone());
  }
}

TEST_CASE("a database in WAL mode that somebody writes is read as it is, and theirs to clear away") {
  Disk disk;
  disk.run("PRAGMA journal_mode = WAL");
  Database database(disk.settings());
  const auto count = [&] { return query(database, "SELECT count(*) FROM author").rows; };
  CHECK(count() == std::vector<Row>{{std::int64_t{3}}});
  sqlite3* writer = nullptr;
  REQUIRE(sqlite3_open(disk.path().c_str(), &writer) == SQLITE_OK);
  for (std::int64_t i = 4; i < 10; ++i) {
    REQUIRE(sqlite3_exec(writer, "INSERT INTO author(name) VALUES ('x')", nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(count() == std::vector<Row>{{i}});
  }
  REQUIRE(sqlite3_exec(writer, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(count() == std::vector<Row>{{std::int64_t{9}}});
  REQUIRE(sqlite3_exec(writer, "DELETE FROM author WHERE name = 'x'", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(count() == std::vector<Row>{{std::int64_t{3}}});
  sqlite3_close(writer);
  CHECK_FALSE(disk.directory.has("test.db-wal"));
  CHECK_FALSE(disk.directory.has("test.db-shm"));
  CHECK(count() == std::vector<Row>{{std::int64_t{3}}});
}

TEST_CASE("what is written while a database in WAL mode is read alone has it read again") {
  Disk disk;
  disk.run("PRAGMA journal_mode = WAL");
  Database database(disk.settings());
  int looks = 0;
  const Rows rows = database.query(
      "SELECT (SELECT count(*) FROM author), (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 1000) SELECT count(*) FROM n), (SELECT count(*) FROM author AS again)",
      {}, kCaps, [&] {
        if (++looks == 5) disk.run("DELETE FROM author WHERE id > 1; PRAGMA wal_checkpoint");
        return false;
      });
  CHECK(rows.rows == std::vector<Row>{{std::int64_t{1}, std::int64_t{1000}, std::int64_t{1}}});
}

TEST_CASE("what was written last in WAL mode and cannot be read without making a file is not passed over") {
  Disk disk;
  disk.run("PRAGMA journal_mode = WAL");
  sqlite3* writer = nullptr;
  REQUIRE(sqlite3_open(disk.path().c_str(), &writer) == SQLITE_OK);
  REQUIRE(sqlite3_exec(writer, "DELETE FROM author", nullptr, nullptr, nullptr) == SQLITE_OK);
  TemporaryDirectory copy;
  copy.put("a b?c%41#d.db", disk.directory.get("test.db"));
  copy.put("a b?c%41#d.db-wal", disk.directory.get("test.db-wal"));
  sqlite3_close(writer);
  Database database({copy.path("a b?c%41#d.db"), true, 0, 30'000});
  CHECK_THAT(query_error(database, "SELECT count(*) FROM author"),
             Catch::Contains("d.db-shm") && Catch::Contains("read_only = false"));
  CHECK_FALSE(copy.has("a b?c%41#d.db-shm"));

  std::filesystem::remove(copy.path("a b?c%41#d.db-wal"));
  CHECK(query(database, "SELECT count(*) FROM author").rows == std::vector<Row>{{std::int64_t{3}}});
  CHECK_FALSE(copy.has("a b?c%41#d.db-wal"));
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
