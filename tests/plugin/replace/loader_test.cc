#include "plugin/replace/loader.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

// Of what does not end all of it is used; the rest must end in a sixteenth of it.
constexpr std::uint64_t kShutdownMs = 3'000;

// A folder for files of one test.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "collet-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name, std::string_view content) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

PluginSpec spec_of(const std::string& id, const std::string& module) {
  return {.id = id, .library = module_path(module), .placement = kTestPlacement};
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a plugin's items are served from where they may run") {
  House house;
  const LoadReport report = house.load(module_path("sample"));
  INFO(report.error);
  REQUIRE(report.ok());
  CHECK(report.plugin_id == "org.example.sample");
  CHECK(report.version == "1.2.3-rc.1");
  CHECK(report.items == 16);
  CHECK(report.warnings.empty());

  Recorder inline_call;
  const CallId inline_id = house.start_tool("echo", R"({"text":"a\"b"})", inline_call);
  if (!in_worker()) CHECK(inline_id == 0);  // ended before start() returned
  const Ending ending = inline_call.wait_end();
  CHECK(ending.how == Ending::How::completed);
  CHECK(ending.content == R"({"type":"text","text":"{\"text\":\"a\\\"b\"}"})");

  Recorder queued_call;
  house.start_tool("queued_echo", "[]", queued_call);
  CHECK(queued_call.wait_end().content == R"({"type":"text","text":"[]"})");
  CHECK(house.call_tool("background", "7").content == R"({"type":"text","text":"7"})");
  CHECK(house.call_tool("thread_id").fields == R"("inMain":false)");

  const auto status = house.loader.status();
  REQUIRE(status.size() == 1);
  CHECK(status[0].id == "p1");
  CHECK(status[0].items == 16);
  CHECK(status[0].runs_inline == !in_worker());
  CHECK(house.ends());
  CHECK(house.registry.current()->items(registry::Kind::tool).empty());
}

TEST_CASE("permissions that nobody enforces are said to hold nothing back") {
  House house;
  PluginSpec spec = spec_of("p", "sample");
  spec.permissions.read = {"/etc"};
  const LoadReport report = house.loader.load({spec}).at(0);
  REQUIRE(report.warnings.size() == (in_worker() ? 0 : 1));
  if (!in_worker()) contains(report.warnings[0], "is trusted: its permissions hold nothing back");
}

TEST_CASE("several plugins are published in the order in which they are configured") {
  House house;
  std::vector<PluginSpec> specs(3);
  specs[0] = spec_of("z", "sample");
  specs[1] = spec_of("broken", "hostile_create_crashes");
  specs[2] = spec_of("a", "sample");
  specs[2].rules.prefix = "a_";
  const auto reports = house.loader.load(specs);
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].ok());
  CHECK_FALSE(reports[1].ok());
  CHECK(reports[2].ok());
  CHECK(*house.registry.current()->find(registry::Kind::tool, "echo")->source == "z");
  CHECK(house.registry.current()->find(registry::Kind::tool, "a_echo"));
  CHECK(*house.registry.current()->find(registry::Kind::prompt, "a_greet")->source == "a");
  const auto again = house.loader.load({spec_of("z", "sample")});
  contains(again[0].error, "there is another plugin with the id z");
}

