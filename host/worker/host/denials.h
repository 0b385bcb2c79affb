// What the sandbox has denied a worker process, and the calls that this may be of.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/limits.h"
#include "collet/plugin.h"

namespace collet::worker {

// Of one process. Whoever has it sees to it that one thread at a time uses it.
class Denials {
 public:
  void call_began(collet_call call) {
    ++calls_;
    ids_xor_ ^= call;
  }
  // What was denied while it was the only one that ran, or empty.
  std::string call_ended(collet_call call) {
    --calls_;
    ids_xor_ ^= call;
    const auto found = of_calls_.find(call);
    return found == of_calls_.end() ? std::string() : of_calls_.extract(found).mapped();
  }
  // Whether it is to be said: it is another one than before, and there have not been too many.
  bool note(const std::string& denial) {
    if (calls_ == 1) of_calls_[ids_xor_] = denial;
    return told_.size() < limits::kWorkerDenialsMax && told_.insert(denial).second;
  }

 private:
  unsigned calls_ = 0;
  collet_call ids_xor_ = 0;  // of all calls; with one call its id
  std::map<collet_call, std::string> of_calls_;  // the last one of each
  std::set<std::string> told_;
};

}  // namespace collet::worker
