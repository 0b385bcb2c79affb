// An event log in the memory of this process.
#pragma once

#include <deque>
#include <mutex>

#include "protocol/legacy/event_budget.h"
#include "protocol/legacy/event_log.h"

namespace collet::protocol {

// Keeps the newest kEventLogBytesMax, and up to kEventLogUnreadBytesMax that its reader has not yet read. All is at hand: a
// reading is never late.
class MemoryEventLog final : public EventLog {
 public:
  // The budget outlives the log.
  MemoryEventLog(std::uint64_t number, EventBudget& budget) : number_(number), budget_(budget) {}
  ~MemoryEventLog() override;
  MemoryEventLog(const MemoryEventLog&) = delete;
  MemoryEventLog& operator=(const MemoryEventLog&) = delete;

  std::uint64_t number() const override { return number_; }
  EventId append(std::string_view message) override;
  void finish() override;
  bool broken() const override;
  std::uint64_t attach(Wake wake) override;
  void detach(std::uint64_t reader) override;
  bool attached() const override;
  Reading read(std::uint64_t reader, std::uint64_t position, std::size_t bytes_max) override;
  bool reader_is_behind(std::size_t bytes_max) const override;
  void forget(std::uint64_t position) override;

 private:
  bool keep(std::uint64_t number, std::string_view message);
  bool may_drop() const;
  void drop_oldest();
  void drop_all();

  const std::uint64_t number_;
  EventBudget& budget_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<Event> events_;
  std::size_t bytes_ = 0;
  std::uint64_t last_event_ = 0;
  bool finished_ = false;
  bool broken_ = false;
  std::uint64_t reader_ = 0;  // 0: none
  std::uint64_t last_reader_ = 0;
  std::uint64_t read_ = 0;  // up to here by this reader
  Wake wake_;
  bool woken_ = false;
};

}  // namespace collet::protocol
