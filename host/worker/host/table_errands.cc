#include "worker/host/table_errands.h"

#include "base/result.h"

namespace collet::worker {
namespace {

// Before there is a table a sound worker asks so many questions, and follows so many streams and leaves them.
constexpr std::size_t kEarlyMax = limits::kAskedMax + 2 * limits::kFollowsMax;

}  // namespace

TableErrands::TableErrands(Send send) : Errands(std::move(send), kEarlyMax) {}

Callback<void()> TableErrands::forget() {
  under_way_.clear();
  return {};
}

std::optional<std::string> TableErrands::note(std::uint32_t incarnation, std::uint64_t id) {
  const auto held = lock_for(incarnation);
  if (!held) return std::string();
  if (under_way_.size() >= limits::kAskedMax) return fmt::format("it waits for more than {} answers", limits::kAskedMax);
  if (id == 0 || !under_way_.insert(id).second) return fmt::format("it used the number {} of a question twice", id);
  return std::nullopt;
}

void TableErrands::end(const Question& question) {
  if (const auto held = lock_for(question.incarnation)) under_way_.erase(question.id);
}

void TableErrands::refuse(QuestionPtr question, std::int32_t status) {
  end(*question);
  say_status(question->incarnation, question->answer, question->id, status);
}

void TableErrands::say(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::string_view frame) const {
  if (!send(incarnation, frame, Need::may_be_lost)) say_status(incarnation, type, id, COLLET_E_LIMIT);
}

// What else such a frame has reads as nothing.
void TableErrands::say_status(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::int32_t status) const {
  std::string frame;
  { FrameWriter(frame, type, id).number(status); }
  send(incarnation, frame, Need::must_be_sent);
}

}  // namespace collet::worker
