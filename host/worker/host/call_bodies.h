// The bodies of requests that a worker's routes take as they come: read from the host table when the worker asks, and sent on, a bounded
// amount ahead of what it has taken.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "collet/ext/draft/http.h"
#include "worker/talk/frame.h"

namespace collet::worker {

class CallBodies {
 public:
  // Any thread: sends a frame to the worker.
  using Send = std::function<void(std::string_view frame)>;
  explicit CallBodies(Send send) : send_(std::move(send)) {}
  CallBodies(const CallBodies&) = delete;
  CallBodies& operator=(const CallBodies&) = delete;

  // Before the first call. The table is borrowed.
  void attach(const collet_host& host);
  // Another process speaks from now on: it has asked for nothing.
  void forget_all();

  // [any] More of that call's body can be read.
  void came(collet_call call);
  // The worker has taken so many bytes of it, or, none, asks for them. Returns why a sound worker cannot have said so, or an empty text.
  std::string taken(collet_call call, std::string_view body);
  // The call has ended.
  void ended(collet_call call);

 private:
  // What is ahead of the worker of one body.
  struct Ahead {
    std::size_t room = limits::kHttpBodyAheadBytesMax;  // so many more bytes may be sent
    bool is_whole = false;                              // nothing follows
  };
  using Bodies = std::map<collet_call, Ahead>;
  // Sends on what there is, as far as it may. Returns the status of the last read.
  std::int32_t send_on(Bodies::iterator body);

  const Send send_;
  const collet_host* host_ = nullptr;
  const collet_http* http_ = nullptr;
  std::mutex mutex_;  // guards the one below, and that pieces are sent in the order in which they were read
  Bodies bodies_;     // those that the worker has asked for
};

}  // namespace collet::worker
