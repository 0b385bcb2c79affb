// What a worker asks the host, of one extension: a question has a number, and one answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "worker/host/errands.h"

namespace collet::worker {

class TableErrands : public Errands {
 public:
  explicit TableErrands(Send send);

 protected:
  // Who asks, for the table's callbacks.
  struct Question {
    TableErrands& all;
    const std::uint32_t incarnation;
    const std::uint64_t id;
    const FrameType answer;
  };
  using QuestionPtr = std::unique_ptr<Question>;

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

  // Sends the frame, or, if there is no room for it, that there is none.
  void say(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::string_view frame) const;
  void say_status(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::int32_t status) const;

  // With the lock.
  Callback<void()> forget() override;

 private:
  // Nothing: it is to be asked. Else what is returned instead.
  std::optional<std::string> note(std::uint32_t incarnation, std::uint64_t id);
  void refuse(QuestionPtr question, std::int32_t status);
  void end(const Question& question);

  std::set<std::uint64_t> under_way_;  // by the worker's number; with the lock
};

}  // namespace collet::worker
