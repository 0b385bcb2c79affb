#include "client/remote/link.h"

#include <signal.h>

#include <condition_variable>
#include <mutex>

#include "client/auth/limits.h"
#include "client/limits.h"
#include "plugins/client/auth/memory_token_store.h"
#include "plugins/client/kept_server.h"
#include "plugins/client/noting_host.h"
#include "plugins/client/run_until.h"
#include "support/catch.h"

using namespace collet::client;
using Catch::Contains;

namespace {

// A server over HTTP with one tool, whose subscription says what the test gives, and ends.
class ToolServer {
 public:
  enum class SideStream : std::uint8_t { none, one };
  explicit ToolServer(Era era = Era::modern, SideStream side_stream = SideStream::none) : era_(era), side_stream_(side_stream) {}
  std::string url() const { return server_.url(); }
  // The subscription, or side stream, that is open ends with these events, each the text of a message.
  void end_subscription(const std::vector<std::string>& events = {}) {
    const std::lock_guard lock(mutex_);
    std::string body;
    for (const std::string& event : events) body += "data: " + event + "\n\n";
    last_words_ = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body;
    changed_.notify_all();
  }
  std::size_t count(std::string_view method) const {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const std::string& body : bodies_) found += find_string(body, "method") == method;
    return found;
  }
  // From now on each POST needs a token, of which the server is the issuer itself; those that it has issued are of no use
  // any more. `life_s`: of the tokens to come; 0: they do not expire.
  void lock(unsigned life_s) {
    const std::lock_guard guard(mutex_);
    locked_ = true;
    life_s_ = life_s;
    token_.clear();
  }
  unsigned issued() const {
    const std::lock_guard guard(mutex_);
    return issued_;
  }
  // Of the first that has this text.
  std::string body_with(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    for (const std::string& body : bodies_) {
      if (body.find(text) != body.npos) return body;
    }
    return {};
  }
  // Before the server goes: no subscription waits.
  ~ToolServer() {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }

 private:
  std::string respond(const std::string& request) {
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    const std::string method = find_string(body, "method").value_or("");
    const std::string id(find_member(body, "id"));
    std::unique_lock lock(mutex_);
    if (locked_ && request.starts_with("POST /token ")) return issue();
    if (request.starts_with("GET /.well-known/")) return describe(request);
    if (locked_ && request.find("Authorization: Bearer " + token_ + "\r\n") == request.npos) {
      return "HTTP/1.1 401 Who\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n";
    }
    bodies_.push_back(body);
    if (method == "subscriptions/listen" || (side_stream_ == SideStream::one && request.starts_with("GET "))) {
      changed_.wait(lock, [this] { return ending_ || !last_words_.empty(); });
      return std::exchange(last_words_, {});
    }
    const std::string capabilities = R"(,"capabilities":{"tools":{"listChanged":true}}})";
    const auto result = [&](const std::string& text) {
      return KeptServer::json(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + text + "}");
    };
    if (era_ == Era::modern && method == "server/discover") {
      return result(R"({"supportedVersions":["2026-07-28"])" + capabilities);
    }
    if (era_ == Era::legacy && method == "initialize") {
      return result(R"({"protocolVersion":"2025-11-25")" + capabilities);
    }
    if (method == "tools/call") return result(R"({"content":[]})");
    if (method == "tools/list") return result(R"({"tools":[{"name":"t"}]})");
    const bool taken = method.starts_with("notifications/") || !find_member(body, "method").data();
    return std::string("HTTP/1.1 ") + (taken && !body.empty() ? "202 Accepted" : "405 No") +
           "\r\nContent-Length: 0\r\n\r\n";
  }

