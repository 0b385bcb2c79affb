// Replacing a plugin by another build of it, while it is called.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <thread>

#include "house.h"
#include "registry/invocation.h"
#include "registry/parking.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using Done = LoadReport::Done;
using registry::Ending;
using registry::Kind;

namespace {

// A plugin "p" whose library the test replaces.
class Bench {
 public:
  explicit Bench(const char* build, std::string config = "{}", LoaderOptions options = test_options())
      : house(with_given_up(std::move(options), *this)) {
    std::string pattern = std::filesystem::temp_directory_path() / "collet-reload-XXXXXX";
    folder = mkdtemp(pattern.data());
    install(build);
    spec = {.id = "p",
            .library = library(),
            .config = std::move(config),
            .placement = kTestPlacement,
            .permissions = {.write = {std::filesystem::temp_directory_path()}}};
    REQUIRE(house.loader.load({spec})[0].error == "");
  }
  ~Bench() { std::filesystem::remove_all(folder); }

  std::string library() const { return folder + "/p.so"; }
  // As a linker or an installer does it: a new file takes the place of the old one.
  void install(const std::string& build) {
    std::filesystem::copy_file(module_path(build), folder + "/next");
    std::filesystem::rename(folder + "/next", library());
  }
  void write(std::string_view bytes) {
    std::filesystem::remove(library());
    std::ofstream(library(), std::ios::binary) << bytes;
  }
  LoadReport reload() { return house.loader.reload("p"); }
  LoadReport reload(const char* build) {
    install(build);
    return reload();
  }
  std::string call(const char* tool, std::string_view arguments = "{}") {
    const std::string content = house.call_tool(tool, arguments).content;
    json::Document block;
    if (json::parse(content, block)) return content;
    return std::string(json::find_string(block, "text").value_or(""));
  }
  PluginStatus status() { return house.loader.status().at(0); }
  // Waits until what was replaced is gone.
  void settle() {
    REQUIRE(becomes_true([&] { return house.loader.draining().empty(); }));
  }
  // Waits until that many have not ended in time.
  void settle_left_behind(std::size_t count) {
    REQUIRE(becomes_true([&] { return house.loader.left_behind().size() >= count; }));
  }

  std::string folder;
  PluginSpec spec;
  std::mutex mutex;
  std::vector<std::pair<std::string, std::uint64_t>> given_up;  // guarded by mutex
  House house;

 private:
  static LoaderOptions with_given_up(LoaderOptions options, Bench& bench) {
    options.given_up = [&bench](std::string id, std::uint64_t number) {
      const std::lock_guard lock(bench.mutex);
      bench.given_up.emplace_back(std::move(id), number);
    };
    return options;
  }
};

// A FIFO that a call of "wait" reads from.
class ReloadGate {
 public:
  explicit ReloadGate(const Bench& bench) : path_(bench.folder + "/fifo") { REQUIRE(mkfifo(path_.c_str(), 0600) == 0); }
  std::string arguments() const { return R"({"fifo":")" + path_ + R"("})"; }
  void open() const {
    const int fd = ::open(path_.c_str(), O_WRONLY);
    CHECK(::write(fd, "x", 1) == 1);
    close(fd);
  }

 private:
  const std::string path_;
};

std::size_t mapped(const std::string& part) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(part) != std::string::npos;
  return count;
}

}  // namespace

TEST_CASE("a call in flight ends where it began, the next one at the new build") {
  Bench bench("versioned_1");
  const ReloadGate gate(bench);
  Recorder begun;
  bench.house.start_tool("wait", gate.arguments(), begun);
  begun.wait_notices(1);
  const LoadReport report = bench.reload("versioned_2");
  CHECK(report.error == "");
  CHECK(report.done == Done::replaced);
  CHECK(report.generation == 2);
  CHECK(bench.call("which") == "2");
  CHECK(bench.call("queued_which") == "2");

  const auto draining = bench.house.loader.draining();
  REQUIRE(draining.size() == 1);
  CHECK(draining[0].number == 1);
  CHECK(draining[0].calls == 1);
  REQUIRE(draining[0].waits_for.size() == 1);
  CHECK(std::regex_match(draining[0].waits_for[0], std::regex("wait, for [0-9]+ s")));
  gate.open();
  CHECK(begun.wait_end().content == R"({"type":"text","text":"1"})");
  bench.settle();
  CHECK(bench.house.loader.left_behind().empty());
  CHECK((mapped("-p.so") > 0) == !in_worker());
  CHECK(bench.house.ends());
}

