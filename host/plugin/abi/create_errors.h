// What a plugin logs as an error while its create() runs: why that fails, if it does.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collet::plugin {

class Items;

// Of one create(). Any thread.
class CreateErrors {
 public:
  // The last one counts.
  void note(std::string_view text);
  // That create() has returned this: with what was noted, and why an item was refused, if one was.
  Error failure(std::int32_t status, const Items& items) const;
  // create() has returned: nothing is noted any more.
  void end();

 private:
  mutable std::mutex mutex_;  // guards all below
  std::string last_;
  bool ended_ = false;
};

}  // namespace collet::plugin
