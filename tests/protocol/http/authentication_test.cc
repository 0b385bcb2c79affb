// Requests whose senders are found out later, or never.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "protocol/harness.h"
#include "protocol/http/plugin_routes.h"
#include "protocol/http/probes.h"
#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/request_memory.h"

using namespace collet;
using namespace collet::test;
using protocol::Credentials;
using protocol::LateVerdict;
using protocol::Refusal;
using protocol::Verdict;

namespace {

// Knows "known" at once, and nothing else before the test says it. Any thread.
class Questions final : public protocol::Authenticator {
 public:
  std::optional<Verdict> known(const Credentials& credentials) override {
    if (credentials.token == "known") return named("known");
    return std::nullopt;
  }
  void find_out(const Credentials& credentials, LateVerdict verdict) override {
    const std::lock_guard lock(mutex_);
    open_.emplace_back(credentials.token, std::move(verdict));
    ++asked_;
    changed_.notify_all();
  }

  // Waits for the next question.
  std::pair<std::string, LateVerdict> next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(120), [&] { return !open_.empty(); }))
      throw std::runtime_error("waited in vain for a question");
    auto next = std::move(open_.front());
    open_.pop_front();
    return next;
  }
  // Answers it with the principal that the token names.
  void answer_next() {
    auto [token, verdict] = next();
    verdict.say(named(token));
  }
  unsigned asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::string, LateVerdict>> open_;
  unsigned asked_ = 0;
};

// One loop on a thread of its own, whose site says at /who who sends a request, and what.
class LoopOnNet {
 public:
  LoopOnNet(const protocol::Access& access, std::shared_ptr<transport::RequestMemory> memory)
      : site_(std::make_unique<protocol::HttpSite>(loop_, access)),
        server_(std::make_unique<transport::HttpServer>(loop_, transport::HttpLimits{}, *site_, std::move(memory))) {
    site_->add({.path = "/who", .handler = [this](const auto& http, auto& reply, registry::PrincipalPtr principal) {
                  ++served;
                  const std::string_view body[] = {registry::id_of(principal), ":", http.body};
                  reply.respond(200, {}, body);
                }});
  }
  ~LoopOnNet() { stop(); }

  void start() {
    thread_ = std::thread([this] { loop_.run(); });
  }
  void run(std::function<void()> task) {
    std::packaged_task<void()> wrapped(std::move(task));
    auto done = wrapped.get_future();
    loop_.post([&wrapped] { wrapped(); });
    done.get();
  }
  // Server and site are gone, the loop turns.
  void destroy() {
    run([this] {
      server_.reset();
      site_.reset();
    });
  }
  void stop() {
    if (!thread_.joinable()) return;
    destroy();
    loop_.stop();
    thread_.join();
  }
  transport::HttpServer& server() { return *server_; }
  protocol::HttpSite& site() { return *site_; }

  std::atomic<unsigned> served = 0;

 private:
  loop::Loop loop_;
  std::unique_ptr<protocol::HttpSite> site_;
  std::unique_ptr<transport::HttpServer> server_;
  std::thread thread_;
};

// Two of them: where clients come, and where large requests go on.
class OnNet {
 public:
  explicit OnNet(protocol::AccessRules rules = {}) : access_(with(questions, std::move(rules))) {
    first.server().send_large_to(aside.server());
    first.server().listen(*socket_, 0);
    aside.start();
    first.start();
  }
  ~OnNet() { first.stop(); }
  std::uint16_t port() const { return socket_->address().port; }

  const std::shared_ptr<Questions> questions = std::make_shared<Questions>();

 private:
  static protocol::AccessRules with(std::shared_ptr<Questions> questions, protocol::AccessRules rules) {
    rules.authenticator = std::move(questions);
    return rules;
  }

  const protocol::Access access_;
  const std::unique_ptr<transport::ListenSocket> socket_ =
      std::move(*transport::ListenSocket::bind(transport::Address::parse("http://127.0.0.1:0").value(), 1, nullptr));
  const std::shared_ptr<transport::RequestMemory> memory_ = std::make_shared<transport::RequestMemory>(64u << 20);

 public:
  LoopOnNet aside{access_, memory_};
  LoopOnNet first{access_, memory_};
};

