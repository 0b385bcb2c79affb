#include <thread>

#include "plugins/built_plugin.h"
#include "plugins/temporary_directory.h"

using Names = std::vector<std::string>;

namespace {

struct Disk {
  TemporaryDirectory directory;

  Disk() {
    directory.put("docs/a.md", "# Alpha\none\ntwo\nthree\n");
    directory.put("docs/sub/b.md", "beta one\n");
    directory.put("docs/sub/raw", std::string("\x00\x01\xff", 3));
    directory.put("work/c.txt", "gamma\n");
  }
  std::string config(const std::string& more = "") const {
    return R"({"roots":[")" + directory.path("docs") + R"(",{"path":")" + directory.path("work") +
           R"(","name":"desk","writable":true}])" + more + "}";
  }
};

// Every text part of the result of files_read.
Names read(BuiltPlugin& plugin, const std::string& arguments) {
  Names texts;
  const fake::Ended ended = plugin.host->call("files_read", arguments);
  CHECK_FALSE(ended.is_error);
  for (const auto& part : ended.parts) texts.push_back(part.kind + ":" + part.data);
  return texts;
}

}  // namespace

TEST_CASE("files registers its tools, also in a trial and without a config") {
  const Names names = {"files_list", "files_read", "files_write", "files_find", "files_grep"};
  for (const std::uint32_t flags : {0u, COLLET_CREATE_PROBE}) {
    BuiltPlugin plugin("files", "{}", flags);
    REQUIRE(plugin.status == COLLET_OK);
    CHECK(plugin.host->names() == names);
    CHECK(plugin.plugin->flags == COLLET_PLUGIN_CONCURRENT);
  }
  BuiltPlugin plugin("files");
  for (const char* call :
       {"files_list {}", "files_read {\"path\":\"docs/a\"}", "files_find {\"pattern\":\"*\"}",
        "files_grep {\"pattern\":\"x\"}", "files_write {\"path\":\"docs/a\",\"content\":\"\"}"}) {
    const std::string text = call;
    const auto space = text.find(' ');
    CHECK_THAT(plugin.error(text.substr(0, space), text.substr(space + 1)),
               Catch::Contains("[plugin.files.config]"));
  }
}

TEST_CASE("files refuses a wrong config and says where it is wrong") {
  struct Case {
    const char* config;
    const char* message;
  };
  const Case cases[] = {{R"({"roots":[1]})", "config/roots/0"},
                        {R"({"roots":[{"name":"x"}]})", "config/roots/0/path"},
                        {R"({"root":[]})", "config/root: unknown"},
                        {R"({"roots":[{"path":"/srv","write":true}]})", "config/roots/0/write"},
                        {R"({"roots":["/a/x","/b/x"]})", "two roots are called"},
                        {R"({"max_read_bytes":1023})", "at least 1024"},
                        {R"({"max_results":10001})", "at most 10000"}};
  for (const auto& c : cases) {
    BuiltPlugin plugin("files", c.config);
    INFO(c.config);
    CHECK(plugin.status < 0);
    REQUIRE(plugin.host->logs().size() == 1);
    CHECK_THAT(plugin.host->logs()[0].data, Catch::Contains(c.message));
  }
  BuiltPlugin plugin("files", R"({"max_read_bytes":1024,"max_results":10000})");
  CHECK(plugin.status == COLLET_OK);
}