TEST_CASE("a build that fails anywhere leaves the old one serving and says why") {
  const std::pair<const char*, const char*> cases[] = {
      {"hostile_null_call", "its function call is NULL"},
      {"hostile_create_crashes", "crashed with SIGSEGV"},
      {"hostile_constructor_crashes", "crashed with SIGSEGV"},
      {"hostile_create_exits", in_worker() ? "its worker process ended with exit code 0" : "ended the process"},
      {"hostile_needs_newer", "it needs ABI 1.7"},
      {"hostile_worker_only", "worker process"},
      {"versioned_fails", "its create() returned COLLET_E_INTERNAL"},
      {"versioned_broken", "ask of plugin p would be left out: "},
      {"hostile_item_twice", "item \"tool\" is registered twice"},
  };
  Bench bench("versioned_1");
  for (const auto& [build, reason] : cases) {
    if (in_worker() && build == std::string_view("hostile_worker_only")) continue;  // it serves there
    const LoadReport report = bench.reload(build);
    CHECK(report.done == Done::failed);
    contains(report.error, reason);
    contains(bench.status().problem, reason);
    CHECK(bench.status().generation == 1);
    CHECK(bench.call("which") == "1");
  }
  bench.settle();
  CHECK(bench.reload("versioned_2").ok());
  CHECK(bench.status().problem == "");
  CHECK(bench.call("which") == "2");
}

TEST_CASE("what is no library leaves the old one serving") {
  Bench bench("versioned_1");
  std::ifstream file(module_path("versioned_2"), std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(file), {}};
  std::string foreign = good;
  foreign[18] = 0x28;  // e_machine: ARM
  const std::pair<std::string, const char*> cases[] = {{"", "is empty"},
                                                       {"text", "not an ELF file"},
                                                       {good.substr(0, good.size() / 2), "cut off"},
                                                       {foreign, "arm"}};
  for (const auto& [bytes, reason] : cases) {
    bench.write(bytes);
    contains(bench.reload().error, reason);
    CHECK(bench.call("which") == "1");
  }
  std::filesystem::remove(bench.library());
  contains(bench.reload().error, "No such file");
  REQUIRE(mkfifo(bench.library().c_str(), 0600) == 0);
  contains(bench.reload().error, "is not a regular file");
  std::filesystem::remove(bench.library());
  std::filesystem::create_directory(bench.library());
  contains(bench.reload().error, "is not a regular file");
  CHECK(bench.call("which") == "1");
}

TEST_CASE("what cannot be opened leaves the old one serving") {
  Bench bench("versioned_1");
  bench.install("versioned_2");
  std::filesystem::permissions(bench.library(), std::filesystem::perms::none);
  constexpr uid_t kNobody = 65534;
  const uid_t us = geteuid();
  REQUIRE(seteuid(us == 0 ? kNobody : us) == 0);  // root may read anything
  const LoadReport unreadable = bench.reload();
  REQUIRE(seteuid(us) == 0);
  contains(unreadable.error, "cannot open " + bench.library() + ": Permission denied");
  std::filesystem::remove(bench.library());
  std::filesystem::create_symlink(bench.library(), bench.library());
  contains(bench.reload().error, "Too many levels of symbolic links");
  CHECK(bench.call("which") == "1");
}