  std::string issue() {
    token_ = "token-" + std::to_string(++issued_);
    return KeptServer::json(R"({"token_type":"Bearer","access_token":")" + token_ + "\"" +
                            (life_s_ ? R"(,"expires_in":)" + std::to_string(life_s_) : "") + "}");
  }
  // What it says as its own authorization server.
  std::string describe(const std::string& request) const {
    const std::string url = server_.url(), origin = url.substr(0, url.rfind('/'));
    if (request.find("oauth-protected-resource/mcp ") != request.npos) {
      return KeptServer::json(R"({"resource":")" + url + R"(","authorization_servers":[")" + origin + R"("]})");
    }
    return KeptServer::json(R"({"issuer":")" + origin + R"(","token_endpoint":")" + origin + R"(/token"})");
  }

  const Era era_;
  const SideStream side_stream_;
  mutable std::mutex mutex_;  // guards all below
  bool locked_ = false;
  unsigned life_s_ = 0;
  unsigned issued_ = 0;
  std::string token_;  // the one that it takes
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  std::string last_words_;
  bool ending_ = false;
  KeptServer server_{[this](const std::string& request) { return respond(request); }};
};

// What is asked of lanes. Calls are handed over when the test says so.
struct NotingLanes final : LaneControl {
  std::vector<std::function<void()>> gathered;
  std::vector<RequestId> told, let_go_of;
  std::vector<std::string> answered;  // "8388609 {…}"
  std::vector<std::string> lost;      // "1 why", "1 why, last"

  void end(const LaneGatePtr&, const char*) override {}
  void gather(const LaneGatePtr&, std::function<void()> done) override { gathered.push_back(std::move(done)); }
  void tell(const LaneGatePtr&, RequestId request, KeptMessage message) override {
    if (message.view().method == "notifications/progress") told.push_back(request);
  }
  void answer(const LaneGatePtr&, RequestId request, std::string text) override {
    answered.push_back(std::to_string(request) + " " + text);
  }
  void lose(const LaneGatePtr&, LinkNumber link, std::string why, bool last) override {
    lost.push_back(std::to_string(link) + " " + why + (last ? ", last" : ""));
  }
  void let_go(RequestId request) override { let_go_of.push_back(request); }
};

// One remote, as it is configured.
struct OneRemote {
  NotingHost noting;
  Host host{&noting.table};
  Loop loop;
  HttpClient http{loop, "test"};
  Children children{loop};
  Publisher publisher{loop, host};
  MemoryTokenStore tokens;
  NoDefinitions definitions{loop};
  NotingLanes lanes;
  Surroundings around;
  std::optional<Remote> remote;

  explicit OneRemote(RemoteConfig config)
      : around{loop,  host, http, children, publisher, tokens, definitions, [] {}, 1, &lanes, R"({"name":"test"})", false} {
    config.name = "r";
    remote.emplace(around, std::move(config));
    remote->connect();
  }
  ~OneRemote() {
    remote.reset();
    bool ended = false;
    children.end_all(limits::kExitMs, [&] { ended = true; });
    run_until(loop, [&] { return ended; });
  }
  OneRemote(const OneRemote&) = delete;
  OneRemote& operator=(const OneRemote&) = delete;

  bool ready() {
    return run_until(loop, [&] { return remote->connection() && !remote->pending(); });
  }
  // As lanes do with what they cannot end. How it ends.
  std::string hand_over(bool shuts, std::uint64_t opening) {
    const collet_call id = take_over({}, HandedOver::How::begin, shuts, opening);
    run_until(loop, [&] { return !noting.end_of(id).empty(); });
    return noting.end_of(id);
  }
  // As they do with a call whose answer comes on the stream of the first link, under that number.
  collet_call carry(RequestId request) {
    return take_over({.gate = {}, .link = 1, .id = request}, HandedOver::How::carry, false, 0);
  }
  // That a call would take now; null: there is none.
  LaneRoutePtr route() const {
    LaneRoutePtr route = remote->gate()->enter(0);
    if (route) remote->gate()->leave(0);
    return route;
  }
  std::size_t logged(std::string_view text) const {
    std::size_t found = 0;
    for (const std::string& line : noting.told) found += line.find(text) != line.npos;
    return found;
  }

 private:
  collet_call take_over(LaneRequest request, HandedOver::How how, bool shuts, std::uint64_t opening) {
    const collet_call id = ++last_;
    request.gate = remote->gate();
    remote->take_over({.call = {.id = id, .arguments = "{}"},
                       .item = std::make_shared<const RemoteItem>(RemoteItem{COLLET_TOOL, "t", "{}", false, {}}),
                       .request = std::move(request),
                       .how = how,
                       .shuts = shuts,
                       .opening = opening,
                       .lost = {},
                       .answer = {}});
    return id;
  }