TEST_CASE("a library that is no plugin, or a wrong one, is an error that names file and reason") {
  const std::pair<const char*, const char*> cases[] = {
      {"hostile_null_entry", "collet_plugin_entry_v1() returned NULL"},
      {"hostile_null_create", "its function create is NULL"},
      {"hostile_null_destroy", "its function destroy is NULL"},
      {"hostile_null_call", "its function call is NULL"},
      {"hostile_size_0", "struct_size is 0"},
      {"hostile_size_7", "struct_size is 7"},
      {"hostile_size_max_", "struct_size is 4294967295"},
      {"hostile_needs_newer", "it needs ABI 1.7, this host has 1.0: update the host"},
      {"hostile_bad_id", "its id is not reverse-DNS"},
      {"hostile_null_id", "its id is not reverse-DNS"},
      {"hostile_bad_version", "its version is not a semantic version"},
      {"hostile_bad_info", "its info is not a JSON object"},
      {"hostile_create_fails", "its create() returned COLLET_E_INVALID (-1): an item has no name"},
      {"hostile_create_exits", "with exit code 0"},
      {"hostile_create_crashes", "crashed with SIGSEGV"},
      {"hostile_constructor_crashes", "crashed with SIGSEGV"},
      {"hostile_create_aborts", "crashed with SIGABRT"},
      {"hostile_create_forks_and_crashes", "crashed with SIGSEGV"},
      {"hostile_create_closes_all", in_worker() ? "its worker process " : "closed file descriptors that are not"},
      {"hostile_no_symbol", "does not export collet_plugin_entry_v1"},
      {"hostile_dependent", "libcollet_test_gone.so"},
  };
  House house;
  std::vector<PluginSpec> specs;
  for (const auto& [name, reason] : cases) specs.push_back(spec_of(name, name));
  specs.push_back(spec_of("good", "sample"));
  const auto reports = house.loader.load(specs);
  REQUIRE(reports.size() == std::size(cases) + 1);
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    contains(reports[i].error, cases[i].second);
    contains(reports[i].error, module_path(cases[i].first));
  }
  CHECK(reports.back().ok());
  CHECK(house.call_tool("queued_echo", "1").content == R"({"type":"text","text":"1"})");
}

TEST_CASE("what a library may not do in this process is no matter in a worker") {
  const std::pair<const char*, const char*> cases[] = {
      {"hostile_worker_only", "asks for a worker process"},
      {"hostile_create_closes_fds", "closes file descriptor 0"},
  };
  for (const auto& [name, reason] : cases) {
    House house;
    const LoadReport report = house.load(module_path(name));
    CHECK(report.ok() == in_worker());
    if (!in_worker()) contains(report.error, reason);
  }
}

TEST_CASE("create() that hangs is cut off, in trial loading or after it") {
  LoaderOptions options = test_options();
  (in_worker() ? options.create_timeout_ms : options.preflight_timeout_ms) = 300;
  House house(options);
  const char* late = in_worker() ? "has not returned in time" : "did not finish within 300 ms";
  contains(house.load(module_path("hostile_create_hangs")).error, late);
  contains(house.load(module_path("hostile_create_closes_all_and_hangs")).error, in_worker() ? "was killed" : late);

  LoaderOptions impatient = test_options();
  impatient.create_timeout_ms = 2'000;  // enough for its trial
  House other(impatient);
  contains(other.load(module_path("hostile_create_hangs_unless_probed")).error, "has not returned in time");
}

TEST_CASE("without an executable for trial loading the reason is given and nothing is loaded") {
  LoaderOptions options = test_options();
  options.preflight_executable = "/nowhere/collet";
  House house(options);
  const LoadReport report = house.load(module_path("sample"));
  CHECK(report.ok() == in_worker());  // which needs no trial
  if (!in_worker()) contains(report.error, "cannot run /nowhere/collet for trial loading");
}

TEST_CASE("files that are no libraries are errors") {
  Folder folder;
  const std::string good = content_of(module_path("sample"));
  const std::string fifo = folder.path() + "/fifo.so";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  std::string foreign = good;
  foreign[18] = 0x28;  // e_machine: ARM
  const std::pair<std::string, const char*> cases[] = {
      {folder.path() + "/none.so", "No such file"},
      {folder.path(), "is not a regular file"},
      {fifo, "is not a regular file"},
      {folder.file("empty.so", ""), "is empty"},
      {folder.file("text.so", "this is no library"), "it is not an ELF file"},
      {folder.file("short.so", good.substr(0, 20)), "is cut off"},
      {folder.file("half.so", good.substr(0, good.size() / 2)), "cut off"},
      {folder.file("foreign.so", foreign), "it is built for arm"},
  };
  House house;
  for (const auto& [path, reason] : cases) {
    const LoadReport report = house.load(path);
    contains(report.error, reason);
    contains(report.error, path);
  }
  LoaderOptions small = test_options();
  small.file_bytes_max = good.size();
  House fits(small);
  CHECK(fits.load(module_path("sample")).ok());
  small.file_bytes_max = good.size() - 1;
  House too_small(small);
  contains(too_small.load(module_path("sample")).error, "more than the limit");
}

