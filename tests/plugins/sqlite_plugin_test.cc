#include <thread>

#include <sqlite3.h>

#include "plugins/built_plugin.h"
#include "plugins/temporary_directory.h"

using Names = std::vector<std::string>;

namespace {

struct Disk {
  TemporaryDirectory directory;

  Disk() {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(directory.path("test.db").c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, R"(CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, data BLOB);
                              INSERT INTO t VALUES (1, 'one', x'0001ff'), (2, 'two', NULL), (3, 'three', x'');)",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
  }
  std::string config(const std::string& more = "") const {
    return R"({"database":")" + directory.path("test.db") + '"' + more + "}";
  }
};

constexpr const char* kForever =
    R"({"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"})";

}  // namespace

TEST_CASE("sqlite registers its tools; without a database they say what to configure") {
  for (const std::uint32_t flags : {0u, COLLET_CREATE_PROBE}) {
    BuiltPlugin plugin("sqlite", "{}", flags);
    REQUIRE(plugin.status == COLLET_OK);
    CHECK(plugin.host->names() == Names{"sqlite_tables", "sqlite_describe", "sqlite_query"});
    CHECK_THAT(plugin.error("sqlite_tables"), Catch::Contains("[plugin.sqlite.config]"));
    CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"SELECT 1"})"), Catch::Contains("database = "));
  }
}

TEST_CASE("sqlite opens nothing before it is asked, and creates no file unless it may write") {
  TemporaryDirectory directory;
  const std::string path = R"({"database":")" + directory.path("new.db") + '"';
  {
    BuiltPlugin plugin("sqlite", path + "}");
    CHECK_THAT(plugin.error("sqlite_tables"), Catch::Contains("new.db"));
  }
  { BuiltPlugin plugin("sqlite", path + R"(,"read_only":false})", COLLET_CREATE_PROBE); }
  CHECK_FALSE(directory.has("new.db"));
  BuiltPlugin plugin("sqlite", path + R"(,"read_only":false})");
  CHECK(plugin.structured("sqlite_query", R"j({"sql":"CREATE TABLE t(x)"})j") ==
        R"({"columns":[],"rows":[],"truncated":false})");
  CHECK(plugin.structured("sqlite_query", R"j({"sql":"INSERT INTO t VALUES (?), (?)","params":[7,"x"]})j") ==
        R"({"columns":[],"rows":[],"truncated":false,"changes":2,"last_insert_rowid":2})");
  CHECK(directory.has("new.db"));
}

TEST_CASE("sqlite says in each tool's definition whether it writes") {
  Disk disk;
  BuiltPlugin reading("sqlite", disk.config());
  CHECK_THAT(reading.host->item("sqlite_query").definition,
             Catch::Contains("read-only") && Catch::Contains(R"("readOnlyHint":true)"));
  BuiltPlugin writing("sqlite", disk.config(R"(,"read_only":false)"));
  CHECK_THAT(writing.host->item("sqlite_query").definition, Catch::Contains(R"("readOnlyHint":false)"));
}

TEST_CASE("sqlite has no list of types in a schema, of which a client dies") {
  BuiltPlugin plugin("sqlite", "{}");
  for (const char* tool : {"sqlite_tables", "sqlite_describe", "sqlite_query"}) {
    CHECK_THAT(plugin.host->item(tool).definition, !Catch::Contains(R"("type":[)"));
  }
}

TEST_CASE("sqlite refuses a wrong config") {
  for (const char* config :
       {R"({"databse":"x"})", R"({"database":1})", R"({"max_rows":0})", R"({"max_bytes":4194305})",
        R"({"timeout_ms":0})", R"({"busy_timeout_ms":600001})", R"({"max_memory_bytes":16777215})"}) {
    INFO(config);
    BuiltPlugin plugin("sqlite", config);
    CHECK(plugin.status < 0);
  }
}

TEST_CASE("sqlite answers with typed rows") {
  Disk disk;
  BuiltPlugin plugin("sqlite", disk.config());
  CHECK(plugin.structured("sqlite_tables") == R"({"tables":[{"name":"t","kind":"table","columns":3}]})");
  CHECK_THAT(
      plugin.structured("sqlite_describe", R"({"table":"t"})"),
      Catch::Contains(R"({"name":"id","type":"INTEGER","not_null":false,"primary_key":1,"generated":false})"));
  CHECK(
      plugin.structured("sqlite_query", R"({"sql":"SELECT * FROM t ORDER BY id"})") ==
      R"({"columns":["id","name","data"],"rows":[[1,"one",{"base64":"AAH/"}],[2,"two",null],[3,"three",{"base64":""}]],)"
      R"("truncated":false})");
  CHECK(plugin.structured("sqlite_query", R"({"sql":"SELECT -9223372036854775808, 0.5, 9e999, x'66', x'666f'"})") ==
        R"({"columns":["-9223372036854775808","0.5","9e999","x'66'","x'666f'"],)"
        R"("rows":[[-9223372036854775808,0.5,"Infinity",{"base64":"Zg=="},{"base64":"Zm8="}]],"truncated":false})");
}