TEST_CASE("a disk that has no room for the copy leaves the old one serving, and no part of it") {
  std::string parent = std::filesystem::temp_directory_path() / "collet-full-XXXXXX";
  REQUIRE(mkdtemp(parent.data()));
  const auto copies = [&] {
    return std::distance(std::filesystem::recursive_directory_iterator(parent),
                         std::filesystem::recursive_directory_iterator());
  };
  {
    LoaderOptions options = test_options();
    options.private_folder = parent;
    Bench bench("versioned_1", "{}", options);
    bench.install("versioned_2");
    const auto before = copies();
    rlimit unlimited{};
    getrlimit(RLIMIT_FSIZE, &unlimited);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit full{4096, unlimited.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    const LoadReport report = bench.reload();
    setrlimit(RLIMIT_FSIZE, &unlimited);
    std::signal(SIGXFSZ, handler);
    contains(report.error, "cannot copy " + bench.library() + ": File too large");
    CHECK(copies() == before);
    CHECK(bench.call("which") == "1");
    CHECK(bench.reload().ok());
    CHECK(bench.call("which") == "2");
  }
  std::filesystem::remove_all(parent);
}

TEST_CASE("overwriting a library in place does not touch what runs") {
  Bench bench("versioned_1");
  std::ofstream(bench.library(), std::ios::binary | std::ios::trunc);
  CHECK(bench.call("which") == "1");
  std::filesystem::copy_file(module_path("versioned_2"), bench.library(),
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(bench.call("which") == "1");
  CHECK(bench.house.loader.apply({bench.spec}, false).size() == 1);
  CHECK(bench.call("which") == "2");
}

TEST_CASE("only files that have changed are loaded, by what is in them") {
  Bench bench("versioned_1");
  CHECK(bench.house.loader.apply({bench.spec}, true).empty());
  bench.install("versioned_1");  // another file, the same bytes
  CHECK(bench.house.loader.apply({bench.spec}, true).empty());
  CHECK(bench.status().generation == 1);
  bench.write("text");
  CHECK(bench.house.loader.apply({bench.spec}, false).size() == 1);
  CHECK(bench.house.loader.apply({bench.spec}, false).empty());     // the same bad file
  CHECK(bench.house.loader.apply({bench.spec}, true).size() == 1);  // asked for
  bench.install("versioned_1");
  CHECK(bench.house.loader.apply({bench.spec}, false).empty());
  CHECK(bench.status().problem == "");  // what is there is what serves
}

TEST_CASE("clients hear of a list only if it differs") {
  Bench bench("versioned_1");
  std::vector<unsigned> changes;
  bench.house.on_publish = [&](unsigned changed) { changes.push_back(changed); };
  CHECK(bench.reload("versioned_2").ok());
  CHECK(bench.reload("versioned_extra").ok());
  CHECK(changes == std::vector<unsigned>{0, 1});
  CHECK(bench.call("extra") == "3");
}

TEST_CASE("a suspended call holds no generation and goes on at the new build") {
  Bench bench("versioned_1");
  const Ending asked = bench.house.call_tool("ask");
  REQUIRE(asked.how == Ending::How::suspended);
  REQUIRE(bench.reload("versioned_2").ok());
  bench.settle();  // the generation that asked is gone
  registry::Call call;
  call.round = 1;
  call.state = asked.state;
  call.state_version = asked.state_version;
  call.input_responses = R"({"name":{}})";
  Recorder recorder;
  bench.house.start(Kind::tool, "ask", call, recorder);
  CHECK(recorder.wait_end().content == R"({"type":"text","text":"2"})");
}

TEST_CASE("state is handed over, and a plugin that cannot is not replaced") {
  Bench bench("versioned_1");
  CHECK(bench.call("count") == "1");
  CHECK(bench.call("count") == "2");
  REQUIRE(bench.reload("versioned_2").ok());
  CHECK(bench.call("count") == "3");

  Bench failing("versioned_1", R"({"a":"unsaved"})");
  contains(failing.reload("versioned_2").error, "the save() of the generation before returned COLLET_E_INTERNAL");
  CHECK(failing.call("which") == "1");
}

TEST_CASE("state is handed over up to its limit") {
  const auto saving = [](std::size_t bytes) { return R"({"saved":)" + std::to_string(bytes) + "}"; };
  Bench bench("versioned_1", saving(limits::kSavedStateBytesMax));
  CHECK(bench.call("count") == "1");
  CHECK(bench.reload("versioned_2").error == "");
  CHECK(bench.call("count") == "2");

  Bench past("versioned_1", saving(limits::kSavedStateBytesMax + 1));
  contains(past.reload("versioned_2").error, "the save() of the generation before returned COLLET_E_");
  CHECK(past.call("which") == "1");
}

TEST_CASE("a drain that takes too long cancels, then answers, and unloads") {
  LoaderOptions options = test_options();
  options.cancel_grace_ms = 10;
  Bench bench("versioned_1", "{}", options);
  Recorder kept;
  CHECK(bench.house.start_tool("keep", "{}", kept) != 0);
  PluginSpec hasty = bench.spec;
  hasty.drain_timeout_ms = 1;
  CHECK(bench.house.loader.apply({hasty}, false).at(0).done == Done::adjusted);
  CHECK(bench.reload("versioned_2").ok());
  CHECK(kept.wait_end().message == "plugin p was unloaded before the call ended");
  bench.settle();
  CHECK(bench.house.loader.left_behind().empty());
}

TEST_CASE("what does not return when it is replaced is left mapped, and said") {
  if (in_worker()) return;  // what cannot be ended there is killed
  LoaderOptions options = test_options();
  options.destroy_timeout_ms = 100;
  Bench bench("versioned_destroy_hangs", R"({"a":"probe"})", options);  // so that its trial ends
  PluginSpec hanging = bench.spec;
  hanging.config = R"({"a":"hang accept"})";
  CHECK(bench.house.loader.apply({hanging}, false).at(0).done == Done::reconfigured);
  CHECK(bench.reload("versioned_2").ok());
  CHECK(bench.call("which") == "2");
  bench.settle_left_behind(1);
  CHECK(bench.house.loader.left_behind()[0].stuck);
  contains(bench.house.loader.left_behind()[0].reason, "its destroy() has not returned");
  CHECK(bench.house.loader.shutdown(500, Loader::Loops::running).size() == 1);
}

TEST_CASE("a create() that hangs leaves the old one serving, and is left alone") {
  LoaderOptions options = test_options();
  options.create_timeout_ms = 2'000;  // enough for the one that serves
  Bench bench("versioned_1", "{}", options);
  contains(bench.reload("hostile_create_hangs_unless_probed").error, "has not returned in time");
  CHECK(bench.call("which") == "1");
  if (in_worker()) {  // there it is killed
    CHECK(bench.house.loader.left_behind().empty());
    return;
  }
  REQUIRE(bench.house.loader.left_behind().size() == 1);
  CHECK(bench.house.loader.left_behind()[0].stuck);
  CHECK(bench.reload("versioned_2").ok());
  CHECK(bench.call("which") == "2");
  CHECK(bench.house.loader.shutdown(500, Loader::Loops::running).size() == 1);
}

TEST_CASE("errors of its own in its probation bring the old build back") {
  Bench bench("versioned_1");
  REQUIRE(bench.reload("versioned_2").ok());
  CHECK(bench.status().on_probation);
  for (unsigned i = 1; i < limits::kProbationErrorsMax; ++i) bench.house.call_tool("err");
  CHECK(bench.given_up.empty());
  bench.house.call_tool("err");
  bench.house.call_tool("err");
  const std::lock_guard lock(bench.mutex);
  REQUIRE(bench.given_up == std::vector<std::pair<std::string, std::uint64_t>>{{"p", 2}});
  CHECK(bench.house.loader.roll_back("p", 1).empty());  // not that one
  const auto reports = bench.house.loader.roll_back("p", 2);
  REQUIRE(reports.size() == 1);
  contains(reports[0].error, "generation 2 has made 10 errors of its own");
  contains(bench.status().problem, "the one before was brought back");
  CHECK(bench.status().generation == 3);
  CHECK_FALSE(bench.status().on_probation);
  CHECK(bench.call("which") == "1");
  CHECK(bench.house.loader.apply({bench.spec}, false).empty());  // the bad build is not tried again
  CHECK(bench.call("which") == "1");
}

TEST_CASE("after its probation a generation is there to stay") {
  LoaderOptions options = test_options();
  options.probation_ms = 0;
  Bench bench("versioned_1", "{}", options);
  REQUIRE(bench.reload("versioned_2").ok());
  CHECK_FALSE(bench.status().on_probation);
  CHECK(bench.house.loader.roll_back("p", 2).empty());
  CHECK(bench.call("which") == "2");
}

TEST_CASE("a new set of plugins touches what has changed and nothing else") {
  Bench bench("versioned_1");
  PluginSpec other = bench.spec;
  other.id = "q";
  other.rules.prefix = "q_";
  const auto added = bench.house.loader.apply({bench.spec, other}, false);
  REQUIRE(added.size() == 1);
  CHECK(added[0].done == Done::loaded);
  CHECK(bench.call("q_which") == "1");
  CHECK(bench.house.loader.apply({bench.spec, other}, false).empty());

  other.rules = {.prefix = "r_", .hide = {"err"}};
  const auto renamed = bench.house.loader.apply({bench.spec, other}, false);
  REQUIRE(renamed.size() == 1);
  CHECK(renamed[0].done == Done::adjusted);
  CHECK(bench.call("r_which") == "1");
  CHECK_FALSE(bench.house.registry.current()->find(Kind::tool, "q_which"));
  CHECK_FALSE(bench.house.registry.current()->find(Kind::tool, "r_err"));

  other.config = R"({"a":"accept"})";
  CHECK(bench.house.loader.apply({bench.spec, other}, false).at(0).done == Done::reconfigured);
  CHECK(bench.call("r_config") == other.config);
  CHECK(bench.house.loader.status().at(1).generation == 1);
  other.config = R"({"a":"refuse"})";
  CHECK(bench.house.loader.apply({bench.spec, other}, false).at(0).done == Done::replaced);
  CHECK(bench.call("r_config") == other.config);
  CHECK(bench.house.loader.status().at(1).generation == 2);

  const auto gone = bench.house.loader.apply({other}, false);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].done == Done::removed);
  CHECK(gone[0].id == "p");
  CHECK_FALSE(bench.house.registry.current()->find(Kind::tool, "which"));
  CHECK(bench.house.loader.apply({other, bench.spec}, false).at(0).done == Done::loaded);
  CHECK(bench.call("which") == "1");
}

