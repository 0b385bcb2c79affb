// The worker of a plugin is killed at every boundary between frames, and at random under load for a minute: each
// call is answered once, with plugin and cause if it failed, no other plugin notices, and nothing is left behind.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/log.h"
#include "plugin/house.h"
#include "support/catch.h"
#include "worker/host/worker_image.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

constexpr auto kUnderLoad = std::chrono::seconds(60);
constexpr auto kWarmUp = std::chrono::seconds(15);  // before memory is compared
constexpr long kGrowthKibMax = 4 << 10;             // over some thousand workers

// Three plugins: "p" dies, "good" is in another worker, "near" in this process.
class Scene {
 public:
  explicit Scene(const char* library, const std::string& executable = COLLET_TEST_WORKER)
      : house(loader_options(executable)) {
    specs_.resize(3);
    specs_[0] = {.id = "p",
                 .library = module_path(library),
                 .placement = Placement::worker,
                 .permissions = {.environment = {"COLLET_TEST_DEATH"}}};
    specs_[1] = {.id = "good",
                 .library = module_path("sample"),
                 .rules = {.prefix = "good_"},
                 .placement = Placement::worker};
    specs_[2] = {.id = "near",
                 .library = module_path("sample"),
                 .rules = {.prefix = "near_"},
                 .placement = Placement::in_process};
    const std::vector<LoadReport> reports = house.loader.load(specs_);
    REQUIRE((reports[1].ok() && reports[2].ok()));
    if (reports[0].ok()) return;
    CHECK(reports[0].error.find("its worker process was killed (SIGKILL") != std::string::npos);
    REQUIRE(house.loader.apply(specs_, true).at(0).ok());
  }

  // Waits for the end of all calls that were started.
  void settle() {
    for (const auto& call : calls_) {
      const Ending ending = call->wait_end();
      ending.how == Ending::How::completed ? ++answered : ++failed;
      if (ending.how == Ending::How::completed) continue;
      INFO(ending.message);
      CHECK(ending.message.starts_with("plugin p: its worker process "));
    }
    for (const auto& call : bystanders_) CHECK(call->wait_end().content == R"({"type":"text","text":"1"})");
    for (const auto* all : {&calls_, &bystanders_}) {
      for (const auto& call : *all) CHECK(call->ends() == 1);
    }
    calls_.clear();
    bystanders_.clear();
  }
  void start(const char* tool, std::string_view arguments = "{}") {
    house.start_tool(tool, arguments, *calls_.emplace_back(std::make_unique<Recorder>()), calls_.size() % 2);
  }
  void start_bystanders() {
    for (const char* tool : {"good_echo", "near_echo", "near_queued_echo"}) {
      house.start_tool(tool, "1", *bystanders_.emplace_back(std::make_unique<Recorder>()));
    }
  }
  bool comes_back(const char* tool) {
    const auto deadline = Clock::now() + kPatience;
    while (Clock::now() < deadline) {
      if (house.call_tool(tool, "1").how == Ending::How::completed) return true;
      std::this_thread::yield();
    }
    return false;
  }
  LoadReport reconfigure(const char* config) {
    specs_[0].config = config;
    const std::vector<LoadReport> reports = house.loader.apply(specs_, false);
    return reports.empty() ? LoadReport() : reports[0];
  }

  House house;
  std::size_t answered = 0;
  std::size_t failed = 0;

 private:
  static LoaderOptions loader_options(const std::string& executable) {
    LoaderOptions all = patient_options();
    all.preflight_executable = COLLET_TEST_PREFLIGHT;
    all.make_worker = [executable](WorkerOrder order) -> std::unique_ptr<Image> {
      worker::WorkerOptions options{.restarts = {.backoff_ms = 1, .backoff_ms_max = 1, .failures_max = 1'000'000}};
      options.executable = order.name == "p" ? executable : COLLET_TEST_WORKER;
      return std::make_unique<worker::WorkerImage>(std::move(order), options);
    };
    return all;
  }

  std::vector<PluginSpec> specs_;
  std::vector<std::unique_ptr<Recorder>> calls_;
  std::vector<std::unique_ptr<Recorder>> bystanders_;
};

std::size_t open_descriptors() {
  using Entries = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Entries("/proc/self/fd"), Entries()));
}

long own_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "RssAnon:" && status >> word) return std::stol(word);
  }
  throw std::runtime_error("this system does not say how much memory a process has");
}