// What its trial survives the host does, unless the loader reads where one has memory and the other has none.
TEST_CASE("corrupt bytes in a library do not harm the host") {
  Folder folder;
  const std::string good = content_of(module_path("sample"));
  House house;
  unsigned seed = 1;
  for (int round = 0; round < 40; ++round) {
    std::string bad = good;
    for (int n = 0; n < 8; ++n) {
      seed = seed * 1664525 + 1013904223;
      bad[(seed >> 8) % 4096] = static_cast<char>(seed >> 24);  // headers, hashes, symbols
    }
    const LoadReport report = house.load(folder.file("bad" + std::to_string(round) + ".so", bad));
    if (!report.ok()) contains(report.error, "cannot load ");
  }
  CHECK(house.load(module_path("sample")).ok());
}

TEST_CASE("a config that is no object, and one that the plugin refuses, are errors") {
  House house;
  contains(house.load(module_path("sample"), "[]").error, "its config is not a JSON object");
  contains(house.load(module_path("sample"), R"({"a":"refuse"})").error, "its create() returned COLLET_E_INVALID");
}

TEST_CASE("exceptions from a plugin fail its loading or its call") {
  House house;
  contains(house.load(module_path("hostile_throws"), R"({"a":"throw"})").error,
           "its create() threw an exception: from create");
  REQUIRE(house.load(module_path("hostile_throws")).ok());
  const Ending ending = house.call_tool("throw");
  CHECK(ending.how == Ending::How::failed);
  CHECK(ending.message == "plugin p2: call() threw an exception: from call");
}

TEST_CASE("a plugin that ends calls twice, or ends others', is told and harms nobody") {
  House house;
  REQUIRE(house.load(module_path("hostile_result")).ok());
  for (int i = 0; i < 3; ++i) {
    const Ending ending = house.call_tool("misbehave");
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.message == "plugin p1: add_text(): the result is larger than the host's limit");
  }
}

TEST_CASE("wrong registrations are left out, the rest of the plugin is served") {
  House house;
  const LoadReport twice = house.load(module_path("hostile_item_twice"));
  REQUIRE(twice.ok());
  CHECK(twice.items == 1);
  REQUIRE(twice.warnings.size() == 1);
  CHECK(twice.warnings[0] == "left out: item \"tool\" is registered twice");
  CHECK(house.load(module_path("hostile_completes_in_create")).ok());
  CHECK(house.load(module_path("hostile_registers_in_destroy")).ok());
  CHECK(house.ends());
}

TEST_CASE("a table that ends before the optional functions is read as far as it goes") {
  House house;
  REQUIRE(house.load(module_path("hostile_small_table")).ok());
  CHECK(house.call_tool("tool").how == Ending::How::completed);
}

TEST_CASE("a library with thread-local destructors runs on executors, one that cannot be unloaded says so") {
  House house;
  const LoadReport report = house.load(module_path("hostile_sticky"));
  REQUIRE(report.ok());
  REQUIRE(report.warnings.size() == (in_worker() ? 0 : 1));
  if (!in_worker()) contains(report.warnings[0], "cannot be unloaded: 1 unique symbols");
  Recorder recorder;
  house.start_tool("stick", "5", recorder);
  CHECK(recorder.wait_end().content == R"({"type":"text","text":"5"})");
  CHECK_FALSE(house.loader.status()[0].runs_inline);
  CHECK(house.ends());
}