TEST_CASE("names in the rules that the plugin does not offer are told, at the start and when they change") {
  Bench bench("versioned_1");
  PluginSpec other = bench.spec;
  other.id = "q";
  other.rules = {.prefix = "q_", .hide = {"err", "eror"}, .rename = {{"wich", "a"}, {"count", "q_counts"}}};
  other.calls.item_timeouts_ms = {{"wait", 1'000}, {"q_wait", 1'000}};
  const auto added = bench.house.loader.apply({bench.spec, other}, false);
  REQUIRE(added.size() == 1);
  CHECK(added[0].error == "");
  std::vector<std::string> told;
  for (const std::string& warning : added[0].warnings) {
    if (warning.find("has no effect") != std::string::npos) told.push_back(warning.substr(0, warning.find(':')));
  }
  CHECK(told == std::vector<std::string>{"hide has no effect on \"eror\"", "rename has no effect on \"wich\"",
                                         "tools has no effect on \"q_wait\""});

  other.rules = {.prefix = "q_", .hide = {"counts"}};
  const auto adjusted = bench.house.loader.apply({bench.spec, other}, false);
  REQUIRE(adjusted.size() == 1);
  CHECK(adjusted[0].done == Done::adjusted);
  CHECK(adjusted[0].warnings ==
        std::vector<std::string>{"hide has no effect on \"counts\": the plugin offers nothing of "
                                 "that name",
                                 "tools has no effect on \"q_wait\": the plugin offers nothing "
                                 "of that name"});
}

