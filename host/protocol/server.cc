#include "protocol/server.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <new>

#include "base/json_members.h"
#include "base/log.h"
#include "base/text.h"
#include "protocol/error.h"
#include "protocol/http/access.h"
#include "registry/uri_spelling.h"

namespace collet::protocol {
namespace {

using registry::CallKind;
using registry::Kind;

enum Eras : unsigned { kModern = 1, kLegacy = 2, kBoth = 3 };

std::string list_changed_message(const mcp::ChangingList& list) {
  return fmt::format(R"({{"jsonrpc":"2.0","method":"{}"}})", list.method);
}

std::string updated_message(std::string_view uri) {
  std::string message = R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":)";
  text::append_json_string(message, uri);
  return message += "}}";
}

std::string make_identity(const ServerOptions& options) {
  json::ObjectText out;
  out.add_text("name", options.name);
  if (!options.title.empty()) out.add_text("title", options.title);
  return out.add_text("version", options.version).take();
}

// What a client has answered one of our questions with, or why it has not.
Result<std::string> answer_in(const rpc::Message& message) {
  if (message.result && message.result->IsObject()) return json::to_text(*message.result);
  if (!message.error || !message.error->IsObject()) return error("its answer is no object");
  const json::Value* const code = json::find(*message.error, "code");
  const std::string_view reason = json::find_string(*message.error, "message").value_or("it gives no reason");
  return error("{}{}", reason, code && code->IsInt() ? fmt::format(" ({})", code->GetInt()) : "");
}

}  // namespace

struct ServerLoop::Method {
  std::string_view name;
  unsigned eras;
  Handler handler;
  bool is_about_tasks = false;  // some of which may be in a store
};

const ServerLoop::Method ServerLoop::kMethods[] = {
    {mcp::names_of(CallKind::tool).method, kBoth, &ServerLoop::call_tool},
    {mcp::names_of(Kind::tool).list_method, kBoth, &ServerLoop::list<Kind::tool>},
    {mcp::names_of(CallKind::resource).method, kBoth, &ServerLoop::read_resource},
    {mcp::names_of(Kind::resource).list_method, kBoth, &ServerLoop::list<Kind::resource>},
    {mcp::names_of(Kind::resource_template).list_method, kBoth, &ServerLoop::list<Kind::resource_template>},
    {mcp::names_of(CallKind::prompt).method, kBoth, &ServerLoop::get_prompt},
    {mcp::names_of(Kind::prompt).list_method, kBoth, &ServerLoop::list<Kind::prompt>},
    {mcp::names_of(CallKind::complete).method, kBoth, &ServerLoop::complete},
    {"server/discover", kModern, &ServerLoop::discover},
    {"subscriptions/listen", kModern, &ServerLoop::listen, true},
    {"tasks/get", kModern, &ServerLoop::get_task, true},
    {"tasks/update", kModern, &ServerLoop::update_task, true},
    {"tasks/cancel", kModern, &ServerLoop::cancel_task, true},
    {"tasks/get", kLegacy, &ServerLoop::get_core_task, true},
    {"tasks/result", kLegacy, &ServerLoop::await_core_task, true},
    {"tasks/list", kLegacy, &ServerLoop::list_core_tasks, true},
    {"tasks/cancel", kLegacy, &ServerLoop::cancel_core_task, true},
    {"initialize", kLegacy, &ServerLoop::initialize},
    {"ping", kLegacy, &ServerLoop::ping},
    {"logging/setLevel", kLegacy, &ServerLoop::set_level},
    {"resources/subscribe", kLegacy, &ServerLoop::subscribe},
    {"resources/unsubscribe", kLegacy, &ServerLoop::unsubscribe},
};

ServerLoop::ServerLoop(Server& server, loop::Loop& loop, unsigned index)
    : server_(server),
      loop_(loop),
      index_(index),
      snapshot_(std::make_shared<registry::Snapshot>()),
      listings_(std::make_shared<Listings>(*snapshot_, 1)),
      calls_(loop),
      news_(loop, server.options().list_changed_interval_ms, [this](unsigned changed) { tell_lists_changed(changed); }) {}

ServerLoop::~ServerLoop() = default;

std::optional<rpc::Error> ServerLoop::read(std::string_view text, Request& request, std::string_view client) {
  auto bad = rpc::parse_message(text, request.arena, request.message);
  const auto& memory = server_.options().request_memory;
  const bool lasts = !bad && request.message.kind == rpc::Message::Kind::request;  // anything else is over at once
  const std::size_t bytes = lasts && memory ? request.arena.bytes() : 0;
  if (bytes <= limits::kUncountedParseBytesMax) return bad;
  request.hold.emplace(memory, counted_to(request.context.principal, client));
  if (request.hold->grow(bytes)) return std::nullopt;
  return rpc::Error{mcp::kInternalError, "The server has no room for this request now: too much is being sent at once", {},
                    503};
}

void ServerLoop::handle(RequestPtr request) {
  if (const auto& observers = server_.options().observers; !observers.empty()) observe(*request, observers);
  const unsigned era = request->context.era == Era::modern ? kModern : kLegacy;
  for (const Method& method : kMethods) {
    if (method.name != request->message.method || !(method.eras & era)) continue;
    if (method.is_about_tasks && awaits_tasks(request, method.handler)) return;
    (this->*method.handler)(std::move(request));
    return;
  }
  request->exchange.error(rpc::method_not_found(request->message.method));
}

void ServerLoop::refuse(Request& request, const rpc::Error& error) {
  if (const auto& observers = server_.options().observers; !observers.empty()) observe(request, observers);
  request.exchange.error(error);
}

void ServerLoop::notice(const Request& request) {
  if (request.message.kind == rpc::Message::Kind::response) return answered(request);
  if (request.message.method == "notifications/cancelled") cancelled(request);
}

void ServerLoop::cancelled(const Request& request) {
  const json::Value* value = request.message.param("requestId");
  const auto id = value ? rpc::Id::from(*value) : std::nullopt;
  rpc::InFlight* in_flight = in_flight_of(request);
  if (!id || !in_flight) return;
  if (const auto place = in_flight->find(*id)) server_.cancel(*place);
}

void ServerLoop::answered(const Request& request) {
  std::uint64_t id = 0;
  const std::string& text = request.message.id.text();
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (bad != std::errc() || end != text.data() + text.size() || !request.context.session) return;
  auto question = request.context.session->take_question(id);
  if (!question) return;
  server_.respond(question->asker, std::move(question->key), answer_in(request.message));
}

rpc::InFlight* ServerLoop::in_flight_of(const Request& request) {
  if (request.context.transport == Transport::stdio) {
    return stdio_client_ ? &stdio_client_->session().in_flight() : nullptr;
  }
  return request.context.session ? &request.context.session->in_flight() : nullptr;
}

const Viewed* ServerLoop::viewed(const registry::PrincipalPtr& principal) {
  const registry::View* view = registry::view_of(principal);
  if (!view) return nullptr;
  const Viewed*& viewed = viewed_[view];
  if (!viewed) viewed = &listings_->under(principal->view, *snapshot_);
  return viewed;
}

const registry::Item* ServerLoop::find(registry::Kind kind, std::string_view name, const Context& context) {
  const registry::Item* item = snapshot_->find(kind, name);
  const Viewed* seen = item ? viewed(context.principal) : nullptr;
  return seen && !seen->shows(*item) ? nullptr : item;
}

bool ServerLoop::sees(const registry::PrincipalPtr& principal, std::string_view uri) const {
  const registry::View* view = registry::view_of(principal);
  return !view || snapshot_->find_resource(uri, view).item;
}

registry::Snapshot::Found ServerLoop::find(registry::CallKind kind, std::string_view name, const Context& context) {
  if (kind == registry::CallKind::resource) {
    return snapshot_->find_resource(name, registry::view_of(context.principal));
  }
  const auto items = kind == registry::CallKind::tool ? registry::Kind::tool : registry::Kind::prompt;
  return {find(items, name, context), {}};
}

const Listing& ServerLoop::listing(registry::Kind kind, const registry::PrincipalPtr& principal) {
  const Viewed* seen = viewed(principal);
  return seen ? seen->of(kind) : listings_->of(kind);
}

std::size_t ServerLoop::fingerprint(registry::Kind kind, const registry::PrincipalPtr& principal) {
  const std::size_t own = listing(kind, principal).fingerprint();
  if (kind != registry::Kind::resource) return own;
  return own ^ 31 * listing(registry::Kind::resource_template, principal).fingerprint();
}

void ServerLoop::begin_call(RequestPtr request, const Target& target) {
  std::unique_ptr<ItemCall> call = calls_.acquire(*this);
  ItemCall& beginning = *call;
  beginning.begin(std::move(request), target, std::move(call));
}

void ServerLoop::tell_lists_may_have_changed(EventLog& log) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) log.append(list_changed_message(list));
}

