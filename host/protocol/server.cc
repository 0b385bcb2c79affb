#include "protocol/server.h"

#include <atomic>

#include "base/log.h"
#include "base/text.h"

namespace collet::protocol {
namespace {

enum Eras : unsigned { kModern = 1, kLegacy = 2, kBoth = 3 };

std::string make_identity(const ServerOptions& options) {
  std::string out = R"({"name":)";
  text::append_json_string(out, options.name);
  if (!options.title.empty()) {
    out += R"(,"title":)";
    text::append_json_string(out, options.title);
  }
  out += R"(,"version":)";
  text::append_json_string(out, options.version);
  out += '}';
  return out;
}

}  // namespace

struct ServerLoop::Method {
  std::string_view name;
  unsigned eras;
  Handler handler;
};

const ServerLoop::Method ServerLoop::kMethods[] = {
    {"tools/call", kBoth, &ServerLoop::call_tool},
    {"tools/list", kBoth, &ServerLoop::list_tools},
    {"server/discover", kModern, &ServerLoop::discover},
    {"initialize", kLegacy, &ServerLoop::initialize},
    {"ping", kLegacy, &ServerLoop::ping},
    {"logging/setLevel", kLegacy, &ServerLoop::set_level},
};

ServerLoop::ServerLoop(Server& server, loop::Loop& loop, unsigned index)
    : server_(server),
      loop_(loop),
      index_(index),
      snapshot_(std::make_shared<registry::Snapshot>()),
      tools_(std::make_shared<Listing>(*snapshot_, registry::Kind::tool, 1)),
      deadline_timer_(loop) {}

ServerLoop::~ServerLoop() = default;

void ServerLoop::handle(RequestPtr request) {
  const unsigned era = request->context.era == Era::modern ? kModern : kLegacy;
  for (const Method& method : kMethods) {
    if (method.name != request->message.method || !(method.eras & era)) continue;
    (this->*method.handler)(std::move(request));
    return;
  }
  request->exchange.error(rpc::method_not_found(request->message.method));
}

void ServerLoop::notice(const Request& request) {
  if (request.message.method == "notifications/cancelled") cancelled(request);
}

void ServerLoop::cancelled(const Request& request) {
  const json::Value* value = request.message.params ? json::find(*request.message.params, "requestId") : nullptr;
  const auto id = value ? rpc::Id::from(*value) : std::nullopt;
  rpc::InFlight* in_flight = in_flight_of(request);
  if (!id || !in_flight) return;
  if (const auto place = in_flight->find(*id)) server_.cancel(*place);
}

rpc::InFlight* ServerLoop::in_flight_of(const Request& request) {
  if (request.context.transport == Transport::stdio) return stream_in_flight_;
  return request.context.session ? &request.context.session->in_flight() : nullptr;
}

rpc::Place ServerLoop::add_stream(SideStream& stream) {
  streams_.emplace(++serial_, &stream);
  return {index_, serial_};
}

void ServerLoop::remove_stream(rpc::Place place) { streams_.erase(place.serial); }

std::unique_ptr<ToolCall> ServerLoop::new_call() {
  if (idle_calls_.empty()) return std::make_unique<ToolCall>(*this);
  std::unique_ptr<ToolCall> call = std::move(idle_calls_.back());
  idle_calls_.pop_back();
  return call;
}

void ServerLoop::keep(std::unique_ptr<ToolCall> call) {
  constexpr std::size_t kKeptMax = 256;
  if (idle_calls_.size() < kKeptMax) idle_calls_.push_back(std::move(call));
  if (when_idle_ && waiting_.empty()) std::exchange(when_idle_, nullptr)();
}

void ServerLoop::when_idle(Callback<void()> callback) {
  if (waiting_.empty()) return callback();
  when_idle_ = std::move(callback);
}

std::uint64_t ServerLoop::add_waiting(std::unique_ptr<ToolCall> call) {
  const std::uint64_t serial = ++serial_;
  if (const auto deadline = call->deadline_ms()) {
    deadlines_.emplace(*deadline, serial);
    arm_deadline();
  }
  waiting_.emplace(serial, std::move(call));
  return serial;
}

std::unique_ptr<ToolCall> ServerLoop::remove_waiting(const ToolCall& call) {
  if (const auto deadline = call.deadline_ms()) {
    auto [entry, end] = deadlines_.equal_range(*deadline);
    while (entry != end && entry->second != call.serial()) ++entry;
    if (entry != end) deadlines_.erase(entry);
  }
  const auto found = waiting_.find(call.serial());
  COLLET_ASSERT(found != waiting_.end());
  std::unique_ptr<ToolCall> owned = std::move(found->second);
  waiting_.erase(found);
  return owned;
}

void ServerLoop::cancel(std::uint64_t serial) {
  const auto found = waiting_.find(serial);
  if (found != waiting_.end()) found->second->cancel(registry::CancelReason::client);
}

void ServerLoop::cancel_all(registry::CancelReason reason) {
  std::vector<std::uint64_t> serials;
  for (const auto& [serial, call] : waiting_) serials.push_back(serial);
  for (std::uint64_t serial : serials) {
    const auto found = waiting_.find(serial);
    if (found != waiting_.end()) found->second->cancel(reason);
  }
}

void ServerLoop::arm_deadline() {
  if (deadlines_.empty()) return;
  const std::uint64_t now = loop_.now_ms();
  const std::uint64_t when = deadlines_.begin()->first;
  deadline_timer_.start(when > now ? when - now : 0, [this] { expire(); });
}

void ServerLoop::expire() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= loop_.now_ms()) {
    const std::uint64_t serial = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto found = waiting_.find(serial);
    if (found != waiting_.end()) found->second->expire();
  }
  arm_deadline();
}