  collet_call last_ = 0;
};

RemoteConfig at(const std::string& url) {
  RemoteConfig config;
  config.url = url;
  config.headers = {{"Authorization", "Bearer k"}};  // so that nobody looks for another way in
  return config;
}

RemoteConfig authorized_at(const std::string& url) {
  RemoteConfig config;
  config.url = url;
  config.auth = collet::Json{R"({"type":"client_credentials","client_id":"c","client_secret":"sesame"})"};
  return config;
}

std::string authorization(const LaneRoutePtr& route) {
  if (!route) return "no route";
  const auto& headers = route->sender.headers;
  const auto found =
      std::find_if(headers.begin(), headers.end(), [](const auto& header) { return header.name == "Authorization"; });
  return found == headers.end() ? "none" : found->value;
}

const std::string kEnded = R"(result {"content":[]})";

}  // namespace

TEST_CASE("a remote that cannot even be tried says why, and the user's secrets are not in it") {
  OneRemote no_http(at("ftp://user:sesame@h/mcp"));
  CHECK_THAT(no_http.remote->status(), Contains("is no http:// or https:// URL") && !Contains("sesame"));
  OneRemote no_variable(at("http://${env:COLLET_TEST_NONE}/mcp"));
  CHECK_THAT(no_variable.remote->status(), Contains("COLLET_TEST_NONE is not set"));
  RemoteConfig command;
  command.command = "/nonexistent/server";
  OneRemote no_command(command);
  CHECK(run_until(no_command.loop, [&] { return !no_command.remote->pending(); }));
  CHECK_THAT(no_command.remote->status(), Contains("\"state\":\"down\"") && Contains("/nonexistent/server"));
}

TEST_CASE("a subscription that ends is made again, once the remote has been asked what it is now") {
  ToolServer server;
  OneRemote one(at(server.url()));
  REQUIRE(one.ready());
  REQUIRE(run_until(one.loop, [&] { return server.count("subscriptions/listen") == 1; }));
  CHECK_THAT(server.body_with("subscriptions/listen"), Contains(R"("notifications":{"toolsListChanged":true})"));
  CHECK(server.count("tools/list") == 1);
  server.end_subscription();
  REQUIRE(run_until(one.loop, [&] { return server.count("server/discover") == 2; }));
  REQUIRE(run_until(one.loop, [&] { return server.count("subscriptions/listen") == 2; }));
  REQUIRE(run_until(one.loop, [&] { return server.count("tools/list") == 2; }));
  CHECK(one.remote->connection());
}

TEST_CASE("a change that the remote tells of has its list read again, and nothing else of its words is taken for one") {
  ToolServer server;
  OneRemote one(at(server.url()));
  REQUIRE(one.ready());
  REQUIRE(run_until(one.loop, [&] { return server.count("subscriptions/listen") == 1; }));
  std::vector<std::string> events(7, "garbage");
  events.push_back(R"({"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{}})");
  events.push_back(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  server.end_subscription(events);
  REQUIRE(run_until(one.loop, [&] { return server.count("tools/list") >= 2; }));
  CHECK(one.logged("it sends what is no message") == 5);  // and then no more of it
  REQUIRE(run_until(one.loop, [&] { return !server.body_with(R"("id":"q")").empty(); }));
  CHECK_THAT(server.body_with(R"("id":"q")"), Contains("-32601"));
}

