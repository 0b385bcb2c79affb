#include "client/remote/lanes.h"

namespace collet::client {

Lanes::Lanes(const Host& host, const HostLoops& loops, const Publisher& publisher, LaneListener& listener)
    : loops_(loops), publisher_(publisher), listener_(listener) {
  for (unsigned loop = 0; loop < loops_.count(); ++loop) {
    lanes_.push_back(std::make_unique<Lane>(host, loops_, loop, listener));
  }
}

Lanes::~Lanes() = default;

bool Lanes::take(IncomingCall& call) {
  if (call.round > 0) return false;
  const auto here = loops_.current();
  if (!here) return false;
  LaneTarget target = publisher_.find_lane(call.key);
  return target.gate && lanes_[*here]->take(call, std::move(target));
}

void Lanes::cancel(collet_call call, const char* reason) {
  const auto here = loops_.current();
  if (here && lanes_[*here]->cancel(call, reason)) return;
  const auto look = [this, call, reason](Lane& lane) {
    if (!lane.cancel(call, reason)) listener_.cancel_elsewhere(call, reason);
  };
  for (unsigned loop = 0; loop < lanes_.size(); ++loop) {
    if (here != loop) post(loop, look);
  }
  // Each lane that does not have it says so by itself, after it may have handed the call over.
  listener_.cancel_elsewhere(call, reason);
}

void Lanes::end(const LaneGatePtr& gate, const char* reason) {
  for (unsigned loop = 0; loop < lanes_.size(); ++loop) {
    post(loop, [gate, reason](Lane& lane) { lane.end(gate, reason); });
  }
}

void Lanes::gather(const LaneGatePtr& gate, std::function<void()> done) {
  // Whoever lets go of it last says that it is done.
  const std::shared_ptr<const void> all(nullptr, [done = std::move(done)](const void*) { done(); });
  for (unsigned loop = 0; loop < lanes_.size(); ++loop) {
    post(loop, [gate, all](Lane& lane) { lane.carry(gate); });
  }
}

void Lanes::tell(const LaneGatePtr& gate, RequestId request, KeptMessage message) {
  const unsigned part = RequestNumbers::part_of(request);
  if (part == RequestNumbers::kOwn || part > lanes_.size()) return;
  post(part - 1, [gate, request, message = std::move(message)](Lane& lane) { lane.tell(gate, request, message.view()); });
}

void Lanes::let_go(RequestId request) {
  post(RequestNumbers::part_of(request) - 1, [request](Lane& lane) { lane.let_go(request); });
}

bool Lanes::post(unsigned loop, Task task) {
  Errand* errand;
  {
    const std::lock_guard lock(mutex_);
    errands_.push_back({this, loop, std::move(task), {}});
    errand = &errands_.back();
    errand->place = std::prev(errands_.end());
  }
  if (loops_.post(loop, run, errand)) return true;
  const std::lock_guard lock(mutex_);
  errands_.erase(errand->place);
  return false;
}

void Lanes::run(void* context) {
  auto& errand = *static_cast<Errand*>(context);
  Lanes& self = *errand.lanes;
  Lane& lane = *self.lanes_[errand.loop];
  errand.task(lane);
  lane.on_turn_end();
  const std::lock_guard lock(self.mutex_);
  self.errands_.erase(errand.place);
}

}  // namespace collet::client
