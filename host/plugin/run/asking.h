// What a generation's plugin asks its host for and is told later: a question is an Order, whose bytes size_of() tells, and has one Answer,
// whose first member is a status of the ABI. Who answers, in this process or in the host of a worker, is for those to know who derive from this.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "collet/plugin.h"
#include "plugin/run/answers.h"

namespace collet::plugin {

// Any thread.
template <class Order, class Answer>
class Asking {
 public:
  using Told = Callback<void(const Answer&)>;  // on the thread of the answers

  // Borrowed, and outlives this.
  explicit Asking(Answers& answers) : table_(std::make_shared<Table>(answers)) {}
  virtual ~Asking() = default;  // after end_all(), or if nothing was ever asked of it
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  // COLLET_OK promises one answer. What is asked before open() begins then.
  std::int32_t ask(Order order, Told told) {
    const std::size_t bytes = size_of(order);
    auto question = std::make_shared<Question>(std::move(told), bytes);
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(table_->mutex);
      if (table_->closed) return COLLET_E_STATE;
      const bool is_full = table_->untold >= limits::kAskedMax || bytes > limits::kAskedBytesMax - table_->bytes;
      if (is_full || !table_->answers.start()) return COLLET_E_LIMIT;
      id = table_->last_id + 1;
      if (!opened_) early_.emplace_back(id, std::move(order));
      table_->open.emplace(id, std::move(question));
      table_->last_id = id;
      ++table_->untold;
      table_->bytes += bytes;
      if (!opened_) return COLLET_OK;
    }
    begin(id, std::move(order));
    return COLLET_OK;
  }

  // create() has returned.
  void open() {
    for (;;) {
      std::vector<std::pair<std::uint64_t, Order>> early;
      {
        const std::lock_guard lock(table_->mutex);
        early.swap(early_);
        if (early.empty()) opened_ = true;
      }
      if (early.empty()) return;
      for (auto& [id, order] : early) begin(id, std::move(order));
    }
  }

  // Nothing new begins, and the plugin is told that what is under way has ended.
  void end_all() {
    const std::lock_guard lock(table_->mutex);
    table_->closed = true;
    early_.clear();
    while (!table_->open.empty()) table_->tell(table_, table_->open.begin(), Answer{COLLET_E_STATE});
  }

 protected:
  // Tells the plugin; of what has ended it says nothing.
  void tell(std::uint64_t id, Answer answer) { tell(table_, id, std::move(answer)); }
  // The same, for who may answer when this is gone.
  auto teller(std::uint64_t id) const {
    return [table = table_, id](Answer answer) { tell(table, id, std::move(answer)); };
  }
  Answers& answers() const { return table_->answers; }

 private:
  // Promises that it is told.
  virtual void start(std::uint64_t id, Order order) = 0;

  struct Question {
    Question(Told given, std::size_t size) : told(std::move(given)), bytes(size) {}
    Told told;
    const std::size_t bytes;  // of the order
    Answer answer{};
  };
  // Shared with whoever is to answer: once it is closed it does nothing.
  struct Table {
    explicit Table(Answers& given) : answers(given) {}

    using Open = std::map<std::uint64_t, std::shared_ptr<Question>>;
    // With the mutex.
    static void tell(const std::shared_ptr<Table>& table, typename Open::iterator found, Answer answer) {
      const std::shared_ptr<Question> question = found->second;
      question->answer = std::move(answer);
      table->answers.push([table, question] {
        {
          const std::lock_guard lock(table->mutex);
          --table->untold;
        }
        question->told(question->answer);
      });
      table->bytes -= question->bytes;
      table->open.erase(found);  // the last: what could not be told for want of memory is still open
    }

    Answers& answers;
    std::mutex mutex;  // guards all below
    std::uint64_t last_id = 0;
    Open open;
    unsigned untold = 0;    // of which the plugin has not heard
    std::size_t bytes = 0;  // of what is open
    bool closed = false;
  };

  static void tell(const std::shared_ptr<Table>& table, std::uint64_t id, Answer answer) {
    const std::lock_guard lock(table->mutex);
    const auto found = table->open.find(id);
    if (found != table->open.end()) Table::tell(table, found, std::move(answer));
  }

  void begin(std::uint64_t id, Order order) {
    try {
      start(id, std::move(order));
    } catch (const std::bad_alloc&) {
      tell(id, Answer{COLLET_E_LIMIT});
    }
  }

  const std::shared_ptr<Table> table_;
  // Guarded by the table's mutex.
  std::vector<std::pair<std::uint64_t, Order>> early_;
  bool opened_ = false;
};

}  // namespace collet::plugin
