// What a guard does about a worker's sockets: it denies those that are not granted, and tells. Connections to what is granted
// by name it makes on the worker's behalf, to the address that it has looked at, so that nothing can change in between.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "worker/child/reach.h"
#include "worker/host/asked_call.h"
#include "worker/host/call_listener.h"
#include "worker/host/guard_order.h"

namespace collet::worker {

// One thread's.
class GuardedSockets {
 public:
  // Both are borrowed.
  GuardedSockets(const CallListener& listener, const GuardOrder& order);

  // Each answers the call; that of a connect() which waits may come later.
  void socket(std::uint64_t id, const AskedCall& call);
  void connect(std::uint64_t id, const AskedCall& call);

  // Adds what each connect() that waits is to be woken by. Returns whether go_on() is to be called after kWorkerConnectAgainMs
  // at the latest.
  bool add_waiting(std::vector<pollfd>& waiting) const;
  // Goes on with those, as they were added last.
  void go_on(std::span<const pollfd> waited);

 private:
  // A call of connect() that waits, of a socket that does not.
  struct Connecting {
    std::uint64_t id = 0;
    Descriptor socket;
    int flags = 0;
    // Of a socket's file: as many wait there as may, and the kernel does not say when one fewer does.
    Descriptor file{};
    std::chrono::steady_clock::time_point until{};  // it is tried, as the socket's SO_SNDTIMEO says
    bool is_full() const { return static_cast<bool>(file); }
  };

  Descriptor granted_socket(const sockaddr_storage& address) const;
  void connect_again(std::size_t index);
  void finish(std::size_t index);
  void finish(std::size_t index, int error);

  const CallListener& listener_;
  const GuardOrder& order_;
  const std::string section_ = order_.section();
  std::map<std::string, std::string> sockets_;  // that are granted: by their names, where these led at the start
  Reach reach_;
  std::vector<Connecting> connecting_;
};

}  // namespace collet::worker
