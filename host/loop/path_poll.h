// Looks again and again at what a path leads to, for changes that nobody tells of: on a file system of another machine,
// behind a link that now leads elsewhere, in the place of a folder that was removed. Loop thread; it never waits for
// the file system.
#pragma once

#include <cstdint>
#include <string>

#include "base/callback.h"
#include "loop/loop.h"

namespace collet::loop {

class PathPoll {
 public:
  // `changed` is called, later, for what the first look finds, and when one finds another file or folder than the one
  // before, or another time or size of it, or nothing. It may destroy this object.
  PathPoll(Loop& loop, std::string path, std::uint64_t interval_ms, Callback<void(bool exists)> changed);
  ~PathPoll();
  PathPoll(const PathPoll&) = delete;
  PathPoll& operator=(const PathPoll&) = delete;

 private:
  struct State;

  State* state_;  // deletes itself once libuv has let go of it
};

}  // namespace collet::loop