TEST_CASE("files_list shows roots, then what is in them, page by page") {
  Disk disk;
  BuiltPlugin plugin("files", disk.config(R"(,"max_results":1)"));
  CHECK(plugin.structured("files_list") ==
        R"({"entries":[{"path":"docs","type":"directory","writable":false},)"
        R"({"path":"desk","type":"directory","writable":true}],"truncated":false})");
  const auto first = plugin.structured("files_list", R"({"path":"docs"})");
  CHECK_THAT(first, Catch::Contains(R"({"path":"docs/a.md","type":"file","size":22,"modified":"20)"));
  CHECK_THAT(first, Catch::Contains(R"("truncated":true,"note":"There are more entries)"));
  const auto second = plugin.structured("files_list", R"({"path":"docs","after":"a.md"})");
  CHECK_THAT(second,
             Catch::Contains(R"("path":"docs/sub","type":"directory")") && Catch::Contains(R"("truncated":false)"));
  CHECK_THAT(plugin.error("files_list", R"({"path":"docs/a.md"})"), Catch::Contains("docs/a.md"));
  CHECK_THAT(plugin.error("files_list", R"({"path":"/etc"})"), Catch::Contains("docs, desk"));
}

TEST_CASE("files_read answers with the text and says how to go on") {
  Disk disk;
  BuiltPlugin plugin("files", disk.config(R"(,"max_read_bytes":1024)"));
  CHECK(read(plugin, R"({"path":"docs/a.md"})") == Names{"text:# Alpha\none\ntwo\nthree\n"});
  CHECK(read(plugin, R"({"path":"docs/a.md","first_line":2,"line_count":2})") ==
        Names{"text:one\ntwo\n", "text:[lines 2 to 3 of a file of 22 bytes; continue with first_line = 4]"});
  CHECK(read(plugin, R"({"path":"docs/a.md","first_line":9})") ==
        Names{"text:", "text:[the file has fewer lines]"});
  CHECK(read(plugin, R"({"path":"docs/a.md","offset":2,"length":5})") ==
        Names{"text:Alpha", "text:[bytes 2 to 7 of 22; continue with offset = 7]"});
  disk.directory.put("docs/empty", "");
  CHECK(read(plugin, R"({"path":"docs/empty"})") == Names{"text:", "text:[the file is empty]"});

  // "é" is two bytes: whatever cuts it in half leaves it whole for the next piece.
  std::string line;
  for (int i = 0; i < 600; ++i) line += "é";
  disk.directory.put("docs/long", "x" + line + "\nend\n");
  const Names cut = read(plugin, R"({"path":"docs/long"})");
  REQUIRE(cut.size() == 2);
  CHECK(cut[0].size() == 5 + 1023);
  CHECK_THAT(cut[1], Catch::Contains("line 1 is cut; continue with offset = 1023"));
  const Names rest = read(plugin, R"({"path":"docs/long","offset":1022})");
  REQUIRE(rest.size() == 2);
  CHECK(rest[0] == "text:" + line.substr(1022) + "\nend\n");
  CHECK_THAT(rest[1], Catch::Contains("[bytes 1023 to 1206 of 1206]"));
}

TEST_CASE("files_read gives bytes only where they are asked for") {
  Disk disk;
  BuiltPlugin plugin("files", disk.config());
  CHECK_THAT(plugin.error("files_read", R"({"path":"docs/sub/raw"})"), Catch::Contains("binary = true"));
  const fake::Ended ended = plugin.host->call("files_read", R"({"path":"docs/sub/raw","binary":true})");
  REQUIRE(ended.parts.size() == 1);
  CHECK(ended.parts[0].kind == "resource");
  CHECK(ended.parts[0].mime == "application/octet-stream");
  CHECK(ended.parts[0].data == std::string("\x00\x01\xff", 3));
  CHECK_THAT(plugin.error("files_read", R"({"path":"docs/a.md","offset":0,"first_line":1})"),
             Catch::Contains("either"));
  CHECK_THAT(plugin.error("files_read", R"({"path":"docs/nope"})"), Catch::Contains("files_list"));
  CHECK_THAT(plugin.error("files_read", R"({"path":"docs/a.md\u0000"})"), Catch::Contains("NUL"));
  CHECK_THAT(plugin.error("files_read", R"({"path":"docs/../work/c.txt"})"), Catch::Contains("not allowed"));
}

TEST_CASE("files_write writes beneath writable roots only") {
  Disk disk;
  BuiltPlugin plugin("files", disk.config());
  CHECK(plugin.structured("files_write", R"({"path":"desk/new.txt","content":"hé"})") ==
        R"({"path":"desk/new.txt","bytes":3})");
  CHECK(disk.directory.get("work/new.txt") == "hé");
  CHECK_THAT(plugin.error("files_write", R"({"path":"desk/new.txt","content":"x"})"),
             Catch::Contains("overwrite = true"));
  CHECK_THAT(plugin.error("files_write", R"({"path":"docs/new.txt","content":"x"})"), Catch::Contains("read-only"));
  CHECK_FALSE(disk.directory.has("docs/new.txt"));
}

TEST_CASE("files_find and files_grep search one place or every root") {
  Disk disk;
  BuiltPlugin plugin("files", disk.config());
  CHECK(plugin.structured("files_find", R"({"pattern":"*.md"})") ==
        R"({"paths":["docs/a.md","docs/sub/b.md"],"truncated":false})");
  CHECK(plugin.structured("files_find", R"({"pattern":"**/*.{md,txt}","path":"docs/sub"})") ==
        R"({"paths":["docs/sub/b.md"],"truncated":false})");
  CHECK(plugin.structured("files_find", R"({"pattern":"s*"})") == R"({"paths":["docs/sub/"],"truncated":false})");
  CHECK_THAT(plugin.error("files_find", R"({"pattern":"{a"})"), Catch::Contains("bad glob pattern"));

  CHECK(
      plugin.structured("files_grep", R"({"pattern":"^(beta )?one$"})") ==
      R"({"files":[{"path":"docs/a.md","matches":[{"line":2,"text":"one"}]},)"
      R"({"path":"docs/sub/b.md","matches":[{"line":1,"text":"beta one"}]}],"files_searched":3,"truncated":false,)"
      R"("note":"1 files were skipped because they are not text."})");
  CHECK(plugin.structured("files_grep", R"({"pattern":"TWO","ignore_case":true,"context_lines":1,"glob":"a*"})") ==
        R"({"files":[{"path":"docs/a.md","matches":[{"line":3,"text":"two","before":["one"],"after":["three"]}]}],)"
        R"("files_searched":1,"truncated":false})");
  CHECK(plugin.structured("files_grep", R"({"pattern":"(","regex":false,"path":"desk/c.txt"})") ==
        R"({"files":[],"files_searched":1,"truncated":false})");
  CHECK_THAT(plugin.error("files_grep", R"({"pattern":"("})"), Catch::Contains("regex = false"));
}

TEST_CASE("searches stop at their caps and say so") {
  Disk disk;
  for (int i = 10; i < 20; ++i) disk.directory.put("docs/many/" + std::to_string(i), "needle\nneedle\n");
  {
    BuiltPlugin plugin("files", disk.config(R"(,"max_results":10)"));
    CHECK_THAT(plugin.structured("files_find", R"({"pattern":"1?"})"), Catch::Contains(R"("truncated":false)"));
    CHECK_THAT(plugin.structured("files_find", R"({"pattern":"*"})"), Catch::Contains("narrow the pattern"));
    CHECK_THAT(plugin.structured("files_grep", R"({"pattern":"needle","glob":"{10,11,12,13,14}"})"),
               Catch::Contains(R"("truncated":false)"));
    const auto more = plugin.structured("files_grep", R"({"pattern":"needle"})");
    CHECK_THAT(more, Catch::Contains(R"("truncated":true)") && Catch::Contains("docs/many/14") &&
                         !Catch::Contains("docs/many/15"));
  }
  BuiltPlugin plugin("files", disk.config(R"(,"max_visited":4)"));
  CHECK_THAT(plugin.structured("files_find", R"({"pattern":"*"})"), Catch::Contains("ended after 4 entries"));
}

TEST_CASE("a search is cancelled between files and reports progress") {
  Disk disk;
  for (int i = 0; i < 2'100; ++i) disk.directory.put("docs/many/" + std::to_string(i), "x");
  BuiltPlugin plugin("files", disk.config());
  const collet_call call = plugin.host->start({.name = "files_grep", .arguments = R"({"pattern":"nothing"})"});
  plugin.host->wait(call);
  const auto progress = plugin.host->progress(call);
  REQUIRE(progress.size() == 2);
  CHECK(progress[0].done < progress[1].done);
  plugin.host->cancel_next();
  CHECK_THAT(plugin.error("files_grep", R"({"pattern":"x"})"), Catch::Contains("cancelled"));
  CHECK_THAT(plugin.error("files_find", R"({"pattern":"x"})"), Catch::Contains("cancelled"));
  CHECK_THAT(plugin.error("files_read", R"({"path":"docs/a.md"})"), Catch::Contains("cancelled"));
}

TEST_CASE("names that are not UTF-8 are left out and counted") {
  Disk disk;
  disk.directory.put("docs/bad\xff", "one");
  BuiltPlugin plugin("files", disk.config());
  CHECK_THAT(plugin.structured("files_list", R"({"path":"docs"})"), Catch::Contains("1 entries are left out"));
  CHECK_THAT(plugin.structured("files_find", R"({"pattern":"*"})"), Catch::Contains("1 entries are left out"));
}

TEST_CASE("files serves calls on several threads at once") {
  Disk disk;
  BuiltPlugin plugin("files", disk.config());
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        const std::string path = "desk/" + std::to_string(i);
        plugin.host->call("files_write", R"({"path":")" + path + R"(","overwrite":true,"content":"mine"})");
        right += plugin.host->call("files_read", R"({"path":")" + path + R"("})").text() == "mine";
        right += !plugin.host->call("files_grep", R"({"pattern":"gamma"})").is_error;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 160);
}