TEST_CASE("the way for calls from the host's loops is open to a remote over plain HTTP, when it is ready for them") {
  ToolServer plain;
  OneRemote open(at(plain.url()));
  REQUIRE(open.ready());
  const LaneRoutePtr route = open.remote->gate()->enter(0);
  REQUIRE(route);
  CHECK_THAT(route->preamble, Contains("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(route->sender.version == "2026-07-28");
  open.remote->gate()->leave(0);
  open.remote->note_unreachable(*open.remote->connection(), "gone");
  CHECK_FALSE(open.remote->gate()->enter(0));

  ToolServer old(Era::legacy);
  OneRemote legacy(at(old.url()));
  REQUIRE(legacy.ready());
  CHECK_THAT(legacy.remote->status(), Contains(R"("era":"legacy")"));
  REQUIRE(run_until(legacy.loop, [&] { return old.count("notifications/initialized") == 1; }));
  LaneRoutePtr old_route;
  REQUIRE(run_until(legacy.loop, [&] { return (old_route = legacy.remote->gate()->enter(0)) != nullptr; }));
  CHECK(old_route->sender.version == "2025-11-25");
  CHECK(old_route->stamp.empty());
  CHECK(old_route->link == 1);
  legacy.remote->gate()->leave(0);

  RemoteConfig umlaut = at(plain.url());
  umlaut.headers["X-Name"] = "J\xc3\xb6rg";  // libcurl sends it as it is
  OneRemote odd(umlaut);
  REQUIRE(odd.ready());
  CHECK_FALSE(odd.remote->gate()->enter(0));
}

TEST_CASE("what a legacy remote says aside about a call is heard when the calls of lanes have come to this thread") {
  ToolServer server(Era::legacy, ToolServer::SideStream::one);
  OneRemote one(at(server.url()));
  REQUIRE(one.ready());
  server.end_subscription({R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"of no call"}})"});
  REQUIRE(run_until(one.loop, [&] { return one.logged("of no call") == 1; }));
  CHECK(one.lanes.gathered.empty());
  REQUIRE(one.remote->gate()->enter(0));

  server.end_subscription({R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9000000}})",
                           R"({"jsonrpc":"2.0","id":"q","method":"roots/list"})",
                           R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"of some call"}})"});
  REQUIRE(run_until(one.loop, [&] { return one.lanes.gathered.size() == 2; }));
  CHECK(one.lanes.told == std::vector<RequestId>{9'000'000});
  CHECK(server.body_with(R"("roots":[])").empty());
  CHECK(one.logged("of some call") == 0);
  one.remote->gate()->leave(0);
  for (const auto& done : one.lanes.gathered) done();
  REQUIRE(run_until(one.loop, [&] { return one.logged("of some call") == 1; }));
  REQUIRE(run_until(one.loop, [&] { return !server.body_with(R"("roots":[])").empty(); }));
  CHECK_FALSE(one.remote->gate()->enter(0));
}

TEST_CASE("the way for calls from the host's loops has the token of a remote that wants one, until it is renewed") {
  ToolServer server;
  server.lock(7'200);
  const std::int64_t before = auth::system_time();
  OneRemote one(authorized_at(server.url()));
  REQUIRE(one.ready());
  const LaneRoutePtr route = one.route();
  CHECK(authorization(route) == "Bearer token-1");
  CHECK(route->may_challenge);
  CHECK(route->good_until >= before + 7'200 - auth::limits::kExpirySkewS);
  CHECK(route->good_until <= auth::system_time() + 7'200 - auth::limits::kExpirySkewS);
  CHECK(route->without_secrets("token-1 of sesame at http://u:p@h/") == "*** of *** at http://***@h/");
}

TEST_CASE("a token that is refused on that way is renewed, and the way is open with the new one") {
  ToolServer server;
  server.lock(0);
  OneRemote one(authorized_at(server.url()));
  REQUIRE(one.ready());
  const auto first = one.route()->opening;
  server.lock(0);
  const std::size_t before = server.count("tools/call");
  CHECK(one.hand_over(true, first) == kEnded);
  CHECK(server.count("tools/call") == before + 1);
  CHECK(server.issued() == 2);
  CHECK(authorization(one.route()) == "Bearer token-2");

  const auto second = one.route()->opening;
  CHECK(one.hand_over(true, first) == kEnded);  // the old token was refused late
  CHECK(one.route()->opening == second);
}

TEST_CASE("a token that was renewed for a call of the client's thread is the one of that way, too") {
  ToolServer server;
  server.lock(0);
  OneRemote one(authorized_at(server.url()));
  REQUIRE(one.ready());
  server.lock(0);
  CHECK(one.hand_over(false, 0) == kEnded);
  CHECK(authorization(one.route()) == "Bearer token-2");
}

TEST_CASE("once that way has been of no use it opens again after a call that was answered, but not for ever") {
  ToolServer server;
  OneRemote one(at(server.url()));
  REQUIRE(one.ready());
  for (unsigned lost = 0; lost < limits::kLaneReopeningsMax; ++lost) {
    REQUIRE(one.route());
    CHECK(one.hand_over(true, one.route()->opening) == kEnded);
  }
  REQUIRE(one.route());
  CHECK(one.hand_over(true, one.route()->opening) == kEnded);
  CHECK(one.hand_over(false, 0) == kEnded);
  CHECK_FALSE(one.route());
}

// A child that is asked what it is, and then says one of these for each line that it hears.
RemoteConfig child_that_says(const std::vector<std::string>& texts) {
  std::string script = R"(read l; echo '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"],"capabilities":{}}}')";
  for (const std::string& text : texts) script += "; read l; echo '" + text + "'";
  RemoteConfig config;
  config.command = "sh";
  config.args = {"-c", script + "; read l"};
  return config;
}

