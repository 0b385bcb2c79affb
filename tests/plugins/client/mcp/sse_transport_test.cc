#include "client/mcp/sse_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "client/limits.h"
#include "plugins/client/loopback_listener.h"
#include "plugins/client/obliging.h"
#include "plugins/client/run_until.h"
#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::client;
using Catch::Contains;

namespace {

// A server of HTTP with SSE: a GET opens its one stream, on which it says what the test has it say; a POST is
// acknowledged, at once or when the test wants it.
class StreamServer {
 public:
  StreamServer() { thread_ = std::thread([this] { run(); }); }
  ~StreamServer() {
    listener_.stop();
    thread_.join();
    end_stream();
    acknowledge();
  }
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()) + "/old/sse?k=1"; }
  void says(const std::string& event, const std::string& data) {
    const std::lock_guard lock(mutex_);
    write_to(stream_, "event: " + event + "\ndata: " + data + "\n\n");
  }
  void end_stream() {
    const std::lock_guard lock(mutex_);
    if (stream_ >= 0) close(std::exchange(stream_, -1));
  }
  // The POSTs that wait for it.
  void acknowledge(const std::string& status = "202 Accepted") {
    const std::lock_guard lock(mutex_);
    for (const int peer : std::exchange(held_, {})) answer(peer, status);
  }
  // "GET /path", "POST /path body"
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t count() const { return requests().size(); }
  bool streams() const {
    const std::lock_guard lock(mutex_);
    return stream_ >= 0;
  }

  std::atomic<bool> holds{false};    // POSTs are not acknowledged by themselves
  std::atomic<unsigned> refuses{0};  // so many GETs are answered with 401

 private:
  void run() {
    for (;;) {
      const int peer = listener_.accept();
      if (peer < 0) return;
      const std::string request = read_request(peer);
      const std::lock_guard lock(mutex_);
      const std::size_t end = request.find("\r\n\r\n");
      std::string noted = request.substr(0, request.find(" HTTP/"));
      if (end != request.npos && end + 4 < request.size()) noted += " " + request.substr(end + 4);
      requests_.push_back(std::move(noted));
      if (request.starts_with("POST")) {
        holds ? held_.push_back(peer) : answer(peer, "202 Accepted");
      } else if (refuses > 0) {
        --refuses;
        answer(peer, "401 Unauthorized");
      } else {
        write_to(peer, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        stream_ = peer;
      }
    }
  }

  static std::string read_request(int peer) {
    std::string bytes;
    char more[4096];
    for (;;) {
      const std::size_t end = bytes.find("\r\n\r\n"), length = bytes.find("Content-Length: ");
      const std::size_t body = length < end ? std::stoul(bytes.substr(length + 16)) : 0;
      if (end != bytes.npos && bytes.size() >= end + 4 + body) return bytes;
      const ssize_t got = read(peer, more, sizeof more);
      if (got <= 0) return bytes;
      bytes.append(more, static_cast<std::size_t>(got));
    }
  }
  static void write_to(int peer, const std::string& bytes) {
    static_cast<void>(send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  static void answer(int peer, const std::string& status) {
    write_to(peer, "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    close(peer);
  }

  const LoopbackListener listener_;
  mutable std::mutex mutex_;  // guards all below
  int stream_ = -1;
  std::vector<int> held_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// A transport to that server, and what its listener hears.
struct OldTalk final : TransportListener {
  StreamServer server;
  Loop loop;
  ManualTime time{loop};
  HttpClient http{loop, "test"};
  Obliging authorizer;
  std::vector<std::string> heard;
  std::vector<Lost> losses;
  std::optional<SseTransport> transport;

  explicit OldTalk(unsigned refuses = 0) {
    server.refuses = refuses;
    transport.emplace(loop, http, &authorizer, HttpSettings{server.url(), {}}, *this);
  }

  template <class Condition>
  bool until(Condition condition) {
    return run_until(loop, condition);
  }
  bool until_posted(std::size_t requests) {
    return until([&] { return server.count() >= requests; });
  }
  bool until_heard(std::size_t count) {
    return until([&] { return heard.size() >= count; });
  }
  void open() {
    REQUIRE(until([&] { return server.streams(); }));
    server.says("endpoint", "/messages?s=1");
  }
  void send(RequestId id, const std::string& method) {
    transport->send({.id = id, .method = method, .text = "<" + method + ">"});
  }

  void on_text(std::string_view text, RequestId stream) override {
    heard.push_back(std::string(text) + " on " + std::to_string(stream));
  }
  void on_lost(RequestId id, Lost lost) override {
    heard.push_back("lost " + std::to_string(id));
    losses.push_back(std::move(lost));
  }
  void on_unreachable(const std::string&) override { heard.push_back("unreachable"); }
  void on_down(const std::string& reason) override { heard.push_back("down: " + reason); }
};

using Said = std::vector<std::string>;

}  // namespace

TEST_CASE("what is sent before the endpoint is known waits for it, and answers come on the stream") {
  OldTalk talk;
  talk.send(1, "initialize");
  REQUIRE(talk.until([&] { return talk.server.streams(); }));
  CHECK(talk.server.requests() == Said{"GET /old/sse?k=1"});
  talk.server.says("message", "too early, and heard all the same");
  talk.server.says("endpoint", "messages?s=1");
  REQUIRE(talk.until_posted(2));
  CHECK(talk.server.requests()[1] == "POST /old/messages?s=1 <initialize>");
  talk.server.says("message", "answer");
  REQUIRE(talk.until_heard(2));
  CHECK(talk.heard == Said{"too early, and heard all the same on 0", "answer on 0"});
}

TEST_CASE("an endpoint of another origin is not posted to") {
  for (const std::string endpoint : {"http://127.0.0.2:9/messages", "https://127.0.0.1/messages"}) {
    OldTalk talk;
    talk.send(1, "initialize");
    REQUIRE(talk.until([&] { return talk.server.streams(); }));
    talk.server.says("endpoint", endpoint);
    REQUIRE(talk.until_heard(1));
    CHECK(talk.heard == Said{"down: its endpoint " + endpoint + " is of another origin"});
    CHECK(talk.server.count() == 1);
  }
}

TEST_CASE("nothing else is sent before the server has taken notifications/initialized, or for so long") {
  OldTalk talk;
  talk.server.holds = true;
  talk.open();
  talk.send(0, "notifications/initialized");
  talk.send(2, "tools/list");
  REQUIRE(talk.until_posted(2));
  talk.server.says("message", "by now it would have come");
  REQUIRE(talk.until_heard(1));
  CHECK(talk.server.count() == 2);
  SECTION("taken") { talk.server.acknowledge(); }
  SECTION("so long") { talk.time.pass(limits::kOpeningMs); }
  REQUIRE(talk.until_posted(3));
  CHECK(talk.server.requests()[1] == "POST /messages?s=1 <notifications/initialized>");
  CHECK(talk.server.requests()[2] == "POST /messages?s=1 <tools/list>");
}

TEST_CASE("the way is open for requests from elsewhere once the server has taken notifications/initialized") {
  OldTalk talk;
  unsigned opened = 0;
  talk.transport->when_open([&] { ++opened; });
  talk.server.holds = true;
  CHECK_FALSE(talk.transport->open());
  talk.open();
  talk.send(0, "notifications/initialized");
  REQUIRE(talk.until_posted(2));
  CHECK_FALSE(talk.transport->open());
  const unsigned before = opened;
  talk.server.acknowledge();
  REQUIRE(talk.until([&] { return opened > before; }));
  CHECK(talk.transport->open());
  CHECK_THAT(talk.transport->url(), Catch::EndsWith("/messages?s=1"));
  CHECK(talk.transport->address().ip == "127.0.0.1");
  talk.server.end_stream();
  REQUIRE(talk.until([&] { return !talk.heard.empty() && talk.heard.back().starts_with("down"); }));
  CHECK_FALSE(talk.transport->open());
}

TEST_CASE("a request that was posted elsewhere is lost with the stream, or with its POST") {
  OldTalk talk;
  talk.open();
  talk.send(1, "ping");
  REQUIRE(talk.until_posted(2));
  for (const RequestId id : {7, 8, 9}) talk.transport->adopt(id);
  talk.transport->finish(7, true);
  talk.transport->refused(8, {.whole = false, .sent = true, .message = "HTTP status 500"});
  CHECK(talk.heard == Said{"lost 8"});
  CHECK(talk.losses[0].message == "HTTP status 500");
  talk.transport->refused(8, {});
  talk.server.end_stream();
  REQUIRE(talk.until([&] { return talk.heard.back().starts_with("down"); }));
  CHECK(std::count(talk.heard.begin(), talk.heard.end(), "lost 9") == 1);
  CHECK(std::count(talk.heard.begin(), talk.heard.end(), "lost 7") == 0);
  CHECK(std::count(talk.heard.begin(), talk.heard.end(), "lost 8") == 1);
}

TEST_CASE("a request that is refused is lost alone") {
  OldTalk talk;
  talk.server.holds = true;
  talk.open();
  talk.send(1, "tools/list");
  REQUIRE(talk.until_posted(2));
  talk.server.acknowledge("500 Oh");
  REQUIRE(talk.until_heard(1));
  CHECK(talk.heard == Said{"lost 1"});
  CHECK(talk.losses[0].http_status == 500);
  CHECK(talk.losses[0].sent);
  talk.server.says("message", "goes on");
  REQUIRE(talk.until_heard(2));
  CHECK(talk.heard[1] == "goes on on 0");
}

TEST_CASE("with its stream all that the server has taken is lost, and then the connection is down") {
  OldTalk talk;
  talk.open();
  talk.send(1, "tools/call");
  talk.send(2, "tools/call");
  REQUIRE(talk.until_posted(3));
  talk.server.says("message", "both are taken by now");
  REQUIRE(talk.until_heard(1));
  talk.transport->finish(2, true);
  talk.server.end_stream();
  REQUIRE(talk.until([&] { return talk.heard.size() > 1 && talk.heard.back().starts_with("down"); }));
  CHECK(talk.heard == Said{"both are taken by now on 0", "unreachable", "lost 1", "down: its event stream has ended"});
  CHECK(talk.losses[0].sent);
  talk.send(3, "tools/call");
  CHECK(talk.heard.back() == "lost 3");
  CHECK_FALSE(talk.losses.back().sent);
}

TEST_CASE("so many challenges of the stream are answered with another try") {
  OldTalk talk(limits::kChallengesMax);
  talk.open();
  CHECK(talk.authorizer.challenges == limits::kChallengesMax);
  CHECK(talk.heard.empty());
  OldTalk refused(limits::kChallengesMax + 1);
  REQUIRE(refused.until_heard(1));
  CHECK_THAT(refused.heard[0], Contains("down: HTTP status 401"));
  CHECK(refused.authorizer.challenges == limits::kChallengesMax);
}
