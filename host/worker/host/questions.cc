#include "worker/host/questions.h"

#include <chrono>
#include <utility>

#include "worker/talk/frame.h"

namespace collet::worker {

Questions::Number Questions::add() {
  const std::lock_guard lock(mutex_);
  asked_.try_emplace(++last_);
  return last_;
}

Questions::Answer Questions::wait(Number question, std::optional<std::uint64_t> at_most_ms) {
  std::unique_lock lock(mutex_);
  const auto asked = asked_.find(question);
  const auto settled = [&] { return asked->second.answer || asked->second.given_up; };
  if (at_most_ms) {
    changed_.wait_for(lock, std::chrono::milliseconds(*at_most_ms), settled);
  } else {
    changed_.wait(lock, settled);
  }
  return asked_.extract(asked).mapped().answer.value_or(Answer());
}

std::string Questions::take(Number question, std::string_view body) {
  FieldReader fields(body);
  Answer answer;
  answer.status = fields.number<std::int32_t>();
  answer.bytes = fields.text();
  if (!fields.complete()) return no_frame("answer");
  const std::lock_guard lock(mutex_);
  if (question == 0 || question > last_) return "it answered what nobody had asked";
  const auto asked = asked_.find(question);
  if (asked == asked_.end() || asked->second.answer) return {};  // too late
  asked->second.answer = std::move(answer);
  changed_.notify_all();
  return {};
}

void Questions::give_up() {
  const std::lock_guard lock(mutex_);
  for (auto& [question, asked] : asked_) asked.given_up = true;
  changed_.notify_all();
}

}  // namespace collet::worker
