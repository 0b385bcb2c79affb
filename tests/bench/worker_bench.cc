// What a worker process costs: worker_bench COLLET PLUGIN.so BLOB_PLUGIN.so, where COLLET is run as `COLLET
// __worker`. Prints one JSON object: the round trip of a call of "echo" at a worker, one at a time, beside that of
// as many bytes between two bare processes over a socketpair; calls a second with 64 in flight; a result with a
// blob of 16 MiB; and the time from the start of a process to the end of its first call.
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "plugin/replace/loader.h"
#include "worker/host/worker_image.h"

using namespace collet;

namespace {

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point began) {
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// A loop, a registry, a loader with workers, and one plugin.
class House {
 public:
  House(const std::string& executable, const std::string& library)
      : loader({&loop}, registry, options(executable)) {
    const auto report = loader.load({{.id = "bench", .library = library, .placement = Placement::worker}}).front();
    if (report.ok()) return;
    fmt::print(stderr, "{}\n", report.error);
    std::exit(1);
  }
  const registry::Item& item(std::string_view name) {
    snapshot = registry.current();
    const registry::Item* found = snapshot->find(registry::Kind::tool, name);
    if (found) return *found;
    fmt::print(stderr, "there is no tool {}\n", name);
    std::exit(1);
  }

  loop::Loop loop;
  registry::Registry registry;
  registry::SnapshotPtr snapshot;
  plugin::Loader loader;

 private:
  static plugin::LoaderOptions options(const std::string& executable) {
    plugin::LoaderOptions all;
    all.make_worker = [executable](plugin::WorkerOrder order) -> std::unique_ptr<plugin::Image> {
      worker::WorkerOptions of_worker;
      of_worker.executable = executable;
      return std::make_unique<worker::WorkerImage>(std::move(order), std::move(of_worker));
    };
    return all;
  }
};

// Makes calls, `width` at a time, until there have been enough.
class Caller {
 public:
  Caller(House& house, const registry::Item& item, std::string arguments, unsigned width, std::size_t calls)
      : house_(house), item_(item), arguments_(std::move(arguments)), left_(calls) {
    for (unsigned i = 0; i < width; ++i) lanes_.emplace_back(std::make_unique<Lane>(*this));
  }
  // Seconds for all of them.
  double run() {
    const auto began = Clock::now();
    running_ = lanes_.size();
    house_.loop.post([this] {
      for (const auto& lane : lanes_) lane->next();
    });
    house_.loop.run();
    return us_since(began) / 1e6;
  }
  std::vector<double> trips_us;

 private:
  struct Lane final : registry::Listener {
    explicit Lane(Caller& owner) : caller(owner) {}
    void next() {
      if (caller.left_ == 0) {
        if (--caller.running_ == 0) caller.house_.loop.stop();
        return;
      }
      --caller.left_;
      registry::Call call;
      call.handle = caller.item_.def->handle;
      call.name = caller.item_.def->name;
      call.arguments = caller.arguments_;
      began = Clock::now();
      caller.item_.provider->start(call, *this);
    }
    void on_progress(const registry::Progress&) override {}
    void on_log(const registry::LogMessage&) override {}
    void on_end(registry::Ending& ending) override {
      caller.trips_us.push_back(us_since(began));
      if (ending.how != registry::Ending::How::completed) {
        fmt::print(stderr, "{}\n", ending.message);
        std::exit(1);
      }
      next();
    }
    std::optional<std::string_view> info(std::string_view) const override { return std::nullopt; }

    Caller& caller;
    Clock::time_point began;
  };

  House& house_;
  const registry::Item& item_;
  const std::string arguments_;
  std::size_t left_;
  std::size_t running_ = 0;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

// Between this process and a child that sends back what it gets.
double bare_trip_us(std::size_t bytes, unsigned trips) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::exit(1);
  std::string message(bytes, 'x');
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    for (ssize_t size; (size = recv(ends[1], message.data(), bytes, MSG_WAITALL)) > 0;) {
      if (send(ends[1], message.data(), static_cast<std::size_t>(size), 0) != size) break;
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<double> all;
  for (unsigned i = 0; i < trips; ++i) {
    const auto began = Clock::now();
    if (send(ends[0], message.data(), bytes, 0) != static_cast<ssize_t>(bytes)) std::exit(1);
    if (recv(ends[0], message.data(), bytes, MSG_WAITALL) != static_cast<ssize_t>(bytes)) std::exit(1);
    all.push_back(us_since(began));
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return median(all);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: worker_bench COLLET PLUGIN.so BLOB_PLUGIN.so\n");
    return 1;
  }
  constexpr unsigned kRounds = 5;
  const std::string arguments = R"({"text":"hello world, this is a call"})";
  std::vector<double> bare;
  std::vector<double> trips;
  std::vector<double> rates;
  {
    House house(argv[1], argv[2]);
    for (unsigned i = 0; i < kRounds; ++i) {
      bare.push_back(bare_trip_us(256, 20'000));
      Caller one(house, house.item("echo"), arguments, 1, 20'000);
      one.run();
      trips.push_back(median(one.trips_us));
      Caller many(house, house.item("echo"), arguments, 64, 200'000);
      rates.push_back(200'000 / many.run());
    }
  }
  std::vector<double> starts;
  for (unsigned i = 0; i < 20; ++i) {
    const auto began = Clock::now();
    House house(argv[1], argv[2]);
    Caller(house, house.item("echo"), arguments, 1, 1).run();
    starts.push_back(us_since(began) / 1e3);
  }
  House house(argv[1], argv[3]);
  Caller blobs(house, house.item("blob"), R"({"size":16777216})", 1, 10);
  blobs.run();
  fmt::print(R"({{"bare_us":{:.2f},"trip_us":{:.2f},"calls":{:.0f},"start_ms":{:.2f},"blob_ms":{:.1f}}})"
             "\n",
             median(bare), median(trips), median(rates), median(starts), median(blobs.trips_us) / 1e3);
  return 0;
}
