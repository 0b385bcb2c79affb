#include "client/remote/link.h"

#include <condition_variable>
#include <mutex>

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
    if (method == "tools/list") return result(R"({"tools":[{"name":"t"}]})");
    const bool taken = method.starts_with("notifications/") || !find_member(body, "method").data();
    return std::string("HTTP/1.1 ") + (taken && !body.empty() ? "202 Accepted" : "405 No") +
           "\r\nContent-Length: 0\r\n\r\n";
  }

  const Era era_;
  const SideStream side_stream_;
  mutable std::mutex mutex_;  // guards all below
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

  void end(const LaneGatePtr&, const char*) override {}
  void gather(const LaneGatePtr&, std::function<void()> done) override { gathered.push_back(std::move(done)); }
  void tell(RequestId request, KeptMessage message) override {
    if (message.view().method == "notifications/progress") told.push_back(request);
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
  std::size_t logged(std::string_view text) const {
    std::size_t found = 0;
    for (const std::string& line : noting.told) found += line.find(text) != line.npos;
    return found;
  }
};

RemoteConfig at(const std::string& url) {
  RemoteConfig config;
  config.url = url;
  config.headers = {{"Authorization", "Bearer k"}};  // so that nobody looks for another way in
  return config;
}

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