namespace {

// A call as everybody makes it, of the tool on that loop; who hears of it outlives it.
class Invoked {
 public:
  Invoked(House& house, unsigned loop, std::string tool, registry::Listener& caller, std::uint64_t timeout_ms = 0)
      : house_(house), loop_(loop) {
    house_.loop(loop_).run([&] {
      deadlines_.emplace(house_.loop(loop_).get());
      invocation_.emplace(registry::Order{.name = std::move(tool), .timeout_ms = timeout_ms}, registry::OnBehalf{}, sealer_,
                          *deadlines_, caller);
      invocation_->begin(*house_.registry.current(), loop_);
    });
  }
  ~Invoked() {
    house_.loop(loop_).run([&] {
      invocation_.reset();
      deadlines_.reset();
    });
  }
  void cancel() {
    house_.loop(loop_).run([&] { invocation_->cancel(registry::CancelReason::client); });
  }

 private:
  House& house_;
  const unsigned loop_;
  const registry::StateSealer sealer_;
  std::optional<registry::Deadlines> deadlines_;
  std::optional<registry::Invocation> invocation_;
};

bool parks(const Bench& bench) {
  const registry::SnapshotPtr now = bench.house.registry.current();
  const registry::Item* item = now->find(Kind::tool, "which");
  return item && dynamic_cast<registry::Parking*>(item->provider);
}

// A plugin that may not exist twice, which is on its way from one build to the next until finish().
struct ExclusiveReload {
  ExclusiveReload(Bench& bench, const char* next) : gate(bench) {
    bench.house.start_tool("wait", gate.arguments(), begun);
    begun.wait_notices(1);
    reloading = std::thread([this, &bench, next] { report = bench.reload(next); });
    while (!parks(bench)) std::this_thread::yield();
  }
  // What the old generation said at last.
  std::string finish() {
    gate.open();
    const std::string said = begun.wait_end().content;
    reloading.join();
    return said;
  }