TEST_CASE("what does not return at the end is named and left, or killed with its worker, and the others end") {
  for (const char* name : {"hostile_destroy_hangs_unless_probed", "hostile_call_hangs"}) {
    House house;
    REQUIRE(house.load(module_path(name)).ok());
    REQUIRE(house.load(module_path("sample")).ok());
    Recorder recorder;
    house.start_tool("tool", "{}", recorder);
    const auto left = house.loader.shutdown(kShutdownMs, Loader::Loops::running);
    recorder.wait_end();
    REQUIRE(left.size() == (in_worker() ? 0 : 1));
    if (!in_worker()) {
      contains(left[0], "plugin p1 was not unloaded: its ");
      contains(left[0], "has not returned");
    }
    CHECK(recorder.ends() == 1);
  }
}

TEST_CASE("at shutdown a running call is asked to end, and ended if it does not") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  Recorder held;
  Recorder never;
  house.start_tool("hold", "{}", held);
  held.wait_notices(1);
  CHECK(house.start_tool("never", "{}", never) != 0);
  CHECK(house.ends());
  CHECK(held.wait_end().content == R"({"type":"text","text":"3"})");  // COLLET_CANCEL_SHUTDOWN
  CHECK(never.wait_end().message == "plugin p1 was unloaded before the call ended");
}

TEST_CASE("after the loops have ended nobody is told, and everything is unloaded") {
  Recorder never;
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  house.start_tool("never", "{}", never);
  house.loop(0).stop();
  house.loop(1).stop();
  CHECK(house.ends(Loader::Loops::ended));
  CHECK(never.ends() == 0);
}

TEST_CASE("an item's time limit is the one configured for it, else its own, else the plugin's") {
  House house;
  const CallRules rules{.timeout_ms = 70, .item_timeouts_ms = {{"never", 80}}};
  PluginSpec spec = spec_of("p", "sample");
  spec.calls = rules;
  REQUIRE(house.loader.load({spec})[0].ok());
  const auto timeout = [&](const char* tool) {
    return house.registry.current()->find(registry::Kind::tool, tool)->def->timeout_ms;
  };
  CHECK(timeout("echo") == 70);
  CHECK(timeout("never") == 80);
}

TEST_CASE("a NONBLOCKING item stays off the loops if the configuration says so") {
  House house;
  PluginSpec spec = spec_of("p", "sample");
  spec.calls.inline_allowed = false;
  REQUIRE(house.loader.load({spec})[0].ok());
  Recorder call;
  house.start_tool("echo", R"({"text":"a"})", call);
  CHECK_FALSE(house.loader.status()[0].runs_inline);
  call.wait_end();
}

TEST_CASE("folders are searched for libraries, sorted by name") {
  Folder folder;
  const std::string b = folder.file("b.so", "x");
  const std::string a = folder.file("a.so", "x");
  folder.file("c.txt", "x");
  const auto found = discover({folder.path(), folder.path() + "/none"});
  REQUIRE(found.size() == 3);
  CHECK(*found[0] == a);
  CHECK(*found[1] == b);
  contains(found[2].message(), "cannot list the plugin folder");
}

TEST_CASE("loading and unloading leaves nothing mapped, open or running") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kCycles = 20;
#else
  constexpr int kCycles = 1'000;
#endif
  Folder folder;
  loop::Loop loop;
  LoaderOptions options = test_options();
  options.private_folder = folder.path() + "/private";
  options.preflight_executable.clear();
  const auto cycle = [&] {
    registry::Registry registry;
    Loader loader({&loop}, registry, options);
    const auto reports = loader.load({spec_of("sample", "sample_concurrent")});
    REQUIRE(reports[0].ok());
    CHECK(loader.shutdown(kUnhurried, Loader::Loops::ended).empty());
    CHECK(entries((options.private_folder).c_str()) == 1);  // its own folder
  };
  cycle();
  const std::size_t descriptors = entries("/proc/self/fd");
  const std::size_t threads = entries("/proc/self/task");
  for (int i = 0; i < kCycles; ++i) cycle();
  CHECK(entries("/proc/self/fd") == descriptors);
  CHECK(entries("/proc/self/task") <= threads);
  CHECK(entries((options.private_folder).c_str()) == 0);
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) CHECK(line.find(options.private_folder) == std::string::npos);
}