void ServerLoop::open_reader(transport::HttpReply& reply, SessionPtr session, EventLogPtr log,
                             std::uint64_t position, EventReader::Style style) {
  if (ends_streams_) {
    if (style == EventReader::Style::whole_session) server_.sessions().remove(*session);
    return reply.end();
  }
  const std::uint64_t serial = next_serial();
  auto reader =
      std::make_unique<EventReader>(*this, serial, reply, std::move(session), std::move(log), position, style);
  hold_open(serial, std::move(reader)).look();
}

std::function<void()> ServerLoop::waker(std::uint64_t serial) {
  return [&server = server_, place = rpc::Place{index_, serial}] { server.wake(place); };
}

void ServerLoop::wake(std::uint64_t serial) {
  if (const auto found = held_open_.find(serial); found != held_open_.end()) found->second->look();
}

void ServerLoop::tell_session(Session& session, const std::string& message) {
  if (stdio_client_ && &stdio_client_->session() == &session) return stdio_client_->send(message);
  if (const EventLogPtr log = session.side_log()) log->append(message);
}

void ServerLoop::end_streams() {
  std::erase_if(held_open_, [](const auto& each) { return each.second->is_endless(); });
  ends_streams_ = true;
  for (const auto& [serial, route] : routes_) {
    if (route->is_stream()) route->cancel(registry::CancelReason::shutdown);
  }
}