  const ReloadGate gate;
  Recorder begun;
  LoadReport report;
  std::thread reloading;
};

std::string locked_config(const Bench& probe) { return R"({"lock":")" + probe.folder + R"(/lock"})"; }

const std::string kNeverBegan = "the call was cancelled before it began";

}  // namespace

TEST_CASE("a plugin that may not exist twice is replaced with its calls parked") {
  Bench probe("versioned_1");
  Bench bench("versioned_exclusive", locked_config(probe));
  CHECK(bench.call("count") == "1");
  ExclusiveReload reload(bench, "versioned_exclusive_2");
  Recorder waiting, cancelled, late;
  Invoked one(bench.house, 0, "which", waiting);
  Invoked other(bench.house, 1, "which", cancelled);
  const Invoked hasty(bench.house, 1, "which", late, 1);
  other.cancel();
  CHECK(cancelled.wait_end().message == kNeverBegan);
  CHECK(late.wait_end().message == kNeverBegan);
  CHECK(waiting.ends() == 0);
  CHECK(reload.finish() == R"({"type":"text","text":"4"})");
  CHECK(reload.report.error == "");
  CHECK(reload.report.done == Done::replaced);
  CHECK(waiting.wait_end().content == R"({"type":"text","text":"5"})");
  CHECK(bench.call("count") == "2");
  CHECK(bench.status().on_probation);
  CHECK(waiting.ends() + cancelled.ends() + late.ends() == 3);
}

TEST_CASE("calls that are parked go on where they are when the next build fails, and the old one is created again") {
  Bench probe("versioned_1");
  Bench bench("versioned_exclusive", locked_config(probe));
  ExclusiveReload reload(bench, "versioned_exclusive_fails");
  Recorder waiting;
  const Invoked one(bench.house, 1, "count", waiting);
  reload.finish();
  contains(reload.report.error, "its create() returned COLLET_E_INTERNAL");
  CHECK(waiting.wait_end().content == R"({"type":"text","text":"1"})");
  CHECK(bench.status().generation == 3);
}

TEST_CASE("calls that are parked end when no build of their plugin comes back") {
  Bench probe("versioned_1");
  const std::string lock = probe.folder + "/lock";
  Bench bench("versioned_exclusive", locked_config(probe));
  ExclusiveReload reload(bench, "versioned_exclusive_fails");
  Recorder waiting;
  const Invoked one(bench.house, 1, "which", waiting);
  std::filesystem::remove(lock);
  std::filesystem::create_directory(lock);  // which the plugin cannot take away
  reload.finish();
  contains(reload.report.error, "and what it was to replace does not come back");
  CHECK(waiting.wait_end().is_error);
  contains(waiting.wait_end().content, "What was called is gone; it was replaced meanwhile");
  CHECK_FALSE(bench.house.registry.current()->find(Kind::tool, "which"));
}

TEST_CASE("if the next build of such a plugin fails, the old one is created again with its state") {
  Bench probe("versioned_1");
  Bench bench("versioned_exclusive", locked_config(probe));
  CHECK(bench.call("count") == "1");
  contains(bench.reload("versioned_exclusive_fails").error, "its create() returned COLLET_E_INTERNAL");
  CHECK(bench.call("which") == "4");
  CHECK(bench.call("count") == "2");
  CHECK(bench.status().generation == 3);
  contains(bench.status().problem, "its create() returned");
}

TEST_CASE("if the calls of such a plugin do not end it stays") {
  LoaderOptions options = test_options();
  options.cancel_grace_ms = 10;
  Recorder kept;
  Bench bench("versioned_exclusive", "{}", options);
  PluginSpec hasty = bench.spec;
  hasty.drain_timeout_ms = 1;
  CHECK(bench.house.loader.apply({hasty}, false).at(0).done == Done::adjusted);
  CHECK(bench.house.start_tool("keep", "{}", kept) != 0);
  contains(bench.reload("versioned_exclusive_2").error, "calls of the generation before do not end");
  CHECK(bench.call("which") == "4");
  CHECK(kept.ends() == 0);
  CHECK(bench.house.ends());
}

