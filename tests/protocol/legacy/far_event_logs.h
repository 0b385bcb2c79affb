// Event logs whose events are elsewhere: what is read comes when the test has it come.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/legacy/event_logs.h"

namespace collet::test {

class FarEventLog final : public protocol::EventLog {
 public:
  explicit FarEventLog(std::uint64_t number) : number_(number) {}

  std::uint64_t number() const override { return number_; }
  protocol::EventId append(std::string_view message) override {
    far_.emplace_back(message);
    wake();
    return {number_, far_.size()};
  }
  void finish() override {
    finished_ = true;
    wake();
  }
  bool broken() const override { return false; }
  std::uint64_t attach(Wake wake) override {
    wake_ = std::move(wake);
    return ++reader_;
  }
  void detach(std::uint64_t reader) override {
    if (reader == reader_) wake_ = nullptr;
  }
  bool attached() const override { return wake_ != nullptr; }
  // Each event by itself is fetched, and kept until it has been read.
  Reading read(std::uint64_t reader, std::uint64_t position, std::size_t) override {
    if (reader != reader_) return {.over = true};
    woken_ = false;
    Reading reading;
    if (position == far_.size()) {
      reading.over = finished_;
    } else if (position + 1 == at_hand_) {
      reading.events.push_back({at_hand_, far_[position]});
    } else {
      fetched_ = position + 1;
    }
    return reading;
  }
  bool reader_is_behind(std::size_t) const override { return false; }
  void forget(std::uint64_t position) override { forgotten_ = position; }

  // What is being fetched is at hand. False: nothing is.
  bool bring() {
    if (fetched_ == 0) return false;
    at_hand_ = std::exchange(fetched_, 0);
    wake();
    return true;
  }
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  void wake() {
    if (wake_ && !std::exchange(woken_, true)) wake_();
  }

  const std::uint64_t number_;
  std::deque<std::string> far_;
  std::uint64_t fetched_ = 0;  // the event that is on its way; 0: none
  std::uint64_t at_hand_ = 0;  // the one that has come
  std::uint64_t forgotten_ = 0;
  std::uint64_t reader_ = 0;
  Wake wake_;
  bool woken_ = false;
  bool finished_ = false;
};

class FarEventLogs final : public protocol::EventLogs {
 public:
  protocol::EventLogPtr open(const Name& name) override {
    const auto log = std::make_shared<FarEventLog>(name.number);
    opened_[{std::string(name.session), name.number}] = log;
    return log;
  }
  FarEventLog& at(const std::string& session, std::uint64_t number) { return *opened_.at({session, number}); }

 private:
  std::map<std::pair<std::string, std::uint64_t>, std::shared_ptr<FarEventLog>> opened_;
};

}  // namespace collet::test
