// How long a loop is kept from its work when what is served is replaced, with few tools and with many.
//
// The loop is held while the next snapshot is made and handed to it, so that between that moment and a task that
// was posted after it there is nothing but the change itself.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "protocol/server.h"

using namespace collet;

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kRounds = 200;

class NoProvider : public registry::Provider {
  registry::CallId start(const registry::Call&, registry::Listener&) override { return 0; }
  void cancel(registry::CallId, registry::CancelReason) override {}
};

// A schema that changes from round to round.
std::vector<registry::ItemDef> tools(unsigned count, unsigned round) {
  std::vector<registry::ItemDef> items(count);
  for (unsigned i = 0; i < count; ++i) {
    items[i].name = fmt::format("tool_{}", i);
    items[i].definition = fmt::format(
        R"({{"description":"of round {}","inputSchema":{{"type":"object","properties":{{"text":{{"type":"string"}}}}}}}})",
        round);
  }
  return items;
}

class Stalls {
 public:
  Stalls() : server_({}, registry_, {&loop_}), thread_([this] { loop_.run(); }) { registry_.declare("bench", {}); }
  ~Stalls() {
    loop_.stop();
    thread_.join();
  }

  // How long each took, in µs, sorted.
  std::vector<double> measure(unsigned count) {
    std::vector<double> all;
    for (unsigned round = 0; round < kRounds; ++round) all.push_back(publish(tools(count, round)));
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  double publish(std::vector<registry::ItemDef> items) {
    std::atomic<bool> held{false};
    std::atomic<bool> published{false};
    std::atomic<bool> done{false};
    Clock::time_point begin;
    Clock::time_point end;
    loop_.post([&] {
      held = true;
      held.notify_one();
      published.wait(false);
      begin = Clock::now();
    });
    held.wait(false);
    registry_.replace("bench", &nobody_, std::move(items));
    loop_.post([&] {
      end = Clock::now();
      done = true;
      done.notify_one();
    });
    published = true;
    published.notify_one();
    done.wait(false);
    return std::chrono::duration<double, std::micro>(end - begin).count();
  }

  loop::Loop loop_;
  registry::Registry registry_;
  NoProvider nobody_;
  protocol::Server server_;
  std::thread thread_;
};

}  // namespace

int main() {
  Stalls stalls;
  fmt::print("{{");
  for (const unsigned count : {10u, 1'000u, 10'000u}) {
    const std::vector<double> us = stalls.measure(count);
    fmt::print("{}\"{}\":{{\"p50_us\":{:.2f},\"p99_us\":{:.2f},\"max_us\":{:.2f}}}", count == 10 ? "" : ",", count,
               us[us.size() / 2], us[us.size() * 99 / 100], us.back());
  }
  fmt::print("}}\n");
  return 0;
}