void ServerLoop::cancel_calls(registry::CancelReason reason) {
  waiting_.give_up();
  calls_.cancel_all(reason);
  for (const auto& [serial, route] : routes_) route->cancel(reason);
}

const registry::Item* ServerLoop::find_route(std::string_view path, const registry::PrincipalPtr& principal) const {
  using registry::Kind;
  const registry::View* view = registry::view_of(principal);
  if (view && view->denies(path, Kind::route)) return nullptr;
  const registry::Item* route = snapshot_->find(Kind::route, path);
  if (std::ranges::count(path, '/') > limits::kRouteSegmentsMax) return nullptr;
  for (std::size_t slash = path.rfind('/'); !route && slash != 0; slash = path.rfind('/', slash - 1)) {
    route = snapshot_->find(Kind::route, std::string(path.substr(0, slash + 1)) + "*");
  }
  return route && view && view->sight_of(*route) == registry::Sight::hidden ? nullptr : route;
}

void ServerLoop::begin_route(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
                             transport::HttpReply& reply, RouteVisit visit) {
  const std::uint64_t serial = next_serial();
  const std::uint32_t own_ms = route.def->timeout_ms;
  const auto [at, is_new] = routes_.emplace(serial, std::make_unique<RouteCall>(*this, serial, reply, std::move(visit)));
  try {
    const std::uint64_t timeout_ms = own_ms ? own_ms : server_.options().call_timeout_ms;
    if (at->second->begin(route, path, std::move(request), timeout_ms)) end_route(serial);
  } catch (const std::bad_alloc&) {  // it has not begun
    end_route(serial);
    throw;
  }
}

