// The lanes of all loops of the host: calls of remotes that are connected go straight from the loop on which they
// have come, without a change of thread, which costs more than all the rest.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "client/offer/publisher.h"
#include "client/remote/lane.h"
#include "client/remote/lane_control.h"

namespace collet::client {

class Lanes final : public LaneControl {
 public:
  // All are borrowed.
  Lanes(const Host& host, const HostLoops& loops, const Publisher& publisher, LaneListener& listener);
  // [any thread, when no loop runs anything of us any more]
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // [any thread] Begins the call if it has come on a loop, and if its remote's gate is open; else leaves it as it
  // is.
  bool take(IncomingCall& call);
  // [any thread] The listener is told if it is not found here.
  void cancel(collet_call call, const char* reason);

  void end(const LaneGatePtr& gate, const char* reason) override;
  void gather(const LaneGatePtr& gate, std::function<void()> done) override;
  void tell(const LaneGatePtr& gate, RequestId request, KeptMessage message) override;
  void answer(const LaneGatePtr& gate, RequestId request, std::string text) override;
  void lose(const LaneGatePtr& gate, LinkNumber link, std::string why, bool last) override;
  void let_go(RequestId request) override;

 private:
  using Task = std::function<void(Lane&)>;
  // A lane, and what other threads want of it: done in one turn of its loop, which is woken once.
  struct Post {
    explicit Post(std::unique_ptr<Lane> one) : lane(std::move(one)) {}
    const std::unique_ptr<Lane> lane;
    std::mutex mutex;  // guards the one below
    std::vector<Task> tasks;
  };

  void post(unsigned loop, Task task);
  // The lane that this request is in, or was.
  void post_to_lane_of(RequestId request, Task task);
  static void run(void* post);

  const HostLoops loops_;
  const Publisher& publisher_;
  LaneListener& listener_;
  std::vector<std::unique_ptr<Post>> posts_;  // by loop
};

}  // namespace collet::client
