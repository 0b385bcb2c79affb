// What a process that posix_spawn() starts begins with.
#pragma once

#include <spawn.h>

namespace collet {

// No signal is blocked, and each is handled as by default, whatever the one that starts it does.
class SpawnAttributes {
 public:
  // `more_flags`: of posix_spawnattr_setflags().
  explicit SpawnAttributes(int more_flags = 0);
  ~SpawnAttributes();
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace collet
