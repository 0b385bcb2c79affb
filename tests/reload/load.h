// Clients that call a tool again and again, each over its connection, and look at every answer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace reload {

// Latencies in steps of 4 µs, up to a second.
class Histogram {
 public:
  void add(std::chrono::nanoseconds latency);
  // In µs.
  std::uint64_t quantile(double q) const;
  std::uint64_t count() const { return count_; }

 private:
  static constexpr std::size_t kSteps = 250'000;
  std::vector<std::uint64_t> steps_ = std::vector<std::uint64_t>(kSteps);
  std::uint64_t count_ = 0;
};

struct Counts {
  std::uint64_t answered = 0;  // rightly
  std::uint64_t failed = 0;    // an HTTP or JSON-RPC error, a connection that was closed
  std::uint64_t wrong = 0;     // another answer than the one to this call
  std::uint64_t lost = 0;      // no answer at all
  std::string first_bad;       // what the first of these was answered
};

// Runs from construction to stop(), in a thread of its own.
class Load {
 public:
  Load(std::string socket, unsigned connections);
  ~Load();

  // Under which circumstances calls that begin from now on are made: each has its latencies counted apart.
  enum Phase : unsigned { warm_up, undisturbed, reloading };
  void set_phase(Phase phase) { phase_ = phase; }
  // Waits for what is under way.
  void stop();

  // After stop().
  const Counts& counts() const { return counts_; }
  const Histogram& latencies(Phase phase) const { return histograms_[phase]; }

 private:
  struct Connection;
  void run();
  bool send_next(Connection& connection);
  bool receive(Connection& connection);
  void judge(Connection& connection, const std::string& head, const std::string& body);

  const std::string socket_;
  std::vector<Connection> connections_;
  int events_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<Phase> phase_{warm_up};
  std::uint64_t last_id_ = 0;
  unsigned under_way_ = 0;
  Counts counts_;
  Histogram histograms_[reloading + 1];
  std::thread thread_;
};

}  // namespace reload
