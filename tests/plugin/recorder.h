// A listener that keeps what it hears, and loops for it to listen on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "loop/loop.h"
#include "registry/item.h"
#include "registry/registry.h"

namespace collet::plugin {

// Until a test gives up. No measure of anything: a machine may be slow, and a sanitizer slower.
inline constexpr std::chrono::seconds kPatience{120};

// Asks again and again until it is true; false if it does not become so.
template <class Condition>
bool becomes_true(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class Recorder : public registry::Listener {
 public:
  void on_progress(const registry::Progress& progress) override {
    note(fmt::format("progress {}/{} {}", progress.done, progress.total, progress.message));
  }
  void on_log(const registry::LogMessage& message) override {
    note(fmt::format("log {} {} {}", message.severity, message.logger, message.data));
  }
  void on_close_stream(unsigned retry_ms) override { note(fmt::format("close stream {}", retry_ms)); }
  void on_answer_head(registry::WebHead head) override {
    std::string words = fmt::format("answer {}", head.status);
    for (const registry::WebField& field : head.fields) words += fmt::format(" [{}: {}]", field.name, field.value);
    note(std::move(words));
  }
  void on_answer_bytes(std::string& bytes) override {
    const std::lock_guard lock(mutex_);
    body_ += bytes;
    changed_.notify_all();
  }
  void on_body_taken(std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    taken_ += bytes;
    asks_ = true;
    changed_.notify_all();
  }
  void on_end(registry::Ending& given) override {
    const std::lock_guard lock(mutex_);
    ++ends_;
    ending_ = given;
    changed_.notify_all();
  }
  std::optional<std::string_view> info(std::string_view key) const override {
    const auto found = known.find(std::string(key));
    return found == known.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }

  // Waits for the end; a test that waits in vain fails.
  registry::Ending wait_end() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return ends_ > 0; })) {
      throw std::runtime_error("the call does not end");
    }
    return ending_;
  }
  // Waits until `count` notices have come.
  std::vector<std::string> wait_notices(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return notices_.size() >= count; })) {
      throw std::runtime_error("the notices do not come");
    }
    return notices_;
  }
  // Waits until so much of an answer has come.
  std::string wait_body(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return body_.size() >= bytes; })) {
      throw std::runtime_error("the answer does not come");
    }
    return body_;
  }
  // Waits until so much of a request's body has been taken, or, if it is nothing, was asked for, or the call has ended; how much was taken.
  std::size_t wait_taken(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return (asks_ && taken_ >= bytes) || ends_ > 0; })) {
      throw std::runtime_error("the body is not taken");
    }
    return taken_;
  }
  std::string body() const {
    const std::lock_guard lock(mutex_);
    return body_;
  }
  int ends() const {
    const std::lock_guard lock(mutex_);
    return ends_;
  }
  std::vector<std::string> notices() const {
    const std::lock_guard lock(mutex_);
    return notices_;
  }

  std::map<std::string, std::string> known;  // before the call

 private:
  void note(std::string text) {
    const std::lock_guard lock(mutex_);
    notices_.push_back(std::move(text));
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> notices_;
  std::string body_;
  std::size_t taken_ = 0;
  bool asks_ = false;
  registry::Ending ending_;
  int ends_ = 0;
};

// A loop in a thread of its own.
class RunningLoop {
 public:
  RunningLoop() : thread_([this] { loop_.run(); }) {}
  ~RunningLoop() { stop(); }
  // Ends the thread. What the loop uses may be destroyed then; the loop itself lives on.
  void stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }
  loop::Loop& get() { return loop_; }

  // Runs `body` on the loop thread and waits for it.
  void run(Callback<void()> body) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    loop_.post([&, kept = std::move(body)]() mutable {
      kept();
      const std::lock_guard lock(mutex);
      done = true;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }

 private:
  loop::Loop loop_;
  std::thread thread_;
};

}  // namespace collet::plugin
