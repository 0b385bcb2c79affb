// What a worker has the host do at its table, of one extension. A question has a number, and one answer. What comes before there is a table
// waits for it; what a process has asked that is gone is answered to nobody. The worker is not trusted: the host table decides what it
// reaches, and what is under way for it has a bound.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "collet/plugin.h"
#include "worker/host/errands.h"
#include "worker/talk/frame.h"

namespace collet::worker {

class TableErrands {
 public:
  using Need = Errands::Need;
  using Send = Errands::Send;
  explicit TableErrands(Send send) : send_(std::move(send)) {}
  virtual ~TableErrands() = default;
  TableErrands(const TableErrands&) = delete;
  TableErrands& operator=(const TableErrands&) = delete;

  // From now on they are made here; those that have come before are. The table is borrowed, and answers each before its generation is
  // gone.
  void attach(const collet_host& host);
  // Another process speaks from now on; 0: none does.
  void begin(std::uint32_t incarnation);

  // The thread that reads the frames. Returns why this one cannot come from a sound worker, or an empty text.
  std::string take(const FrameHead& head, std::string_view body);

 protected:
  // Who asks, for the table's callbacks.
  struct Question {
    TableErrands& all;
    const std::uint32_t incarnation;
    const std::uint64_t id;
    const FrameType answer;
  };
  using QuestionPtr = std::unique_ptr<Question>;

  template <class Table>
  static const Table* find(const collet_host& host, std::string_view id) {
    return static_cast<const Table*>(host.get_extension(&host, id.data(), id.size()));
  }
  const collet_host* host() const { return host_; }

  // Asks for it by `begin(context)`, which calls the table. The context is a Question, to be answered by its callback, or here if the table
  // refuses it.
  template <class Begin>
  std::string ask(std::uint32_t incarnation, std::uint64_t id, FrameType answer, Begin&& begin) {
    if (const auto instead = note(incarnation, id)) return *instead;
    auto question = std::make_unique<Question>(Question{*this, incarnation, id, answer});
    const std::int32_t status = begin(question.get());
    Question* asked = question.release();  // of whoever answers it
    if (status < 0) refuse(QuestionPtr(asked), status);
    return {};
  }
  // Answers what a callback was given: `write(frame)` writes down what is behind the status.
  template <class Write>
  static void answer(void* context, std::int32_t status, Write&& write) {
    const QuestionPtr question(static_cast<Question*>(context));
    std::string frame;
    {
      FrameWriter writer(frame, question->answer, question->id);
      writer.number(status);
      write(writer);
    }
    question->all.end(*question);
    question->all.say(question->incarnation, question->answer, question->id, frame);
  }

  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  // None if that process does not speak any more.
  std::unique_lock<std::mutex> lock_for(std::uint32_t incarnation);
  // Sends the frame, or, if there is no room for it, that there is none.
  void say(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::string_view frame) const;
  void say_status(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::int32_t status) const;

 private:
  // Finds its table, before anything is made. False: it is not offered.
  virtual bool find_table(const collet_host& host) = 0;
  // At the table; as take().
  virtual std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) = 0;
  // A process is gone: what goes on for it is ended.
  virtual void forget() {}

  std::string make_if_offered(std::uint32_t incarnation, const FrameHead& head, std::string_view body);
  // Nothing: it is to be asked. Else what is returned instead.
  std::optional<std::string> note(std::uint32_t incarnation, std::uint64_t id);
  void refuse(QuestionPtr question, std::int32_t status);
  void end(const Question& question);

  const Send send_;
  // Set by attach(), before anything is made.
  const collet_host* host_ = nullptr;
  bool offered_ = false;

  std::mutex mutex_;  // guards all below
  bool attached_ = false;
  std::uint32_t incarnation_ = 0;
  struct Waiting {
    std::uint32_t incarnation;
    FrameHead head;
    std::string body;
  };
  std::deque<Waiting> waiting_;  // until there is a host table
  std::size_t waiting_bytes_ = 0;
  std::set<std::uint64_t> under_way_;  // by the worker's number
};

}  // namespace collet::worker
