#include "plugin/run/invocations.h"

#include <algorithm>
#include <new>

#include "registry/ending.h"

namespace collet::plugin {
namespace {

constexpr const char* kOutOfMemory = "The server is out of memory";

}  // namespace

// One invocation, from when its loop has it to its end.
class Invocations::Running final : public registry::Listener {
 public:
  Running(Invocations& all, registry::Deadlines& deadlines, unsigned loop, std::uint64_t serial, Ordered ordered)
      : all_(all),
        deadlines_(deadlines),
        loop_(loop),
        serial_(serial),
        link_(std::move(ordered.link)),
        id_(ordered.id),
        bytes_(registry::size_of(ordered.order)),
        inside_of_(ordered.inside_of),
        kind_(ordered.order.kind),
        caller_(std::move(ordered.caller)),
        invocation_(std::move(ordered.order), std::move(ordered.on_behalf), all.sealer_, deadlines, *this) {}

  ~Running() override {
    --link_->running;
    link_->bytes -= bytes_;
  }

  void begin() {
    const registry::SnapshotPtr snapshot = all_.registry_.current();
    beginning_ = true;
    try {
      tell_if_denied(*snapshot);
      invocation_.begin(*snapshot, loop_);
    } catch (const std::bad_alloc&) {
      end(Outcome::failed(kOutOfMemory));
    }
    beginning_ = false;
    if (ended_) all_.forget(loop_, serial_);
  }

  // Whoever waits for it is told after a moment, even if it does not end.
  void cancel(registry::CancelReason reason) {
    if (ended_) return;
    invocation_.cancel(reason);
    if (ended_) return;
    invocation_.lift_deadline();
    cancelled_for_ = reason;
    grace_.arm(deadlines_, grace_ms());
  }

 private:
  void on_progress(const registry::Progress& progress) override {
    const std::lock_guard lock(link_->mutex);
    if (link_->maker) link_->maker->on_progress(id_, progress);
  }
  void on_log(const registry::LogMessage& message) override {
    const std::lock_guard lock(link_->mutex);
    if (link_->maker && inside_of_) link_->maker->on_log(inside_of_, message);
  }
  void on_deadline() override { tell_late("did not answer within", invocation_.timeout_ms()); }
  void on_end(registry::Ending& ending) override {
    try {
      end(outcome_of(std::move(ending)));
    } catch (const std::bad_alloc&) {
      end(Outcome::failed(kOutOfMemory));
    }
    if (!beginning_) all_.forget(loop_, serial_);
  }
  std::optional<std::string_view> info(std::string_view key) const override { return caller_.find(key); }

  Outcome outcome_of(registry::Ending ending) const {
    Outcome out;
    out.how = ending.how;
    out.is_error = ending.is_error;
    if (ending.how == registry::Ending::How::completed) out.result = registry::result_text(kind_, ending);
    out.rpc_code = ending.rpc_code;
    out.message = std::move(ending.message);
    out.data = std::move(ending.data);
    out.state = std::move(ending.state);
    out.questions = std::move(ending.input_requests);
    return out;
  }

  void end(Outcome outcome) {
    ended_ = true;
    grace_.disarm();
    tell_end(std::move(outcome));
  }

  std::uint64_t grace_ms() const { return std::min(invocation_.timeout_ms(), limits::kCancelGraceMs); }

  void grace_is_over() {
    tell_late("was cancelled, and has not ended within", grace_ms());
    if (cancelled_for_ == registry::CancelReason::deadline) invocation_.cancel(cancelled_for_);
  }

  void tell_late(std::string_view what, std::uint64_t ms) {
    tell_end(outcome_of(registry::failure(kind_, fmt::format("It {} {} ms", what, ms))));
  }

  void tell_if_denied(const registry::Snapshot& snapshot) {
    const registry::Item* item = invocation_.find_beyond_reach(snapshot);
    if (!item) return;
    const std::lock_guard lock(link_->mutex);
    if (link_->maker) link_->maker->on_denied(*item);
  }

  // Of several ends, such as a deadline's and the plugin's own, the first counts.
  void tell_end(Outcome outcome) {
    const std::lock_guard lock(link_->mutex);
    if (link_->maker) link_->maker->on_end(id_, std::move(outcome));
  }

  Invocations& all_;
  registry::Deadlines& deadlines_;
  const unsigned loop_;
  const std::uint64_t serial_;
  const LinkPtr link_;
  const std::uint64_t id_;
  const std::size_t bytes_;
  const CallId inside_of_;
  const CallKind kind_;
  const CallerInfo caller_;
  registry::Invocation invocation_;
  registry::Deadline grace_{[this] { grace_is_over(); }};  // after it was cancelled
  registry::CancelReason cancelled_for_ = registry::CancelReason::client;
  bool beginning_ = false;
  bool ended_ = false;
};

Invocations::Invocations(CallTable& calls, registry::Registry& registry, std::vector<registry::StateSealer::Key> state_keys)
    : calls_(calls), registry_(registry), sealer_(std::move(state_keys)), lanes_(calls.loops()) {}

Invocations::~Invocations() = default;

std::uint64_t Invocations::start(unsigned loop, Ordered ordered) {
  const std::uint64_t serial = ++last_serial_;
  auto kept = std::make_unique<Ordered>(std::move(ordered));
  ++kept->link->running;
  kept->link->bytes += registry::size_of(kept->order);
  calls_.loop(loop).post([this, loop, serial, kept = std::move(kept)] {
    Lane& lane = lanes_[loop];
    if (!lane.deadlines) lane.deadlines.emplace(calls_.loop(loop));
    auto running = std::make_unique<Running>(*this, *lane.deadlines, loop, serial, std::move(*kept));
    lane.running.emplace(serial, std::move(running)).first->second->begin();
  });
  return serial;
}

void Invocations::stop(unsigned loop, std::uint64_t serial, registry::CancelReason reason) {
  calls_.loop(loop).post([this, loop, serial, reason] {
    const auto found = lanes_[loop].running.find(serial);
    if (found != lanes_[loop].running.end()) found->second->cancel(reason);
  });
}

unsigned Invocations::next_loop() { return turn_++ % static_cast<unsigned>(lanes_.size()); }

// Later: it may not have returned from its end.
void Invocations::forget(unsigned loop, std::uint64_t serial) {
  Lane& lane = lanes_[loop];
  const auto found = lane.running.find(serial);
  calls_.loop(loop).post([ended = std::move(found->second)] {});
  lane.running.erase(found);
}

}  // namespace collet::plugin
