// Waiting for locks between processes without holding up the thread: other remotes go on.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>

#include "client/net/private_file.h"
#include "client/net/result.h"

struct uv_loop_s;
struct uv_timer_s;

namespace collet::client::auth {

class FileLocks {
 public:
  using Done = std::function<void(Result<FileLock>)>;

  // `done` is called once, at once if the lock is free. A failure: it was not to be had within `timeout_ms`.
  virtual void take(std::string path, std::uint64_t timeout_ms, Done done) = 0;

 protected:
  ~FileLocks() = default;
};

// On the loop's thread.
class LoopFileLocks final : public FileLocks {
 public:
  // The loop outlives it, and runs once more after it. Whoever waits then is not called any more.
  explicit LoopFileLocks(uv_loop_s* loop);
  ~LoopFileLocks();
  LoopFileLocks(const LoopFileLocks&) = delete;
  LoopFileLocks& operator=(const LoopFileLocks&) = delete;

  void take(std::string path, std::uint64_t timeout_ms, Done done) override;

 private:
  struct Waiting {
    std::string path;
    std::uint64_t timeout_ms;
    std::uint64_t until_ms;  // by the loop's clock
    Done done;
  };

  void look_again();

  uv_loop_s* const loop_;
  uv_timer_s* const timer_;  // deletes itself once libuv has let go of it
  std::list<Waiting> waiting_;
};

}  // namespace collet::client::auth
