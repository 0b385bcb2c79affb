// What the host asks a worker process, and waits for on the threads that ask.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "collet/plugin.h"

namespace collet::worker {

// Any thread.
class Questions {
 public:
  // Without one that of a plugin that has failed.
  struct Answer {
    std::int32_t status = COLLET_E_INTERNAL;
    std::string bytes;
  };
  using Number = std::uint64_t;

  // One more; whoever adds it waits for it.
  Number add();
  // Until it is answered, or the process has ended, or the time is up. Nothing for `at_most_ms`: whoever asks kills what does not answer.
  Answer wait(Number question, std::optional<std::uint64_t> at_most_ms);
  // Returns why the frame cannot come from a sound worker, or an empty text.
  std::string take(Number question, std::string_view body);
  // The process has ended, and will answer none of them.
  void give_up();

 private:
  struct Asked {
    std::optional<Answer> answer;
    bool given_up = false;
  };

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  Number last_ = 0;
  std::map<Number, Asked> asked_;
};

}  // namespace collet::worker
