// A worker's processes as a test plays them: each is a socket and a descriptor of this process, nothing is forked. And a clock
// that stands still until it is moved.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "worker/host/process_link.h"
#include "worker/host/worker_process.h"
#include "worker/talk/frame.h"
#include "worker/talk/opened.h"

namespace fake {

constexpr std::chrono::seconds kAtMost{30};  // for what is to come

// Any thread. Who sleeps by it sleeps in real time and looks at it then: keep what is slept for short.
class Clock {
 public:
  using Time = collet::plugin::Clock::time_point;

  collet::worker::SteadyClock teller() {
    return [this] { return look(); };
  }
  void pass(std::uint64_t ms) {
    const std::lock_guard lock(mutex_);
    time_ += std::chrono::milliseconds(ms);
  }
  // Waits until whoever waits by it has looked so often from now on that it has done what is due.
  void wait_for_looks() {
    constexpr unsigned kLooks = 3;
    std::unique_lock lock(mutex_);
    const auto enough = [this, until = looks_ + kLooks] { return looks_ >= until; };
    if (!looked_.wait_for(lock, kAtMost, enough)) throw std::runtime_error("nobody looks at the clock");
  }

 private:
  Time look() {
    const std::lock_guard lock(mutex_);
    ++looks_;
    looked_.notify_all();
    return time_;
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable looked_;
  Time time_ = collet::plugin::Clock::now();
  std::uint64_t looks_ = 0;
};

// One process: what the test has it do, and what the host has done to it. The test's thread, or, in Processes::play(), the one
// that starts it; where nothing else is said.
class Process {
 public:
  class Handle;

  Process(pid_t pid, int socket) : pid_(pid), socket_(fcntl(socket, F_DUPFD_CLOEXEC, 0)), ended_(eventfd(0, EFD_CLOEXEC)) {
    if (!socket_ || !ended_) throw std::runtime_error("no descriptors");
  }

  // Its plugin is there.
  void open() { say({.id = "p", .version = "1"}); }
  // It has none.
  void fail(std::string_view why) { say({.failed = why}); }
  void say(const collet::worker::Opened& opened) {
    std::string frame;
    append(frame, opened);
    if (send(socket_.get(), frame.data(), frame.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("nobody listens");
  }
  // Skips what it is told before. Returns the body.
  std::string hear(collet::worker::FrameType type) {
    for (;;) {
      while (const auto frame = heard_.next()) {
        if (frame->head.type == type) return std::string(frame->body);
      }
      if (!wait_for(socket_.get())) throw std::runtime_error("it is not told");
      std::size_t room;
      char* at = heard_.room(room);
      const ssize_t size = recv(socket_.get(), at, room, 0);
      if (size <= 0) throw std::runtime_error("it is told nothing more");
      heard_.filled(static_cast<std::size_t>(size));
    }
  }
  void close_socket() { socket_.close(); }
  // By itself: "crashed with SIGSEGV (…)".
  void end(std::string how) {
    {
      const std::lock_guard lock(mutex_);
      how_ = std::move(how);
    }
    mark_ended();
    close_socket();
  }

  // [any]
  bool was_killed() const { return killed_; }
  bool was_reaped() const { return reaped_; }

 private:
  void mark_ended() const {
    const std::uint64_t one = 1;
    static_cast<void>(!write(ended_.get(), &one, sizeof one));
  }
  static bool wait_for(int descriptor) {
    pollfd readable{descriptor, POLLIN, 0};
    return poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kAtMost).count())) > 0;
  }

  const pid_t pid_;
  collet::Descriptor socket_;
  const collet::Descriptor ended_;
  collet::worker::FrameBuffer heard_;
  std::mutex mutex_;  // guards the next: written before it has ended
  std::string how_ = "was killed";
  std::atomic<bool> killed_{false};
  std::atomic<bool> reaped_{false};
};

// A process as the host has it.
class Process::Handle final : public collet::worker::WorkerProcess {
 public:
  explicit Handle(Process& process) : process_(process) {}
  ~Handle() override {
    if (process_.reaped_) return;
    kill();
    reap();
  }

  pid_t pid() const override { return process_.pid_; }
  pid_t pid_of_library() const override { return process_.pid_ + 1; }
  int ended() const override { return process_.ended_.get(); }
  collet::Descriptor take_output() override { return {}; }
  void kill() const override {
    process_.killed_ = true;
    process_.mark_ended();
  }
  std::string reap() override {
    if (!Process::wait_for(process_.ended_.get())) return "is waited for, and does not end";
    process_.reaped_ = true;
    const std::lock_guard lock(process_.mutex_);
    return process_.how_;
  }
  bool ended_for_cpu(std::uint64_t) const override { return false; }

 private:
  Process& process_;
};

// All processes that were started. Any thread. Outlives those who have them started.
class Processes final : public collet::worker::ProcessStarter {
 public:
  // What each does from now on as soon as it is started, on the thread that starts it; at first it opens.
  void play(std::function<void(Process& process)> part) {
    const std::lock_guard lock(mutex_);
    part_ = std::move(part);
  }
  // None can be started from now on.
  void refuse(std::string why) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(why);
  }
  // Waits until so many have been started; the last of them.
  Process& wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kAtMost, [&] { return started_ >= count; })) throw std::runtime_error("no process is started");
    return all_.at(count - 1);
  }
  // How often one was to be started.
  std::size_t attempts() const {
    const std::lock_guard lock(mutex_);
    return attempts_;
  }

  collet::Result<std::unique_ptr<collet::worker::WorkerProcess>> start(const collet::Descriptor& socket, int,
                                                                       const std::vector<std::string>&) override {
    std::unique_lock lock(mutex_);
    ++attempts_;
    if (refusal_) return collet::error("{}", *refusal_);
    constexpr pid_t kFirst = 1'000;
    Process& process = all_.emplace_back(kFirst + 10 * static_cast<pid_t>(all_.size()), socket.get());
    const auto part = part_;
    lock.unlock();
    part(process);
    lock.lock();
    ++started_;
    changed_.notify_all();
    return std::unique_ptr<collet::worker::WorkerProcess>(new Process::Handle(process));
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::function<void(Process&)> part_ = [](Process& process) { process.open(); };
  std::optional<std::string> refusal_;
  std::deque<Process> all_;
  std::size_t attempts_ = 0;
  std::size_t started_ = 0;
};

}  // namespace fake