void ServerLoop::flush_route(std::uint64_t serial) {
  if (const auto found = routes_.find(serial); found != routes_.end()) found->second->flush();
}

void ServerLoop::cancel(std::uint64_t serial) {
  if (ItemCall* call = calls_.find(serial)) return call->cancel(registry::CancelReason::client);
  if (const auto found = held_open_.find(serial); found != held_open_.end()) found->second->cancel();
}

void ServerLoop::adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings, unsigned changed) {
  snapshot_ = std::move(snapshot);
  listings_ = std::move(listings);
  viewed_.clear();
  changes_.note(changed);
  news_.note(changed);
}

void ServerLoop::tell_lists_changed(unsigned changed) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (!(changed & list.kinds)) continue;
    const bool several = changes_.take(list) > 1;
    for (const auto& [serial, held] : held_open_) held->list_changed(list, several);
    if (stdio_client_ && stdio_client_->session().initialized() &&
        list_is_news(stdio_client_->session(), list.kind, several)) {
      stdio_client_->send(list_changed_message(list));
    }
  }
}

// Who sees everything sees each change. Of several at once one may have undone another, and have been seen meanwhile.
bool ServerLoop::list_is_news(Session& session, registry::Kind kind, bool several) {
  const registry::PrincipalPtr& principal = session.principal();
  if (!registry::view_of(principal)) return true;
  return session.note_list(kind, fingerprint(kind, principal)) || several;
}

void ServerLoop::note_lists(Session& session) {
  if (!registry::view_of(session.principal())) return;
  for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) list_is_news(session, static_cast<registry::Kind>(kind));
}

void ServerLoop::tell_updated(std::string_view key) {
  for (const auto& [serial, held] : held_open_) held->resource_updated(key);
  if (!stdio_client_) return;
  const Session& session = stdio_client_->session();
  const auto uri = session.subscribed(key);
  if (uri && sees(session.principal(), *uri)) stdio_client_->send(updated_message(*uri));
}

std::optional<rpc::Error> check_capabilities(const registry::Traits& traits, const Context& context) {
  if (context.era == Era::legacy) return std::nullopt;
  for (const mcp::InputNames& input : mcp::kInputTable) {
    const bool lacks = traits.*input.needed && !json::find(*context.capabilities, input.capability);
    if (lacks) return missing_capability(input.capability);
  }
  return std::nullopt;
}

Server::Server(ServerOptions options, registry::Registry& registry, std::vector<loop::Loop*> loops)
    : options_(std::move(options)),
      registry_(registry),
      watches_(options_.on_watch),
      sessions_(options_.sessions_max, options_.session_idle_timeout_ms,
                [this](Session& session) {
                  if (session_records_) session_records_->remove(session);
                }),
      sealer_(options_.state_keys),
      tasks_(limits::kTasksBytesMax,
             [this](const Task& task) {
               if (task_records_) task_records_->remove(task);
             }),
      identity_(make_identity(options_)),
      server_info_member_(fmt::format(R"("{}":{})", mcp::kServerInfo, identity_)),
      stamp_(R"("resultType":"complete","_meta":{)" + server_info_member_ + "}"),
      cacheable_stamp_(fmt::format(R"({},"ttlMs":{},"cacheScope":"{}")", stamp_, limits::kListTtlMs,
                                   options_.has_views ? "private" : "public")),
      session_news_(*loops.front(), options_.list_changed_interval_ms,
                    [this](unsigned changed) { tell_sessions(changed); }) {
  for (unsigned index = 0; index < loops.size(); ++index) {
    loops_.push_back(std::make_unique<ServerLoop>(*this, *loops[index], index));
  }
  if (options_.records) {
    session_records_.emplace(*options_.records, options_.session_idle_timeout_ms);
    task_records_.emplace(*options_.records);
  }
  registry_.publish_to([this](registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted) {
    publish(std::move(snapshot), changed, std::move(adopted));
  });
}

