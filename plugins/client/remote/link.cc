#include "client/remote/link.h"

#include <algorithm>

#include "client/limits.h"
#include "client/mcp/stdio_transport.h"
#include "client/mcp/streamable_transport.h"
#include "client/net/url.h"
#include "client/offer/lineage.h"

namespace collet::client {
namespace {

constexpr std::pair<std::string_view, std::uint32_t> kChanges[] = {
    {"notifications/tools/list_changed", COLLET_TOOL},
    {"notifications/prompts/list_changed", COLLET_PROMPT},
    {"notifications/resources/list_changed", COLLET_RESOURCE},
};

}  // namespace

Result<std::unique_ptr<Transport>> Remote::Link::start_command() {
  auto command = command_of(remote_.config_);
  if (!command) return command.failure();
  if (std::string why = leads_back(*command); !why.empty()) return Error{std::move(why)};
  command->environment.push_back(ancestry(*command));
  const auto log = [this](std::string_view line) {
    if (remote_.link_.get() == this) remote_.note_error_line(line);
  };
  auto started = StdioTransport::start(remote_.around_.children, *command, connection_.transport_listener(),
                                       [this] { on_started(); }, log);
  if (!started) return started.failure();
  input_ = (*started)->input();
  return std::unique_ptr<Transport>(std::move(*started));
}

Result<std::unique_ptr<Transport>> Remote::Link::make_transport() {
  const RemoteConfig& config = remote_.config_;
  Surroundings& around = remote_.around_;
  if (!config.command.empty()) return start_command();
  HttpSettings settings;
  auto url = expand(config.url, config);
  if (!url) return url.failure();
  settings.url = std::move(*url);
  if (origin_of(settings.url).empty())
    return Error{redact_url(settings.url) + " is no http:// or https:// URL"};
  auto headers = constant_headers(config);
  if (!headers) return headers.failure();
  settings.headers = std::move(*headers);
  auto tls = tls_of(config);
  if (!tls) return tls.failure();
  tls_ = *tls ? *tls : around.http.tls();
  settings.tls = std::move(*tls);
  return make_http(std::move(settings));
}

Result<std::unique_ptr<Transport>> Remote::Link::make_http(HttpSettings settings) {
  Surroundings& around = remote_.around_;
  TransportListener& listener = connection_.transport_listener();
  const Task opened = [this] {
    if (remote_.link_.get() == this) remote_.open_gate();
  };
  if (remote_.config_.transport == "sse" || remote_.old_transport_) {
    auto made =
        std::make_unique<SseTransport>(around.loop, around.http, remote_.authorizer_.get(), std::move(settings), listener);
    sse_ = made.get();
    sse_->when_open(opened);
    return std::unique_ptr<Transport>(std::move(made));
  }
  auto made =
      std::make_unique<StreamableTransport>(around.loop, around.http, remote_.authorizer_.get(), std::move(settings), listener);
  http_ = made.get();
  http_->when_open(opened);
  return std::unique_ptr<Transport>(std::move(made));
}

std::optional<Remote::Link::LaneAddress> Remote::Link::lane_address() const {
  if (http_ && http_->open()) return LaneAddress{http_->url(), http_->address(), http_->sender()};
  if (!sse_ || !sse_->open()) return {};
  const Sender sender{.headers = sse_->headers(), .era = Era::legacy, .version = {}, .session = {}};
  return LaneAddress{sse_->url(), sse_->address(), sender};
}

// Null: there is none, or the URL needs none.
TlsContextPtr Remote::Link::lane_tls(const LaneAddress& to) {
  const auto url = parse_url(to.url);
  if (!url || url->scheme != "https") return nullptr;
  if (!lane_tls_ || lane_tls_->is_old()) {
    TlsContextPtr made = TlsContext::make(*tls_, url->host, to.peer.speaks_http_2);
    if (made) lane_tls_ = std::move(made);  // else one of two files has changed, and the other is about to
  }
  return lane_tls_;
}

LaneRoutePtr Remote::Link::lane_route() {
  if (remote_.around_.loops == 0 || speaks_aside_ || gone_) return nullptr;
  const auto route = input_ ? std::make_shared<LaneRoute>() : http_route();
  if (!route) return nullptr;
  route->config = remote_.config_;
  route->input = input_;
  route->answers_aside = !http_;
  route->sender.era = connection_.era();
  route->secrets = remote_.secrets();
  route->stamp = connection_.stamp();
  route->link = number_;
  route->link_used = used_;
  // It logs for each call that wants it to, and on no stream of the call's own.
  const bool logs_for_each = connection_.era() == Era::modern && route->answers_aside;
  if (logs_for_each || remote_.peer_.can("logging")) route->log_rank = remote_.log_rank_;
  return route;
}

std::shared_ptr<LaneRoute> Remote::Link::http_route() {
  auto to = lane_address();
  if (!to) return nullptr;
  auto route = make_route(remote_.config_, to->url, to->peer, remote_.around_.http.user_agent(), lane_tls(*to));
  if (!route) return nullptr;
  route->sender = std::move(to->sender);
  if (remote_.authorizer_) {
    const auto given = remote_.authorizer_->lasting_headers(to->url);
    if (!given || !authorize(*route, *given)) return nullptr;
    route->may_challenge = true;
  }
  const auto& headers = route->sender.headers;
  const bool good = std::all_of(headers.begin(), headers.end(),
                                [](const HttpHeader& header) { return is_header_value(header.value); });
  return good ? route : nullptr;
}

Result<void> Remote::Link::open() {
  auto transport = make_transport();
  if (!transport) return transport.failure();
  connection_.use(std::move(*transport));
  if (remote_.config_.command.empty()) on_started();
  return {};
}

void Remote::Link::on_started() {
  if (remote_.link_.get() == this) remote_.shake_hands();
}

void Remote::Link::listen() {
  const Peer& peer = remote_.peer_;
  hears_ = peer.can("tools", "listChanged") || peer.can("prompts", "listChanged") ||
           peer.can("resources", "listChanged");
  if (peer.era == Era::legacy) {
    for (const std::string& uri : remote_.watched_) watch(uri, true);
    return;
  }
  std::string filter;
  const auto add = [&](std::string_view capability, std::string_view feature, std::string_view member) {
    if (!peer.can(capability, feature)) return;
    if (!filter.empty()) filter += ',';
    filter.append("\"").append(member).append("\":");
    if (feature == "listChanged") {
      filter += "true";
      return;
    }
    filter += '[';
    for (const std::string& uri : remote_.watched_) {
      if (filter.back() != '[') filter += ',';
      append_json(filter, uri);
    }
    filter += ']';
  };
  add("tools", "listChanged", "toolsListChanged");
  add("prompts", "listChanged", "promptsListChanged");
  add("resources", "listChanged", "resourcesListChanged");
  if (!remote_.watched_.empty()) add("resources", "subscribe", "resourceSubscriptions");
  if (filter.empty()) return;
  if (listen_) connection_.cancel(listen_, "the subscription is renewed");
  listen_ = connection_.request("subscriptions/listen", R"("notifications":{)" + filter + "}", *this,
                                {.repeatable = true, .standing = true});
}

// The subscription has ended. Perhaps the remote was replaced; what it is and offers now is asked anew.
void Remote::Link::on_answer(const Answer& answer) {
  listen_ = 0;
  if (remote_.link_.get() != this) return;
  if (answer.error) {
    hears_ = false;
    remote_.log(COLLET_LOG_INFO, "it does not tell of changes: " + answer.problem());
    return remote_.lists_.expect_changes(false);
  }
  if (answer.lost && answer.lost->unreachable()) {
    return remote_.note_unreachable(connection_, answer.lost->message);
  }
  const std::uint64_t pause = limits::kRetryMsDefault << std::min(listen_failures_++, 5u);
  pause_.start(pause, [this] { look_again(); });
}

void Remote::Link::look_again() {
  connection_.ask("server/discover", "", limits::kAskMs, [this](const Answer& answer) {
    if (remote_.link_.get() != this) return;
    // Another server may be there now, which is to be asked what it speaks.
    const bool refused = answer.lost && answer.lost->http_status / 100 == 4;
    if (answer.error || refused || (answer.lost && answer.lost->unreachable())) {
      return remote_.note_unreachable(connection_, answer.problem());
    }
    if (answer.ok()) remote_.take_peer(read_discovery(answer.result));
    remote_.open_gate();
    listen();
    remote_.read_lists();
  });
}

void Remote::Link::watch(const std::string& uri, bool on) {
  if (!remote_.peer_.can("resources", "subscribe")) return;
  if (remote_.peer_.era == Era::modern) return listen();
  std::string params = R"("uri":)";
  append_json(params, uri);
  connection_.ask(on ? "resources/subscribe" : "resources/unsubscribe", params, limits::kAskMs,
                  [](const Answer&) {});
}

void Remote::Link::adopt(ProxyCall& call, RequestId request) {
  call.adopt(connection_, request);
  if (gone_) {
    return connection_.transport_listener().on_lost(request, {.sent = true, .http_status = 0, .message = *gone_});
  }
  if (sse_) return sse_->adopt(request);
  if (!http_) return;
  http_->adopt({.id = request, .method = {}, .name = {}, .headers = call.headers(), .text = {}},
               [this, request] { remote_.around_.lanes->let_go(request); });
}

void Remote::Link::take_carried_end(RequestId request, const CarriedEnd& end) {
  if (http_) return http_->carried_end(request, end);
  if (sse_ && !end.end.whole) sse_->refused(request, end.end);
}

void Remote::Link::on_answer_elsewhere(RequestId id, std::string_view text) {
  if (!http_ && remote_.around_.lanes) remote_.around_.lanes->answer(remote_.gate_, id, std::string(text));
}

bool Remote::Link::on_unclear_answer(std::string_view text) {
  if (http_ || gathered_ || !has_calls_in_lanes()) return false;
  gather([this, text = std::string(text)] {
    gathered_ = true;
    connection_.transport_listener().on_text(text, 0);
    gathered_ = false;
  });
  return true;
}

void Remote::Link::on_unreachable(const std::string& reason) {
  remote_.note_unreachable(connection_, reason);
  lose_lanes(reason, false);
}

// After the gate was shut.
void Remote::Link::lose_lanes(const std::string& reason, bool last) {
  if (!http_ && remote_.around_.lanes) remote_.around_.lanes->lose(remote_.gate_, number_, reason, last);
}

// Calls that are in lanes come to this thread first, where `then` is called; and no other call of this link goes by a lane. On the
// one stream of a transport nothing overtakes what that is about: not its end, nor that of another call that it could be about.
void Remote::Link::gather(Task then) {
  speaks_aside_ = true;
  if (remote_.link_.get() == this) remote_.gate_->shut();
  ++gathering_;
  if (!http_) connection_.hold();
  const auto told = [this, then = std::move(then)] {
    --gathering_;
    http_ ? then() : connection_.go_on(then);
  };
  remote_.around_.lanes->gather(remote_.gate_, [&loop = remote_.around_.loop, link = std::weak_ptr(alive_), told] {
    loop.post([link, told] {
      if (!link.expired()) told();
    });
  });
}

// Legacy: what comes outside of responses may be about a call that is in a lane.
bool Remote::Link::is_of_lanes(const Message& message, bool (Link::*then)(const Message&)) {
  if (connection_.era() == Era::modern || !has_calls_in_lanes()) return false;
  gather([this, then, message = KeptMessage(message)] {
    if (!(this->*then)(message.view())) connection_.refuse(message.view().id, kMethodNotFound, kNobodyToAsk);
  });
  return true;
}

void Remote::Link::on_notification(const Message& message) {
  if (remote_.link_.get() != this) return;
  for (const auto& [method, kind] : kChanges) {
    if (message.method != method) continue;
    listen_failures_ = 0;
    remote_.lists_.refresh(kind);
    if (kind == COLLET_RESOURCE) remote_.lists_.refresh(COLLET_RESOURCE_TEMPLATE);
    return;
  }
  if (message.method == "notifications/resources/updated") {
    if (const auto uri = find_string(message.params, "uri"); uri && remote_.watched_.contains(*uri)) {
      remote_.host().resource_updated(*uri);
    }
  } else if (message.method == "notifications/progress") {
    if (ProxyCall* call = remote_.calls_.whose_progress(message)) return call->on_notification(message);
    const RequestId token = find_unsigned(message.params, "progressToken").value_or(0);
    if (remote_.gate_->calls() > 0) remote_.around_.lanes->tell(remote_.gate_, token, KeptMessage(message));
  } else if (message.method == "notifications/message") {
    is_of_lanes(message, &Link::say_log) || say_log(message);
  }
}

bool Remote::Link::say_log(const Message& message) {
  if (ProxyCall* call = remote_.whose_log()) {
    call->on_notification(message);
    return true;
  }
  const std::string_view data = find_member(message.params, "data");
  remote_.log(severity_of(message), "says: " + to_string(data).value_or(std::string(data)));
  return true;
}

bool Remote::Link::on_request(const Message& message) { return is_of_lanes(message, &Link::ask) || ask(message); }

bool Remote::Link::ask(const Message& message) {
  if (ProxyCall* call = remote_.calls_.whose_question(message)) return call->on_request(message);
  if (message.method != "roots/list") return false;
  connection_.respond(message.id, R"({"roots":[]})");  // nobody has called yet: there are none
  return true;
}

void Remote::Link::on_garbage(const std::string& what) {
  constexpr unsigned kToldMax = 5;
  if (++garbage_ <= kToldMax) remote_.log(COLLET_LOG_WARNING, "it sends what is no message: " + what);
}

void Remote::Link::on_down(const std::string& reason) {
  gone_ = reason;
  if (remote_.link_.get() == this) remote_.on_link_down(reason);
  lose_lanes(reason, true);
}

}  // namespace collet::client