TEST_CASE("sqlite takes parameters as an array or an object") {
  Disk disk;
  BuiltPlugin plugin("sqlite", disk.config());
  const auto rows = [&](const std::string& arguments) {
    const auto document = plugin.result("sqlite_query", arguments);
    return collet::json::to_text(*collet::json::find(document, "rows"));
  };
  CHECK(rows(R"({"sql":"SELECT typeof(?1), ?1","params":[9223372036854775807]})") ==
        R"([["integer",9223372036854775807]])");
  CHECK(rows(R"({"sql":"SELECT typeof(?1), ?1","params":[2.0]})") == R"([["real",2.0]])");
  CHECK(rows(R"({"sql":"SELECT typeof(?1), ?1","params":[true]})") == R"([["integer",1]])");
  CHECK(rows(R"({"sql":"SELECT typeof(?1), ?1","params":[null]})") == R"([["null",null]])");
  CHECK(rows(R"({"sql":"SELECT id FROM t WHERE name = :name","params":{"name":"two"}})") == "[[2]]");
  CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"SELECT ?","params":[9223372036854775808]})"),
             Catch::Contains("/params/0") && Catch::Contains("64 bits"));
  CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"SELECT ?","params":[[1]]})"), Catch::Contains("/params/0"));
  CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"SELECT ?","params":7})"), Catch::Contains("/params"));
}

TEST_CASE("sqlite caps rows and bytes, and says how to go on") {
  Disk disk;
  BuiltPlugin plugin("sqlite", disk.config(R"(,"max_rows":2,"max_bytes":1024)"));
  CHECK(plugin.structured("sqlite_query", R"({"sql":"SELECT id FROM t LIMIT 2"})") ==
        R"({"columns":["id"],"rows":[[1],[2]],"truncated":false})");
  CHECK_THAT(plugin.structured("sqlite_query", R"({"sql":"SELECT id FROM t","max_rows":3})"),
             Catch::Contains(R"("rows":[[1],[2]],"truncated":true,"note":"There are more rows)"));
  CHECK_THAT(plugin.structured("sqlite_query", R"({"sql":"SELECT id FROM t","max_rows":1})"),
             Catch::Contains("[[1]]"));
  CHECK_THAT(plugin.structured("sqlite_query", R"j({"sql":"SELECT zeroblob(2000)"})j"),
             Catch::Contains("substr()"));
}

TEST_CASE("sqlite names the key of what a statement has too little of") {
  Disk disk;
  BuiltPlugin plugin("sqlite", disk.config(R"(,"max_bytes":100000,"max_memory_bytes":16777216)"));
  CHECK_THAT(plugin.structured("sqlite_query", R"j({"sql":"SELECT length(zeroblob(400000))"})j"),
             Catch::Contains("400000"));
  CHECK_THAT(plugin.error("sqlite_query", R"j({"sql":"SELECT zeroblob(400001)"})j"),
             Catch::Contains("more than 400000 bytes") && Catch::Contains("max_bytes"));
  CHECK_THAT(
      plugin.error("sqlite_query", R"j({"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n )j"
                                   R"j(WHERE i < 1000) SELECT randomblob(100000) AS r FROM n ORDER BY r"})j"),
      Catch::Contains("max_memory_bytes"));
}

TEST_CASE("sqlite errors lead to the mistake") {
  Disk disk;
  BuiltPlugin plugin("sqlite", disk.config());
  CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"SELECT nme FROM t"})"),
             Catch::Contains("no such column: nme (at byte 7"));
  CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"DROP TABLE t"})"), Catch::Contains("read-only"));
  CHECK_THAT(plugin.error("sqlite_query", R"({"sql":"SELECT 1; SELECT 2"})"),
             Catch::Contains("more than one statement"));
  CHECK_THAT(plugin.error("sqlite_describe", R"({"table":"u"})"), Catch::Contains("sqlite_tables"));
}

TEST_CASE("sqlite stops a statement whose call is cancelled, while others run") {
  Disk disk;
  BuiltPlugin plugin("sqlite", disk.config());
  std::vector<std::thread> threads;
  std::atomic<int> stopped{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { stopped += plugin.host->call("sqlite_query", kForever).is_error; });
  }
  CHECK_THAT(plugin.structured("sqlite_query", R"({"sql":"SELECT count(*) FROM t"})"), Catch::Contains("[[3]]"));
  // The ids of calls count up from the last item's.
  while (stopped < 3) {
    for (collet_call id = 1; id < 12; ++id) plugin.host->cancel(id);
    std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
}