TEST_CASE("past the bound of generations that drain a plugin is not replaced for now") {
  LoaderOptions options = test_options();
  options.cancel_grace_ms = 10;
  Bench bench("versioned_1", "{}", options);
  std::vector<Recorder> kept(limits::kDrainingMax);
  for (Recorder& recorder : kept) {
    CHECK(bench.house.start_tool("keep", "{}", recorder) != 0);
    CHECK(bench.reload().error == "");
  }
  const LoadReport report = bench.reload();
  CHECK(report.busy);
  contains(report.error, "16 generations of it wait for their calls to end");
  CHECK(bench.call("which") == "1");
}

TEST_CASE("past the bound of generations that do not end a plugin is not replaced any more") {
  if (in_worker()) return;  // what does not end there is killed
  LoaderOptions options = test_options();
  options.preflight_executable.clear();  // a trial would not end either
  options.destroy_timeout_ms = 1;
  Bench bench("versioned_destroy_hangs", "{}", options);
  for (unsigned i = 1; i <= limits::kLeftBehindMax; ++i) {
    CHECK(bench.reload().error == "");
    bench.settle_left_behind(i);
  }
  contains(bench.reload().error, "64 generations of it could not be unloaded: restart the server");
  CHECK(bench.call("which") == "4");
  CHECK(bench.house.loader.left_behind().size() == limits::kLeftBehindMax);
  CHECK(bench.house.loader.shutdown(500, Loader::Loops::running).size() == limits::kLeftBehindMax + 1);
}

TEST_CASE("a thousand builds leave nothing mapped, open or running") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kReloads = 20;
#else
  constexpr int kReloads = 1'000;
#endif
  LoaderOptions options = test_options();
  options.preflight_executable.clear();
  Bench bench("versioned_1", "{}", options);
  const auto entries = [](const char* folder) {
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  };
  const auto reload = [&](int i) {
    if (i % 8 == 7) bench.settle();  // no more may drain at a time than are allowed to
    REQUIRE(bench.reload(i % 2 ? "versioned_1" : "versioned_2").error == "");
    CHECK(bench.call("queued_which") == (i % 2 ? "1" : "2"));
  };
  for (int i = 0; i < 10; ++i) reload(i);
  bench.settle();
  const auto descriptors = entries("/proc/self/fd");
  const auto threads = entries("/proc/self/task");
  const std::size_t segments = mapped("-p.so");
  for (int i = 0; i < kReloads; ++i) reload(i);
  bench.settle();
  CHECK(entries("/proc/self/fd") == descriptors);
  CHECK(entries("/proc/self/task") <= threads + 1);
  CHECK(mapped("-p.so") == segments);
  CHECK(bench.house.loader.left_behind().empty());
}

TEST_CASE("a build that takes a tool away is refused, unless its version or its operator says so") {
  for (const auto& [first, same_version, next_major] :
       {std::tuple("versioned_extra", "versioned_2", "versioned_major"),
        std::tuple("versioned_exclusive_extra", "versioned_exclusive_2", "versioned_exclusive_major")}) {
    CAPTURE(first);
    Bench bench(first);
    const LoadReport refused = bench.reload(same_version);
    CHECK(refused.error.ends_with("it takes away what it offered before (-extra), and its version is 1.0.0 and was 1.0.0: raise its "
                                  "first number, or accept that (collet reload --accept)"));
    CHECK(refused.changes.removed == std::vector<std::string>{"extra"});
    CHECK(bench.call("extra") == "3");
    const LoadReport accepted = bench.house.loader.reload("p", ItemsMay::go);
    CHECK(accepted.error == "");
    CHECK(accepted.changes.to_text() == "-extra");
    const LoadReport back = bench.reload(first);
    CHECK(back.changes.to_text() == "+extra");
    CHECK(bench.reload(next_major).error == "");
  }
}

TEST_CASE("a plugin whose configuration has changed may take tools away") {
  Bench bench("versioned_extra");
  bench.install("versioned_2");
  bench.spec.config = R"({"other":true})";
  const auto reports = bench.house.loader.apply({bench.spec}, true);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].error == "");
  CHECK(reports[0].changes.to_text() == "-extra");
}
