// What a call costs between a loop and a plugin: plugin_bench PLUGIN.so [TOOL].
// One call at a time, of a tool with the argument {"text":"hello"}: inline if the tool may, else over its executor.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "plugin/replace/loader.h"

using namespace collet;

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kRounds = 499;  // short ones: on a busy machine most are still undisturbed

double ns_each(Clock::time_point since, unsigned calls) {
  return std::chrono::duration<double, std::nano>(Clock::now() - since).count() / calls;
}

// Makes one call after another, and the next from the end of the one before.
class Caller : public registry::Listener {
 public:
  Caller(loop::Loop& loop, const registry::Item& item) : loop_(loop), item_(item) {
    call_.handle = item.def->handle;
    call_.name = item.def->name;
    call_.arguments = R"({"text":"hello"})";
  }

  void run() {
    loop_.post([this] { is_inline_ = item_.provider->start(call_, *this) == 0; });
    loop_.run();
  }
  void on_progress(const registry::Progress&) override {}
  void on_log(const registry::LogMessage&) override {}
  std::optional<std::string_view> info(std::string_view) const override { return std::nullopt; }
  void on_end(registry::Ending&) override {
    if (measuring_) return;
    // From a task: the first call may have run inline, and then start() has not returned yet.
    loop_.post([this] { is_inline_ ? measure_inline() : next_queued(); });
  }

 private:
  void measure_inline() {
    constexpr unsigned kCalls = 2'000;
    measuring_ = true;
    for (unsigned round = 0; round < kRounds; ++round) {
      const auto began = Clock::now();
      for (unsigned i = 0; i < kCalls; ++i) item_.provider->start(call_, *this);
      results_.push_back(ns_each(began, kCalls));
    }
    finish("inline");
  }

  void next_queued() {
    constexpr unsigned kCalls = 200;
    if (made_ % kCalls == 0) {
      if (made_ > 0) results_.push_back(ns_each(began_, kCalls));
      if (results_.size() == kRounds) return finish("executor");
      began_ = Clock::now();
    }
    ++made_;
    item_.provider->start(call_, *this);
  }

  void finish(const char* where) {
    std::sort(results_.begin(), results_.end());
    fmt::print("{} {}: median {:.0f} ns, best {:.0f} ns a call\n", item_.name, where, results_[kRounds / 2],
               results_[0]);
    loop_.stop();
  }

  loop::Loop& loop_;
  const registry::Item& item_;
  registry::Call call_;
  bool is_inline_ = false;
  bool measuring_ = false;
  unsigned made_ = 0;
  Clock::time_point began_;
  std::vector<double> results_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: plugin_bench PLUGIN.so [TOOL]\n");
    return 1;
  }
  loop::Loop loop;
  registry::Registry registry;
  plugin::LoaderOptions options;
  options.preflight_executable.clear();
  plugin::Loader loader({&loop}, registry, options);
  const auto reports = loader.load({{.id = "bench", .library = argv[1]}});
  const auto snapshot = registry.current();
  const registry::Item* item = snapshot->find(registry::Kind::tool, argc > 2 ? argv[2] : "echo");
  if (!reports[0].ok() || !item) {
    fmt::print(stderr, "{}\n", reports[0].ok() ? "no such tool" : reports[0].error);
    return 1;
  }
  Caller caller(loop, *item);
  caller.run();
  return 0;
}
