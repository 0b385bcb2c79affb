// The descriptor on which the kernel asks about a worker's system calls, and is answered (seccomp_unotify(2)).
#pragma once

#include <linux/seccomp.h>

#include <cstdint>

#include "base/descriptor.h"
#include "worker/host/asked_call.h"

namespace collet::worker {

// One thread at a time.
class CallListener {
 public:
  // `listener` is what filter_calls() has given to the worker.
  explicit CallListener(Descriptor listener);

  // Readable when a call is asked about.
  int descriptor() const { return listener_.get(); }
  // Shows `settle(id, call)` the next call; it is answered under that id, now or later. False if the descriptor is no
  // listener: some other one that a plugin has sent.
  template <class Settle>
  bool take(Settle&& settle) const {
    seccomp_notif asked;
    const Taken taken = read(asked);
    if (taken != Taken::one) return taken == Taken::none;
    settle(asked.id, AskedCall{static_cast<pid_t>(asked.pid), asked.data.nr,
                               reinterpret_cast<const unsigned long long*>(asked.data.args)});
    return true;
  }

  // The call fails with this error, or, with 0, has been made.
  void answer(std::uint64_t id, int error) const { answer(id, error, 0); }
  // The kernel makes the call.
  void let_go_on(std::uint64_t id) const { answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE); }
  // Whether the thread still waits: else what was read of it may be another's.
  bool still_asked(std::uint64_t id) const;

 private:
  enum class Taken : std::uint8_t { one, none, broken };
  Taken read(seccomp_notif& asked) const;
  void answer(std::uint64_t id, int error, std::uint32_t flags) const;

  const Descriptor listener_;
};

}  // namespace collet::worker