// Everything that a plugin can say and hear.
void use_extensions(Scene& scene) {
  scene.start_bystanders();
  for (const char* tool : {"said", "stream"}) scene.start(tool);
  scene.start("instruct", "text");
  scene.start("relay", R"({"content":[{"type":"text","text":"1"}]})");
  scene.house.loader.watch("a://b", true);
  static_cast<void>(scene.house.loader.health("p"));
  scene.settle();
  static_cast<void>(
      scene.reconfigure(R"({"a":1})"));  // a worker that has just died has not taken it: it is replaced
  static_cast<void>(scene.house.loader.reload("p"));  // or what its worker had is lost
  CHECK(scene.comes_back("said"));
}

void use_blobs_and_items(Scene& scene) {
  scene.start_bystanders();
  scene.start("hang");
  for (const char* tool : {"echo", "blob", "blob", "churn"}) scene.house.call_tool(tool, R"({"size":1000000})");
  scene.start("crash");  // which ends the first of them
  scene.settle();
  CHECK(scene.comes_back("echo"));
}

class Order {
 public:
  Order() { setenv("COLLET_TEST_DEATH", path_.c_str(), 1); }
  ~Order() { std::filesystem::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  bool died() const {
    std::ifstream file(path_);
    std::string word;
    return file >> word && word == "died";
  }

 private:
  const std::string path_ = std::filesystem::temp_directory_path() / ("collet-death-" + std::to_string(getpid()));
};

// How many boundaries there were.
unsigned die_everywhere(const char* way, const char* library, void (*use)(Scene& scene)) {
  const Order order;
  std::size_t before = 0;
  for (unsigned frames = 0;; ++frames) {
    INFO(library << ": " << way << " " << frames);
    order.write(fmt::format("{} {}", way, frames));
    {
      Scene scene(library, COLLET_TEST_MORTAL_WORKER);
      use(scene);
    }
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // no child is left
    if (frames == 0) before = open_descriptors();
    CHECK(open_descriptors() == before);
    if (order.died()) continue;
    fmt::print("{}: killed after {} 0 to {} frames\n", library, way, frames - 1);
    return frames;
  }
}

}  // namespace

TEST_CASE("a worker is killed between any two frames that it says or hears") {
  log::configure(log::Level::off, log::Format::text);
  for (const char* way : {"sent", "heard"}) {
    CHECK(die_everywhere(way, "extended", use_extensions) >= 8);
    CHECK(die_everywhere(way, "trouble", use_blobs_and_items) >= 8);
  }
}

TEST_CASE("a worker is killed at random, under load") {
  log::configure(log::Level::off, log::Format::text);
  Scene scene("trouble");
  const std::size_t descriptors = open_descriptors();
  const auto round = [&] {
    for (unsigned i = 0; i < 16; ++i) {
      scene.start_bystanders();
      scene.start("echo", "1");
      scene.start("blob", R"({"size":100000})");
      scene.start("churn");
      scene.start("echo", "2");
    }
    scene.settle();
  };
  const auto begin = Clock::now();
  round();
  const std::chrono::nanoseconds undisturbed = Clock::now() - begin;  // it is longer where others work, too
  std::atomic<unsigned> rounds = 0;
  std::atomic<bool> stop = false;
  unsigned killed = 0;
  std::thread killer([&] {
    std::mt19937_64 random(11);
    for (unsigned at = rounds; !stop; at = rounds) {
      std::this_thread::sleep_for(undisturbed * (random() % 200) / 100);
      const std::string condition = scene.house.loader.status().at(0).condition;
      if (condition.starts_with("process ") && ::kill(std::stoi(condition.substr(8)), SIGKILL) == 0) ++killed;
      rounds.wait(at);  // then there is another one to be killed
    }
  });
  long memory_kib = 0;
  while (Clock::now() < begin + kUnderLoad) {
    REQUIRE(scene.comes_back("echo"));
    ++rounds;
    rounds.notify_one();
    round();
    if (memory_kib == 0 && Clock::now() >= begin + kWarmUp) memory_kib = own_memory_kib();
  }
  stop = true;
  ++rounds;
  rounds.notify_one();
  killer.join();
  REQUIRE(scene.comes_back("echo"));
  CHECK(scene.answered > 500);
  CHECK(scene.failed > 50);
  CHECK(killed > 20);
  CHECK(open_descriptors() == descriptors);
  const long grown_kib = own_memory_kib() - memory_kib;
  CHECK(grown_kib <= kGrowthKibMax);
  fmt::print("{} workers killed, {} calls answered, {} failed with the cause; {} KiB grown\n", killed,
             scene.answered, scene.failed, grown_kib);
}
