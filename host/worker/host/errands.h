// What a worker's plugin does with items of the host's: its invocations and lists, made at the host table for it. The worker is
// not trusted: the host table decides for which call it speaks and what it reaches, and what waits for it has a bound.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "collet/ext/draft/registry.h"
#include "collet/ext/draft/tools.h"
#include "worker/talk/frame.h"

namespace collet::worker {

class Errands {
 public:
  // Any thread: sends frames to the worker, if it is still that process. False: what it has not taken leaves no room for them.
  // What must be sent has room, or ends the process.
  enum class Need : std::uint8_t { may_be_lost, must_be_sent };
  using Send = std::function<bool(std::uint32_t incarnation, std::string_view frames, Need need)>;
  explicit Errands(Send send) : send_(std::move(send)) {}

  // From now on they are made here; those that have come before are. The table is borrowed, and tells the end of each
  // before its generation is gone.
  void attach(const collet_host& host);
  // Another process speaks from now on; 0: none does. What the one before has begun is cancelled, and nobody is told of its end.
  void begin(std::uint32_t incarnation);

  // The thread that reads the frames. Returns why this one cannot come from a sound worker, or an empty text.
  std::string take(const FrameHead& head, std::string_view body);

 private:
  struct Errand;  // what the callbacks are given

  // Of that process; nothing if it is gone by now.
  std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body);
  std::string invoke(std::uint32_t incarnation, std::uint64_t id, std::string_view body);
  std::string list(std::uint32_t incarnation, std::uint64_t id, std::string_view body);
  void watch();
  void cancel(std::uint64_t id);
  void say_outcome(std::uint32_t incarnation, std::uint64_t id, const collet_outcome& outcome) const;
  void say_listing(std::uint32_t incarnation, std::uint64_t id, std::int32_t status, std::string_view json) const;
  void refuse(std::uint32_t incarnation, std::uint64_t id, std::int32_t status) const;

  const Send send_;
  // Set by attach(), before anything is made.
  const collet_host* host_ = nullptr;
  const collet_tools* tools_ = nullptr;
  const collet_registry* registry_ = nullptr;

  std::mutex mutex_;  // guards all below
  bool attached_ = false;
  std::uint32_t incarnation_ = 0;
  bool watches_ = false;  // this process wants to hear of changes
  struct Waiting {
    std::uint32_t incarnation;
    FrameHead head;
    std::string body;
  };
  std::deque<Waiting> waiting_;  // until there is a host table
  std::size_t waiting_bytes_ = 0;
  std::size_t bytes_ = 0;  // of arguments that are under way
  unsigned lists_ = 0;     // that are under way
  std::map<std::uint64_t, collet_invocation> invocations_;  // by the worker's number
};

}  // namespace collet::worker