std::string post(const std::string& token, const std::string& body, const std::string& fields = {}) {
  return "POST /who HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

protocol::AccessRules with_timeout(std::uint64_t ms) {
  protocol::AccessRules rules;
  rules.authentication_timeout_ms = ms;
  return rules;
}

}  // namespace

TEST_CASE("who is found out later is who is known at once, at every endpoint and in both eras") {
  const bool at_once = GENERATE(true, false);
  protocol::AccessRules rules;
  rules.authenticator = known_by([](std::string_view token) { return named(token == "bad" ? "" : token); }, at_once);
  Harness h({}, rules);
  h.site.add(protocol::health_probe());
  h.site.add(protocol::plugin_routes(h.server.at(0)));
  const FakeProvider::Tool tell = [&](const registry::Call& call, registry::Listener&) {
    h.provider.end_with_text(registry::id_of(*call.principal));
  };
  h.add_tool("who", tell);
  h.add(registry::Kind::route, "/who", [&](const registry::Call& call, registry::Listener& listener) {
    listener.on_answer_head({200, {}});
    std::string body = std::string(call.web->method) + registry::id_of(*call.principal);
    listener.on_answer_bytes(body);
    h.provider.end({});
  });
  const auto send = [&](std::string method, std::string path, std::string token, std::string body = "",
                        std::string session = "") -> FakeReply& {
    Post post{std::move(body), {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}}, method, path};
    if (method == "GET") post.headers.push_back({"Accept", "text/event-stream"});
    if (!session.empty()) post.headers.push_back({"Mcp-Session-Id", session});
    return h.send(post);
  };

  CHECK(at(h.modern("tools/call", R"("name":"who",)", "who", "{}", "", "alice").body, "/result/content/0/text") == "\"alice\"");
  FakeReply& bad = h.modern("tools/list", "", "", "{}", "", "bad");
  CHECK(bad.status == 401);
  CHECK(bad.headers["WWW-Authenticate"] == R"(Bearer realm="collet", error="invalid_token")");

  const std::string initialize =
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},)"
      R"("clientInfo":{"name":"t","version":"1"}}})";
  const std::string session = send("POST", "/mcp", "alice", initialize).headers["Mcp-Session-Id"];
  REQUIRE(!session.empty());
  const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{}}})";
  CHECK(send("POST", "/mcp", "bob", call, session).status == 404);
  CHECK(at(send("POST", "/mcp", "alice", call, session).body, "/result/content/0/text") == "\"alice\"");
  CHECK(send("GET", "/mcp", "alice", "", session).streaming);
  CHECK(send("DELETE", "/mcp", "bob", "", session).status == 404);
  CHECK(send("DELETE", "/mcp", "alice", "", session).status == 204);

  FakeReply& stream = send("GET", "/sse", "alice");
  REQUIRE(stream.events.size() == 1);
  const std::string address = "/" + stream.events[0];
  CHECK(send("POST", address, "bob", call).status == 404);
  CHECK(send("POST", address, "bad", call).status == 401);
  CHECK(send("POST", address, "alice", call).status == 202);

  CHECK(send("GET", "/plugins/fake/who", "alice").body == "GETalice");
  CHECK(send("HEAD", "/plugins/fake/who", "alice").status == 200);
  CHECK(send("GET", "/plugins/fake/who", "bad").status == 401);
  CHECK(send("PUT", "/mcp", "alice").status == 405);
  CHECK(send("PUT", "/mcp", "bad").status == 401);
  CHECK(send("GET", "/healthz", "bad").status == 200);
}

TEST_CASE("a request waits until another thread has found out who sends it") {
  OnNet h;
  TcpClient client(h.port());
  client.send(post("alice", "hello"));
  h.questions->answer_next();
  CHECK(client.read_answer().body == "alice:hello");
  client.send(post("known", "hello"));
  CHECK(client.read_answer().body == "known:hello");
  client.send(post("bob", "again"));
  CHECK(h.first.served == 2);
  h.questions->answer_next();
  CHECK(client.read_answer().body == "bob:again");
}