void ServerLoop::adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listing> tools, unsigned changed) {
  snapshot_ = std::move(snapshot);
  tools_ = std::move(tools);
  if (!(changed & 1u << static_cast<unsigned>(registry::Kind::tool))) return;
  for (const auto& [serial, stream] : streams_) {
    const SessionPtr& session = stream->session();
    if (session && session->owns_stream({index_, serial})) {
      stream->send(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
    }
  }
}

Server::Server(ServerOptions options, registry::Registry& registry, std::vector<loop::Loop*> loops)
    : options_(std::move(options)),
      registry_(registry),
      sessions_(options_.sessions_max, options_.session_idle_timeout_ms),
      identity_(make_identity(options_)),
      stamp_(R"("resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":)" + identity_ + "}"),
      cacheable_stamp_(fmt::format(R"({},"ttlMs":{},"cacheScope":"public")", stamp_, limits::kListTtlMs)) {
  if (!options_.instructions.empty()) {
    instructions_member_ = R"("instructions":)";
    text::append_json_string(instructions_member_, options_.instructions);
    instructions_member_ += ',';
  }
  for (unsigned index = 0; index < loops.size(); ++index) {
    loops_.push_back(std::make_unique<ServerLoop>(*this, *loops[index], index));
  }
  registry_.publish_to([this](registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted) {
    publish(std::move(snapshot), changed, std::move(adopted));
  });
}

Server::~Server() { registry_.publish_to(nullptr); }

void Server::cancel(rpc::Place place) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial] { there.cancel(serial); });
}

void Server::publish(registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted) {
  for (const registry::Rejected& item : snapshot->rejected()) {
    log::warning("{}: {} is left out: {}", item.source, item.name, item.reason);
  }
  auto tools = std::make_shared<const Listing>(*snapshot, registry::Kind::tool, options_.page_items);
  // Shared by the loops' tasks; the last one to adopt runs the callback.
  struct Adoption {
    std::atomic<std::size_t> left;
    Callback<void()> done;
  };
  auto adoption = std::make_shared<Adoption>();
  adoption->left = loops_.size();
  adoption->done = std::move(adopted);
  for (const auto& target : loops_) {
    target->loop().post([&target = *target, snapshot, tools, changed, adoption] {
      target.adopt(snapshot, tools, changed);
      if (--adoption->left == 0 && adoption->done) adoption->done();
    });
  }
}

}  // namespace collet::protocol
