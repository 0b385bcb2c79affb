#include "worker/host/table_errands.h"

#include "base/result.h"

namespace collet::worker {
namespace {

// Before there is a table a sound worker asks so many questions, and follows so many streams and leaves them.
constexpr std::size_t kEarlyMax = limits::kAskedMax + 2 * limits::kFollowsMax;

}  // namespace

void TableErrands::attach(const collet_host& host) {
  host_ = &host;
  offered_ = find_table(host);
  for (;;) {
    std::deque<Waiting> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting.swap(waiting_);
      waiting_bytes_ = 0;
      if (waiting.empty()) attached_ = true;
    }
    if (waiting.empty()) return;
    for (const Waiting& each : waiting) make_if_offered(each.incarnation, each.head, each.body);
  }
}

void TableErrands::begin(std::uint32_t incarnation) {
  {
    const std::lock_guard lock(mutex_);
    incarnation_ = incarnation;
    waiting_.clear();
    waiting_bytes_ = 0;
    under_way_.clear();
  }
  forget();
}

std::string TableErrands::take(const FrameHead& head, std::string_view body) {
  std::uint32_t incarnation;
  {
    const std::lock_guard lock(mutex_);
    incarnation = incarnation_;
    if (!attached_) {
      waiting_bytes_ += body.size();
      if (waiting_.size() >= kEarlyMax || waiting_bytes_ > limits::kWorkerQueueBytesMax) {
        return "it wants more of the host than that has room for, before it is up";
      }
      waiting_.push_back({incarnation_, head, std::string(body)});
      return {};
    }
  }
  return make_if_offered(incarnation, head, body);
}

std::string TableErrands::make_if_offered(std::uint32_t incarnation, const FrameHead& head, std::string_view body) {
  return offered_ ? make(incarnation, head, body) : "it wants what it is not offered";
}

std::optional<std::string> TableErrands::note(std::uint32_t incarnation, std::uint64_t id) {
  const auto held = lock_for(incarnation);
  if (!held) return std::string();
  if (under_way_.size() >= limits::kAskedMax) return fmt::format("it waits for more than {} answers", limits::kAskedMax);
  if (id == 0 || !under_way_.insert(id).second) return fmt::format("it used the number {} of a question twice", id);
  return std::nullopt;
}

std::unique_lock<std::mutex> TableErrands::lock_for(std::uint32_t incarnation) {
  auto held = lock();
  if (incarnation != incarnation_) held.unlock();
  return held;
}

void TableErrands::end(const Question& question) {
  if (const auto held = lock_for(question.incarnation)) under_way_.erase(question.id);
}

void TableErrands::refuse(QuestionPtr question, std::int32_t status) {
  end(*question);
  say_status(question->incarnation, question->answer, question->id, status);
}

void TableErrands::say(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::string_view frame) const {
  if (!send_(incarnation, frame, Need::may_be_lost)) say_status(incarnation, type, id, COLLET_E_LIMIT);
}

// What else such a frame has reads as nothing.
void TableErrands::say_status(std::uint32_t incarnation, FrameType type, std::uint64_t id, std::int32_t status) const {
  std::string frame;
  { FrameWriter(frame, type, id).number(status); }
  send_(incarnation, frame, Need::must_be_sent);
}

}  // namespace collet::worker
