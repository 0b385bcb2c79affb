#include "client/remote/lanes.h"

namespace collet::client {

Lanes::Lanes(const Host& host, const HostLoops& loops, const Publisher& publisher, LaneListener& listener)
    : loops_(loops), publisher_(publisher), listener_(listener) {
  for (unsigned loop = 0; loop < loops_.count(); ++loop) {
    posts_.push_back(std::make_unique<Post>(std::make_unique<Lane>(host, loops_, loop, listener)));
  }
}

Lanes::~Lanes() = default;

bool Lanes::take(IncomingCall& call) {
  if (call.round > 0) return false;
  const auto here = loops_.current();
  if (!here) return false;
  LaneTarget target = publisher_.find_lane(call.key);
  return target.gate && posts_[*here]->lane->take(call, std::move(target));
}

void Lanes::cancel(collet_call call, const char* reason) {
  const auto here = loops_.current();
  if (here && posts_[*here]->lane->cancel(call, reason)) return;
  const auto look = [this, call, reason](Lane& lane) {
    if (!lane.cancel(call, reason)) listener_.cancel_elsewhere(call, reason);
  };
  for (unsigned loop = 0; loop < posts_.size(); ++loop) {
    if (here != loop) post(loop, look);
  }
  // Each lane that does not have it says so by itself, after it may have handed the call over.
  listener_.cancel_elsewhere(call, reason);
}

void Lanes::end(const LaneGatePtr& gate, const char* reason) {
  for (unsigned loop = 0; loop < posts_.size(); ++loop) {
    post(loop, [gate, reason](Lane& lane) { lane.end(gate, reason); });
  }
}

void Lanes::gather(const LaneGatePtr& gate, std::function<void()> done) {
  // Whoever lets go of it last says that it is done.
  const std::shared_ptr<const void> all(nullptr, [done = std::move(done)](const void*) { done(); });
  for (unsigned loop = 0; loop < posts_.size(); ++loop) {
    post(loop, [gate, all](Lane& lane) { lane.carry(gate); });
  }
}

void Lanes::tell(const LaneGatePtr& gate, RequestId request, KeptMessage message) {
  post_to_lane_of(request,
                  [gate, request, message = std::move(message)](Lane& lane) { lane.tell(gate, request, message.view()); });
}

void Lanes::answer(const LaneGatePtr& gate, RequestId request, std::string text) {
  post_to_lane_of(request, [gate, request, text = std::move(text)](Lane& lane) { lane.answer(gate, request, text); });
}

void Lanes::lose(const LaneGatePtr& gate, LinkNumber link, std::string why, bool last) {
  for (unsigned loop = 0; loop < posts_.size(); ++loop) {
    post(loop, [gate, link, why, last](Lane& lane) { lane.lose(gate, link, why, last); });
  }
}

void Lanes::let_go(RequestId request) {
  post_to_lane_of(request, [request](Lane& lane) { lane.let_go(request); });
}

void Lanes::post_to_lane_of(RequestId request, Task task) {
  const unsigned part = RequestNumbers::part_of(request);
  if (RequestNumbers::is_of_loop(request) && part <= posts_.size()) post(part - 1, std::move(task));
}

// What the loop does not do any more, as the generation ends, goes at once.
void Lanes::post(unsigned loop, Task task) {
  Post& to = *posts_[loop];
  std::vector<Task> dropped;
  const std::lock_guard lock(to.mutex);
  to.tasks.push_back(std::move(task));
  if (to.tasks.size() == 1 && !loops_.post(loop, run, &to)) dropped.swap(to.tasks);
}

void Lanes::run(void* context) {
  Post& post = *static_cast<Post*>(context);
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(post.mutex);
    tasks.swap(post.tasks);
  }
  for (const Task& task : tasks) task(*post.lane);
  post.lane->on_turn_end();
}

}  // namespace collet::client