TEST_CASE("the way for calls from the host's loops to a child is its stdin, and what answers them goes to their lane") {
  signal(SIGPIPE, SIG_IGN);
  const std::string answer = R"({"jsonrpc":"2.0","id":8388609,"result":{}})";
  OneRemote one(child_that_says({answer}));
  REQUIRE(one.ready());
  const LaneRoutePtr route = one.route();
  REQUIRE(route);
  REQUIRE(route->input);
  CHECK(route->answers_aside);
  CHECK(route->sender.era == Era::modern);
  CHECK(route->log_rank == 0);
  REQUIRE(route->input->send("call\n"));
  REQUIRE(run_until(one.loop, [&] { return !one.lanes.answered.empty(); }));
  CHECK(one.lanes.answered == std::vector<std::string>{"8388609 " + answer});
  CHECK(one.lanes.lost.empty());
  REQUIRE(route->input->send("end\n"));
  REQUIRE(run_until(one.loop, [&] { return !one.lanes.lost.empty(); }));
  CHECK(one.lanes.lost == std::vector<std::string>{"1 it has ended with exit code 0, last"});
  CHECK_FALSE(one.route());
}

TEST_CASE("an answer of which one cannot tell whose it is waits for the calls that are in lanes") {
  signal(SIGPIPE, SIG_IGN);
  const std::string answer = R"({"jsonrpc":"2.0","id":8388609,"result":{"content":[]}})";
  OneRemote one(child_that_says({R"({"jsonrpc":"2.0","result":{)" "\n" + answer, "heard"}));
  REQUIRE(one.ready());
  const LaneRoutePtr route = one.remote->gate()->enter(0);
  REQUIRE(route);
  REQUIRE(route->input->send("call\n"));
  REQUIRE(run_until(one.loop, [&] { return one.lanes.gathered.size() == 1; }));
  CHECK(one.logged("it sends what is no message") == 0);
  CHECK(one.lanes.answered.empty());  // what is clear does not overtake it
  const collet_call call = one.carry(8'388'609);
  one.remote->gate()->leave(0);
  one.lanes.gathered[0]();
  REQUIRE(run_until(one.loop, [&] { return !one.noting.end_of(call).empty(); }));
  CHECK_THAT(one.noting.end_of(call), Contains("its answer is no message"));
  CHECK(one.logged("it sends what is no message") == 1);
  CHECK_FALSE(one.route());
  REQUIRE(route->input->send("more\n"));
  REQUIRE(run_until(one.loop, [&] { return one.logged("it sends what is no message") == 2; }));  // and all that was held is heard
  CHECK(one.lanes.answered == std::vector<std::string>{"8388609 " + answer});
}

TEST_CASE("a call that comes back when its connection has gone is lost") {
  signal(SIGPIPE, SIG_IGN);
  OneRemote one(child_that_says({}));
  REQUIRE(one.ready());
  const LaneRoutePtr route = one.remote->gate()->enter(0);
  REQUIRE(route->input->send("end\n"));
  REQUIRE(run_until(one.loop, [&] { return !one.lanes.lost.empty(); }));
  const collet_call call = one.carry(8'388'609);
  one.remote->gate()->leave(0);
  CHECK_THAT(one.noting.end_of(call), Contains("it has ended with exit code 0"));
}