std::string Server::instructions_member(const Viewed* viewed) const {
  std::string instructions = options_.instructions;
  const auto is_shown = [&](std::string_view plugin) { return !viewed || viewed->shows_some_of(plugin); };
  const std::string more = options_.more_instructions ? options_.more_instructions(is_shown) : std::string();
  if (!instructions.empty() && !more.empty()) instructions += "\n\n";
  instructions += more;
  if (instructions.empty()) return {};
  std::string member = R"("instructions":)";
  text::append_json_string(member, instructions);
  return member + ",";
}

Server::~Server() { registry_.publish_to(nullptr); }

void Server::cancel(rpc::Place place) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial] { there.cancel(serial); });
}

void Server::respond(rpc::Place place, std::string key, Result<std::string> result) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial, key = std::move(key), result = std::move(result)] {
    if (ItemCall* call = there.calls().find(serial)) call->respond(key, result);
  });
}

void Server::wake(rpc::Place place) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial] { there.wake(serial); });
}

// When all loops have adopted a snapshot, on the one that was last.
void Server::note_changed(unsigned changed) {
  loop::Loop& first = loops_.front()->loop();
  const auto note = [this, changed] {
    session_changes_.note(changed);
    session_news_.note(changed);
  };
  if (first.is_current()) return note();
  if (changed != 0) first.post(note);
}

void Server::tell_sessions(unsigned changed) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (!(changed & list.kinds)) continue;
    const bool several = session_changes_.take(list) > 1;
    sessions_.broadcast([&, message = list_changed_message(list)](Session& session) {
      return loops_.front()->list_is_news(session, list.kind, several) ? std::optional(message) : std::nullopt;
    });
  }
}

void Server::resource_updated(std::string_view uri) {
  const std::string key = registry::watched_uri(uri);
  const registry::SnapshotPtr snapshot = registry_.current();
  sessions_.broadcast([&](const Session& session) -> std::optional<std::string> {
    const auto known_as = session.subscribed(key);
    const registry::View* view = registry::view_of(session.principal());
    if (!known_as || (view && !snapshot->find_resource(*known_as, view).item)) return std::nullopt;
    return updated_message(*known_as);
  });
  for (const auto& target : loops_) {
    target->loop().post([&target = *target, key] { target.tell_updated(key); });
  }
}

// Many clients read the first page of a list and no other: who runs the server should know, and once is enough.
void Server::tell_of_pages(const registry::Snapshot& snapshot) {
  for (const mcp::KindNames& names : mcp::kListedKindTable) {
    const std::size_t count = snapshot.items(names.kind).size();
    if (count <= options_.page_items || (outgrown_ & mcp::bit(names.kind))) continue;
    outgrown_ |= mcp::bit(names.kind);
    log::warning(
        "{} {} do not fit in a page of {}: clients that read only the first page miss the rest; "
        "server.limits.page_items sets how many do",
        count, names.words, options_.page_items);
  }
}

void Server::publish(registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted) {
  for (const registry::Rejected& item : snapshot->rejected()) {
    log::warning("{}: {} is left out: {}", item.source, item.name, item.reason);
  }
  tell_of_pages(*snapshot);
  std::erase_if(listings_, [](const auto& listings) { return listings.use_count() == 1; });
  auto listings = std::make_shared<const Listings>(*snapshot, options_.page_items);
  listings_.push_back(listings);
  // Shared by the loops' tasks; the last one to adopt runs the callback.
  struct Adoption {
    std::atomic<std::size_t> left;
    Callback<void()> done;
  };
  auto adoption = std::make_shared<Adoption>();
  adoption->left = loops_.size();
  adoption->done = std::move(adopted);
  changed &= mcp::kListedBits;
  for (const auto& target : loops_) {
    target->loop().post([this, &target = *target, snapshot, listings, changed, adoption] {
      target.adopt(snapshot, listings, changed);
      if (--adoption->left > 0) return;
      note_changed(changed);
      if (adoption->done) adoption->done();
    });
  }
}

}  // namespace collet::protocol
