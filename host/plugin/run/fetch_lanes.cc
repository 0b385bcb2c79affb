#include "plugin/run/fetch_lanes.h"

namespace collet::plugin {

// One exchange, from when its loop has it to its end.
class FetchLanes::Running final : public fetch::Sink {
 public:
  Running(FetchLanes& all, unsigned loop, std::uint64_t serial, LinkPtr link, std::uint64_t id)
      : all_(all), loop_(loop), serial_(serial), link_(std::move(link)), id_(id) {}
  ~Running() { leave(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void begin(fetch::Request request) { exchange_ = all_.engine(loop_).start(std::move(request), *this); }
  void taken(std::size_t bytes) { all_.engine(loop_).taken(exchange_, bytes); }
  void stop() {
    const bool looking_up = all_.engine(loop_).cancel(exchange_);
    on_end({.whole = false, .sent = true, .message = "it was cancelled", .looking_up = looking_up});
  }

 private:
  void on_head(fetch::Head head) override {
    const std::lock_guard lock(link_->mutex);
    if (link_->maker) link_->maker->on_head(id_, std::move(head));
  }
  void on_body(std::string bytes) override {
    const std::lock_guard lock(link_->mutex);
    if (link_->maker) link_->maker->on_body(id_, std::move(bytes));
  }
  // Whoever is told may begin another one at once.
  void on_end(const fetch::End& end) override {
    const bool looking_up = end.looking_up;
    if (!looking_up) leave();
    {
      const std::lock_guard lock(link_->mutex);
      if (link_->maker) link_->maker->on_end(id_, end);
    }
    all_.forget(loop_, serial_, looking_up);
  }
  void leave() {
    if (!std::exchange(left_, true)) --link_->running;
  }

  FetchLanes& all_;
  const unsigned loop_;
  const std::uint64_t serial_;
  const LinkPtr link_;
  const std::uint64_t id_;
  fetch::Engine::Id exchange_ = 0;
  bool left_ = false;  // it does not count any more
};

struct FetchLanes::Lingering {
  Lingering(std::unique_ptr<Running> running, loop::Loop& loop) : ended(std::move(running)), over(loop) {}

  const std::unique_ptr<Running> ended;
  loop::Timer over;
};

FetchLanes::FetchLanes(CallTable& calls, fetch::EngineOptions options)
    : calls_(calls), options_(std::move(options)), lanes_(calls.loops()) {}

FetchLanes::~FetchLanes() {
  for (Lane& lane : lanes_) lane.engine.reset();  // it tells those that run
}

fetch::Engine& FetchLanes::engine(unsigned loop) {
  auto& engine = lanes_[loop].engine;
  if (!engine) engine = std::make_unique<fetch::Engine>(calls_.loop(loop), options_);
  return *engine;
}

std::uint64_t FetchLanes::start(unsigned loop, LinkPtr link, std::uint64_t id, fetch::Request request) {
  const std::uint64_t serial = ++last_serial_;
  ++link->running;
  auto running = std::make_unique<Running>(*this, loop, serial, std::move(link), id);
  auto kept = std::make_unique<fetch::Request>(std::move(request));
  calls_.loop(loop).post([this, loop, serial, running = std::move(running), kept = std::move(kept)]() mutable {
    lanes_[loop].running.emplace(serial, std::move(running)).first->second->begin(std::move(*kept));
  });
  return serial;
}

template <class Body>
void FetchLanes::with(unsigned loop, std::uint64_t serial, Body body) {
  calls_.loop(loop).post([this, loop, serial, body] {
    const auto found = lanes_[loop].running.find(serial);
    if (found != lanes_[loop].running.end()) body(*found->second);
  });
}

void FetchLanes::stop(unsigned loop, std::uint64_t serial) {
  with(loop, serial, [](Running& running) { running.stop(); });
}

void FetchLanes::taken(unsigned loop, std::uint64_t serial, std::size_t bytes) {
  with(loop, serial, [bytes](Running& running) { running.taken(bytes); });
}

// Later: it has not returned from its end.
void FetchLanes::forget(unsigned loop, std::uint64_t serial, bool looking_up) {
  Lane& lane = lanes_[loop];
  std::unique_ptr<Running> ended = std::move(lane.running.extract(serial).mapped());
  if (!looking_up) return calls_.loop(loop).post([kept = std::move(ended)] {});
  auto lingering = std::make_unique<Lingering>(std::move(ended), calls_.loop(loop));
  lingering->over.start(limits::kFetchConnectMs, [&lane, serial] { lane.lingering.erase(serial); });
  lane.lingering.emplace(serial, std::move(lingering));
}

}  // namespace collet::plugin
