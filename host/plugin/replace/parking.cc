#include "plugin/replace/parking.h"

#include <fmt/core.h>

#include "base/assert.h"
#include "plugin/run/call_table.h"
#include "registry/ending.h"
#include "registry/kept_call.h"

namespace collet::plugin {

using registry::CallId;
using Clock = std::chrono::steady_clock;

namespace {

// The one who is told is there as long as the call is.
void end_failed(registry::Listener& listener, std::string message) {
  registry::Ending ending = registry::failed(kInternalError, std::move(message));
  listener.on_end(ending);
}

}  // namespace

// The calls of one loop. Loop thread, except `count` and `released`.
struct Parking::Lane : std::enable_shared_from_this<Lane> {
  loop::Loop* loop = nullptr;
  CallId last_id = 0;
  std::map<CallId, std::unique_ptr<Parked>> calls;  // in the order of their coming
  std::atomic<std::size_t> count{0};                // of calls
  std::atomic<bool> released{false};

  void forget(CallId id) {
    calls.erase(id);
    count = calls.size();
  }
};

// One call with all that came with it, and its caller's ear.
class Parking::Parked final : public registry::Listener {
 public:
  Parked(Lane& lane, CallId id, const registry::Call& call, registry::Listener& listener)
      : lane_(lane),
        id_(id),
        listener_(listener),
        item_(*reinterpret_cast<const registry::ItemDef*>(call.handle)),
        call_(call, Clock::now()) {}

  const registry::ItemDef& item() const { return item_; }
  bool begun() const { return provider_ != nullptr; }

  void begin(const Place& place) {
    provider_ = place.provider;
    registry::Call call = call_.borrowed(Clock::now());
    call.handle = place.handle;
    starting_ = true;
    there_ = provider_->start(call, *this);
    starting_ = false;
    if (ended_) lane_.forget(id_);
  }

  void end(std::string message) {
    end_failed(listener_, std::move(message));
    lane_.forget(id_);
  }

  void cancel(registry::CancelReason reason) {
    if (provider_) return provider_->cancel(there_, reason);
    // Later: whoever cancels does not expect the call to end meanwhile.
    lane_.loop->post([lane = lane_.shared_from_this(), id = id_] {
      const auto found = lane->calls.find(id);
      if (found != lane->calls.end() && !found->second->begun()) {
        found->second->end("the call was cancelled before it began");
      }
    });
  }

  void taken(std::size_t bytes) {
    if (provider_) provider_->taken(there_, bytes);
  }

  void on_progress(const registry::Progress& progress) override { listener_.on_progress(progress); }
  void on_log(const registry::LogMessage& message) override { listener_.on_log(message); }
  void on_close_stream(unsigned retry_ms) override { listener_.on_close_stream(retry_ms); }
  void on_answer_head(registry::WebHead head) override { listener_.on_answer_head(std::move(head)); }
  void on_answer_bytes(std::string& bytes) override { listener_.on_answer_bytes(bytes); }
  void on_end(registry::Ending& ending) override {
    listener_.on_end(ending);
    ended_ = true;
    if (!starting_) lane_.forget(id_);
  }
  std::optional<std::string_view> info(std::string_view key) const override { return listener_.info(key); }

 private:
  Lane& lane_;
  const CallId id_;
  registry::Listener& listener_;
  const registry::ItemDef& item_;
  const registry::KeptCall call_;

  registry::Provider* provider_ = nullptr;
  CallId there_ = 0;
  bool starting_ = false;
  bool ended_ = false;
};

Parking::Parking(std::string plugin, std::vector<loop::Loop*> loops) : plugin_(std::move(plugin)) {
  for (loop::Loop* loop : loops) {
    lanes_.push_back(std::make_shared<Lane>());
    lanes_.back()->loop = loop;
  }
}

Parking::~Parking() = default;

std::vector<registry::ItemDef> Parking::stand_in_for(std::vector<registry::ItemDef> items) {
  for (registry::ItemDef& item : items) {
    items_.push_back(item);
    item.handle = reinterpret_cast<std::uint64_t>(&items_.back());
  }
  return items;
}

CallId Parking::start(const registry::Call& call, registry::Listener& listener) {
  Lane& lane = *lanes_[call.loop];
  if (lane.calls.size() >= limits::kParkedCallsMax) {
    end_failed(listener, fmt::format("plugin {}: it is being replaced, and more than {} calls wait for that",
                                     plugin_, limits::kParkedCallsMax));
    return 0;
  }
  const CallId id = ++lane.last_id << 8 | call.loop;
  lane.calls.emplace(id, std::make_unique<Parked>(lane, id, call, listener));
  lane.count = lane.calls.size();
  return id;
}

void Parking::cancel(CallId id, registry::CancelReason reason) {
  Lane& lane = *lanes_[id & 0xff];
  const auto found = lane.calls.find(id);
  if (found != lane.calls.end()) found->second->cancel(reason);
}

void Parking::taken(CallId id, std::size_t bytes) {
  Lane& lane = *lanes_[id & 0xff];
  const auto found = lane.calls.find(id);
  if (found != lane.calls.end()) found->second->taken(bytes);
}

void Parking::release(Find find, std::string otherwise, Callback<void()> released) {
  struct Order {  // shared by the loops; the last one calls back
    Find find;
    std::string otherwise;
    Callback<void()> released;
    std::atomic<std::size_t> left;
  };
  const auto order = std::make_shared<Order>();
  order->find = std::move(find);
  order->otherwise = std::move(otherwise);
  order->released = std::move(released);
  order->left = lanes_.size();
  for (const auto& lane : lanes_) {
    lane->loop->post([lane, order] {
      release_lane(*lane, order->find, order->otherwise);
      if (--order->left == 0) order->released();
    });
  }
}

void Parking::release_lane(Lane& lane, const Find& find, const std::string& otherwise) {
  std::vector<CallId> ids;
  for (const auto& [id, call] : lane.calls) ids.push_back(id);
  for (const CallId id : ids) {
    const auto found = lane.calls.find(id);
    if (found == lane.calls.end()) continue;
    Parked& call = *found->second;
    const Place place = find(call.item().kind, call.item().name);
    if (place.provider) {
      call.begin(place);
    } else {
      call.end(otherwise);
    }
  }
  lane.released = true;
}

bool Parking::idle() const {
  for (const auto& lane : lanes_) {
    if (!lane->released || lane->count != 0) return false;
  }
  return true;
}

}  // namespace collet::plugin
