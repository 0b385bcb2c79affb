#include "client/remote/lane.h"

#include <algorithm>
#include <new>
#include <utility>

#include "client/limits.h"

namespace collet::client {

Lane::Lane(const Host& host, const HostLoops& loops, unsigned loop, LaneListener& listener)
    : host_(host),
      loops_(loops),
      listener_(listener),
      loop_(loop),
      numbers_(loop + 1) {}

Lane::~Lane() {
  while (!calls_.empty()) calls_.begin()->second->cancel("the client is being unloaded");
  while (!carrying_.empty()) carrying_.begin()->second->let_go();
}

bool Lane::take(IncomingCall& call, LaneTarget target) {
  if (calls_.size() >= limits::kLaneCallsMax) return false;
  const LaneRoutePtr route = target.gate->enter(loop_);
  if (!route) return false;
  on_turn_end();
  const RequestId number = numbers_.next();
  auto made = std::make_unique<LaneCall>(host_, listener_, *this, loop_, std::move(call), std::move(target));
  LaneCall& beginning = *calls_.emplace(number, std::move(made)).first->second;
  std::string request;
  try {
    request = beginning.write_request(*route, number);
  } catch (const std::bad_alloc&) {  // it is left to those who can say so
  }
  const bool fits = !request.empty() && request.size() <= limits::kLaneRequestBytesMax;
  if (fits && send(beginning, route, std::move(request))) return true;
  call = beginning.give_back();
  beginning.target().gate->leave(loop_);
  calls_.erase(number);
  return false;
}

// False: there is no room.
bool Lane::send(LaneCall& call, const LaneRoutePtr& route, std::string request) {
  if (route->input) return send_line(call, route, std::move(request));
  LaneConnection* const connection = connection_to(route);
  if (connection) call.begin(*connection, std::move(request));
  return connection != nullptr;
}

// Each write may wake the child. Where others are under way, the next ones are likely to come in the same turn.
bool Lane::send_line(LaneCall& call, const LaneRoutePtr& route, std::string line) {
  const bool alone = calls_.size() == 1;
  if (alone && !route->input->send(std::move(line))) return false;
  try {
    if (!alone) unsent_.push_back({call.request(), route->input, std::move(line)});
  } catch (const std::bad_alloc&) {
    return false;
  }
  call.begin(route);
  if (alone) return true;
  const auto send_later = [](void* context) {
    Lane& self = *static_cast<Lane*>(context);
    self.send_lines();
    self.on_turn_end();
  };
  if (unsent_.size() == 1 && !loops_.post(loop_, send_later, this)) send_lines();
  return true;
}

void Lane::send_lines() {
  const std::vector<Unsent> unsent = std::exchange(unsent_, {});
  for (auto first = unsent.begin(), end = first; first != unsent.end(); first = end) {
    end = std::find_if(first, unsent.end(), [&](const Unsent& other) { return other.input != first->input; });
    bool sent = false;
    try {
      std::string lines;
      for (auto each = first; each != end; ++each) {
        if (calls_.contains(each->request)) lines += each->line;
      }
      sent = lines.empty() || first->input->send(std::move(lines));
    } catch (const std::bad_alloc&) {
    }
    for (auto each = first; each != end && !sent; ++each) {
      if (const auto found = calls_.find(each->request); found != calls_.end()) found->second->begin_elsewhere();
    }
  }
}

bool Lane::cancel(collet_call call, const char* reason) {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const auto& entry) { return entry.second->id() == call; });
  if (found == calls_.end()) return false;
  found->second->cancel(reason);
  return true;
}

std::vector<LaneCall*> Lane::through(const LaneGatePtr& gate) const {
  std::vector<LaneCall*> found;
  for (const auto& [id, call] : calls_) {
    if (call->target().gate == gate) found.push_back(call.get());
  }
  return found;
}

void Lane::end(const LaneGatePtr& gate, const char* reason) {
  for (LaneCall* call : through(gate)) call->cancel(reason);
}

void Lane::carry(const LaneGatePtr& gate) {
  send_lines();
  for (LaneCall* call : through(gate)) call->carry_on();
}

// Null: it is another remote's, or has left.
LaneCall* Lane::find(const LaneGatePtr& gate, RequestId request) const {
  const auto found = calls_.find(request);
  return found != calls_.end() && found->second->target().gate == gate ? found->second.get() : nullptr;
}

void Lane::tell(const LaneGatePtr& gate, RequestId request, const Message& message) {
  if (const LaneCall* const call = find(gate, request)) client::tell(host_, call->id(), message);
}

void Lane::answer(const LaneGatePtr& gate, RequestId request, const std::string& text) {
  if (LaneCall* const call = find(gate, request)) call->take_answer(text);
}

void Lane::lose(const LaneGatePtr& gate, LinkNumber link, const std::string& why, bool last) {
  send_lines();
  for (LaneCall* call : through(gate)) {
    if (call->is_of(link)) call->lose_stream(why, last);
  }
}

void Lane::let_go(RequestId request) {
  if (const auto found = carrying_.find(request); found != carrying_.end()) found->second->let_go();
}

void Lane::on_turn_end() {
  over_.clear();
  closed_.clear();
}

// The one that was used last, as it is the likeliest to stand.
LaneConnection* Lane::connection_to(const LaneRoutePtr& route) {
  for (std::size_t at = resting_.size(); at-- > 0;) {
    LaneConnection* const resting = resting_[at].connection;
    if (!resting->free() || resting->route() != route) continue;
    if (!resting->stands()) {
      resting->close();
      continue;
    }
    resting_.erase(resting_.begin() + static_cast<std::ptrdiff_t>(at));
    return resting;
  }
  if (route->tls && route->tls->is_old()) return nullptr;  // the client's thread makes a new one
  if (connections_.size() >= limits::kLaneConnectionsMax && !resting_.empty()) resting_.front().connection->close();
  if (connections_.size() >= limits::kLaneConnectionsMax) return nullptr;
  auto made = std::make_unique<LaneConnection>(loops_, route, *this);
  LaneConnection* const connection = made.get();
  connections_.emplace(connection, std::move(made));
  return connection;
}

void Lane::on_rest(LaneConnection& connection) {
  resting_.push_back({&connection, false});
  watch_rest();
}

void Lane::watch_rest() {
  if (timer_ || resting_.empty()) return;
  timer_ = loops_.start_timer(
      limits::kLaneIdleMs,
      [](void* context) {
        Lane& self = *static_cast<Lane*>(context);
        self.timer_ = 0;
        self.close_rested();
        self.watch_rest();
        self.on_turn_end();
      },
      this);
}

void Lane::close_rested() {
  while (!resting_.empty() && resting_.front().long_ago) resting_.front().connection->close();
  for (Resting& resting : resting_) resting.long_ago = true;
}

void Lane::on_closed(LaneConnection& connection) {
  std::erase_if(resting_, [&](const Resting& resting) { return resting.connection == &connection; });
  const auto found = connections_.find(&connection);
  closed_.push_back(std::move(found->second));
  connections_.erase(found);
}

// Of those that run or are carried.
std::unique_ptr<LaneCall> Lane::take_out(LaneCall& call) {
  if (auto carried = carrying_.extract(call.request())) return std::move(carried.mapped());
  return std::move(calls_.extract(call.request()).mapped());
}

void Lane::on_carries(LaneCall& call) { carrying_.emplace(call.request(), take_out(call)); }

void Lane::on_over(LaneCall& call) { over_.push_back(take_out(call)); }

}  // namespace collet::client