TEST_CASE("whose body comes in pieces, or is large and goes on at another loop, is found out once") {
  const std::string body(GENERATE(1'000, 3'000'000), 'x');
  OnNet h;
  TcpClient client(h.port());
  const std::string request = post("alice", body);
  const std::size_t head = request.size() - body.size();
  client.send(request.substr(0, head));
  h.questions->answer_next();
  for (std::size_t at = head; at < request.size(); at += body.size() / 5) client.send(request.substr(at, body.size() / 5));
  CHECK(client.read_answer().body == "alice:" + body);
  CHECK(h.questions->asked() == 1);
  CHECK(h.aside.served == (body.size() > transport::kLargeRequestBytes ? 1 : 0));
}

TEST_CASE("a verdict that comes later refuses as one that is there at once does") {
  OnNet h;
  TcpClient client(h.port());
  client.send(post("alice", "1") + post("bob", "2") + post("carol", "3"));
  h.questions->next().second.say(protocol::invalid_token());
  const HttpAnswer unknown = client.read_answer();
  CHECK(unknown.status == 401);
  CHECK(unknown.header("WWW-Authenticate").find("invalid_token") != std::string::npos);
  h.questions->next().second.say(Refusal{403, "It may not\n", "Bearer error=\"insufficient_scope\""});
  const HttpAnswer forbidden = client.read_answer();
  CHECK(forbidden.status == 403);
  CHECK(forbidden.body == "It may not\n");
  CHECK(forbidden.header("WWW-Authenticate") == "Bearer error=\"insufficient_scope\"");
  h.questions->answer_next();
  CHECK(client.read_answer().body == "carol:3");
  CHECK(h.questions->asked() == 3);
}

TEST_CASE("a verdict that does not come in time is 503, and what is said afterwards is not heard") {
  OnNet h(with_timeout(20));
  TcpClient whole(h.port()), half(h.port());
  whole.send(post("alice", "hello", "Origin: http://localhost\r\n"));
  const HttpAnswer late = whole.read_answer();
  CHECK(late.status == 503);
  CHECK(late.header("Retry-After") == "2");
  CHECK(late.header("Access-Control-Allow-Origin") == "http://localhost");
  h.questions->answer_next();
  whole.send(post("known", "hello"));
  CHECK(whole.read_answer().body == "known:hello");
  half.send(post("alice", "hello").substr(0, 90));
  CHECK(half.read_answer().status == 503);
  CHECK(half.read_to_end().empty());
  CHECK(h.first.served == 1);
}

TEST_CASE("a question that is dropped is 503 at once") {
  OnNet h;
  TcpClient client(h.port());
  client.send(post("alice", "hello"));
  h.questions->next();
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.status == 503);
  CHECK(answer.header("Retry-After") == "2");
}

TEST_CASE("a verdict on somebody who has left harms nobody") {
  OnNet h;
  const std::string request = GENERATE(post("alice", "hello"), post("alice", "hello").substr(0, 90));
  std::optional<TcpClient> client(h.port());
  client->send(request);
  auto question = h.questions->next();
  client.reset();
  std::size_t connections = 1;
  while (connections > 0) h.first.run([&] { connections = h.first.server().connections(); });
  question.second.say(named("alice"));
  TcpClient other(h.port());
  other.send(post("bob", "hello"));
  h.questions->answer_next();
  CHECK(other.read_answer().body == "bob:hello");
  CHECK(h.first.served == 1);
}

TEST_CASE("a server that drains answers those whose verdict comes, and in a hurry refuses the others") {
  OnNet h;
  TcpClient one(h.port()), other(h.port());
  one.send(post("alice", "hello"));
  auto question = h.questions->next();
  other.send(post("bob", "hello"));
  auto unanswered = h.questions->next();
  std::promise<void> drained;
  h.first.run([&] { h.first.server().drain([&] { drained.set_value(); }); });
  question.second.say(named("alice"));
  CHECK(one.read_answer().body == "alice:hello");
  one.close();
  h.first.run([&] { h.first.site().give_up_held(); });
  CHECK(other.read_answer().status == 503);
  other.close();
  CHECK(drained.get_future().wait_for(std::chrono::seconds(120)) == std::future_status::ready);
  unanswered.second.say(named("bob"));
}

TEST_CASE("a verdict may come when the site, the loop or the request's server is gone") {
  std::optional<OnNet> h(std::in_place);
  const auto questions = h->questions;
  TcpClient first(h->port()), second(h->port()), third(h->port());
  std::vector<LateVerdict> verdicts;
  for (TcpClient* client : {&first, &second, &third}) {
    client->send(post("alice", "hello"));
    verdicts.push_back(questions->next().second);
  }
  std::atomic<bool> go = false;
  std::thread other([&] {
    while (!go) std::this_thread::yield();
    verdicts[0].say(named("alice"));
  });
  go = true;
  h->first.destroy();
  other.join();
  verdicts[1].say(named("alice"));
  for (TcpClient* client : {&first, &second, &third}) client->read_to_end();
  h.reset();
  verdicts[2].say(named("alice"));
}

TEST_CASE("verdicts from several threads each reach their request") {
  OnNet h;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        auto [token, verdict] = h.questions->next();
        if (token == "last") return;
        if (token.ends_with('n')) {
          verdict.say(protocol::invalid_token());
        } else {
          verdict.say(named(token));
        }
      }
    });
  }
  std::vector<std::thread> clients;
  std::atomic<unsigned> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      TcpClient client(h.port());
      for (int n = 0; n < 100; ++n) {
        const std::string token = "t" + std::to_string(i) + "-" + std::to_string(n) + (n % 7 == 0 ? "n" : "y");
        const std::string request = post(token, "x");
        const std::size_t at = static_cast<std::size_t>(n) % request.size();
        client.send(request.substr(0, at));
        client.send(request.substr(at));
        const HttpAnswer answer = client.read_answer();
        if (n % 7 == 0 ? answer.status != 401 : answer.body != token + ":x") ++wrong;
        if (answer.header("Connection") == "close") return;
      }
    });
  }
  for (std::thread& thread : clients) thread.join();
  CHECK(wrong == 0);
  TcpClient last(h.port()), again(h.port());
  last.send(post("last", ""));
  again.send(post("last", ""));
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("so many requests wait for who sends them on a loop, of one client half, and no more") {
  loop::Loop loop;
  std::deque<FakeReply> replies;
  std::vector<LateVerdict> verdicts;
  std::vector<const void*> known;
  protocol::HeldRequests held(loop, {.timeout_ms = 1'000'000, .count_max = 5}, protocol::cannot_authenticate);
  const auto holds = [&](std::string_view client) {
    FakeReply& reply = replies.emplace_back();
    reply.give_again = [&](const void* verdict) { known.push_back(verdict); };
    auto verdict = held.hold(reply, client);
    CHECK(reply.held == verdict.has_value());
    if (!verdict) return false;
    verdicts.push_back(std::move(*verdict));
    return true;
  };
  for (int i = 0; i < 3; ++i) CHECK(holds("a"));
  CHECK_FALSE(holds("a"));
  for (int i = 0; i < 2; ++i) CHECK(holds("b"));
  CHECK_FALSE(holds("c"));
  replies[0].leave();
  CHECK(holds("a"));
  verdicts[1].say(named("a"));
  CHECK_FALSE(holds("c"));
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(known.size() == 1);
  CHECK(holds("c"));
  held.give_up();
  CHECK(known.size() == 6);
  CHECK(holds("a"));
  held.give_up();
}

TEST_CASE("who comes when too many wait is told to come again, and who is known at once is served") {
  protocol::AccessRules rules;
  rules.authentications_max = 1;
  OnNet h(rules);
  TcpClient first(h.port()), second(h.port());
  first.send(post("alice", "hello"));
  auto question = h.questions->next();
  second.send(post("bob", "hello"));
  const HttpAnswer refused = second.read_answer();
  CHECK(refused.status == 503);
  CHECK(refused.header("Retry-After") == "2");
  second.send(post("known", "hello"));
  CHECK(second.read_answer().body == "known:hello");
  question.second.say(named("alice"));
  CHECK(first.read_answer().body == "alice:hello");
  second.send(post("bob", "hello"));
  h.questions->answer_next();
  CHECK(second.read_answer().body == "bob:hello");
}
