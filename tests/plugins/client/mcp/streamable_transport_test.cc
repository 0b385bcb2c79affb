#include "client/mcp/streamable_transport.h"

#include <mutex>

#include "client/limits.h"
#include "plugins/client/obliging.h"
#include "plugins/client/raw_server.h"
#include "plugins/client/run_until.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

constexpr const char* kAnswer = R"({"jsonrpc":"2.0","id":1,"result":{}})";

std::string json_response(const std::string& head, const std::string& body = "") {
  std::string response = "HTTP/1.1 ";
  response.append(head).append("\r\nConnection: close\r\nContent-Length: ");
  return response.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}
std::string answer() { return json_response("200 OK\r\nContent-Type: application/json", kAnswer); }
// A stream with one event, which may be resumed at once.
std::string stream_of(std::string_view data) {
  std::string event = "id: 7\nretry: 0\ndata: ";
  return json_response("200 OK\r\nContent-Type: text/event-stream", event.append(data).append("\n\n"));
}

// What comes of one request to a server that says `first` so many times, and then `last`, which has the answer.
struct Outcome final : TransportListener {
  Outcome(Era era, unsigned times, const std::string& first, const std::string& last = answer(),
          Authorizer* other = nullptr) {
    RawServer server([&](unsigned number, const std::string&) { return number < times ? first : last; });
    HttpClient http(loop, "test");
    StreamableTransport transport(loop, http, other ? other : &authorizer, {server.url(), {}}, *this);
    transport.set_version(era, "2025-11-25");
    transport.send({.id = 1, .method = "ping", .name = {}, .headers = {}, .text = "{}"});
    loop.run();
  }
  void on_text(std::string_view text, RequestId) override {
    answered = text == kAnswer;
    loop.stop();
  }
  void on_lost(RequestId, Lost why) override {
    lost = why.message;
    loop.stop();
  }
  void on_unreachable(const std::string&) override {}
  void on_down(const std::string&) override {}

  Loop loop;
  Obliging authorizer;
  bool answered = false;
  std::string lost;
};

// Its token is renewed once the first request has left.
struct Renewing final : Authorizer {
  void headers(std::string_view, std::string_view,
               std::function<void(Result<std::vector<HttpHeader>>)> done) override {
    done(token_of(std::exchange(left, true)));
  }
  std::optional<LastingHeaders> lasting_headers(std::string_view) const override { return {{token_of(left), 0}}; }
  void challenged(int, const std::vector<HttpHeader>&, std::function<void(Result<bool>)> done) override {
    ++challenges;
    done(true);
  }
  std::vector<std::string> secrets() const override { return {}; }
  static std::vector<HttpHeader> token_of(bool renewed) {
    return {{"Authorization", renewed ? "Bearer new" : "Bearer old"}};
  }
  bool left = false;
  unsigned challenges = 0;
};

}  // namespace

TEST_CASE("so many challenges are answered with another try") {
  const std::string challenge = json_response("401 No");
  CHECK(Outcome(Era::modern, limits::kChallengesMax, challenge).answered);
  const Outcome refused(Era::modern, limits::kChallengesMax + 1, challenge);
  CHECK_THAT(refused.lost, Catch::Contains("HTTP status 401"));
  CHECK(refused.authorizer.challenges == limits::kChallengesMax);
}

TEST_CASE("that a token was refused which has been renewed meanwhile is no matter for the authorizer") {
  const std::string challenge = json_response("401 No");
  Renewing renewing;
  CHECK(Outcome(Era::modern, 1, challenge, answer(), &renewing).answered);
  CHECK(renewing.challenges == 0);
  Renewing refused;
  CHECK(Outcome(Era::modern, limits::kChallengesMax, challenge, answer(), &refused).answered);
  CHECK(refused.challenges == limits::kChallengesMax - 1);
}

TEST_CASE("so many redirects within the origin are followed") {
  const std::string redirect = json_response("307 Go\r\nLocation: /mcp");
  CHECK(Outcome(Era::modern, limits::kRedirectsMax, redirect).answered);
  CHECK(Outcome(Era::modern, limits::kRedirectsMax + 1, redirect).lost == "it redirects in circles");
}

TEST_CASE("a stream that breaks off is resumed so many times") {
  const std::string again = stream_of(""), last = stream_of(kAnswer);
  CHECK(Outcome(Era::legacy, limits::kResumptionsMax, again, last).answered);
  CHECK(Outcome(Era::legacy, limits::kResumptionsMax + 1, again, last).lost ==
        "its stream ended before the answer");
}

TEST_CASE("a body that is no answer is said to be none, and why") {
  const auto body = [](const std::string& text) {
    return json_response("200 OK\r\nContent-Type: application/json", text);
  };
  CHECK(Outcome(Era::modern, 1, body(R"({"jsonrpc":"2.0","id":2,"result":{}})")).lost ==
        "its answer is none to this request");
  CHECK_THAT(Outcome(Era::modern, 1, body("{\"a\":\xff}")).lost,
             Catch::StartsWith("its answer is no message: not valid JSON at byte 5"));
}

namespace {

// A transport whose request 5 has its response elsewhere.
struct Adopted final : TransportListener {
  explicit Adopted(const RawServer& server)
      : transport(loop, http, nullptr, {server.url(), {}}, *this) {
    transport.set_version(Era::legacy, "2025-11-25");
    transport.adopt({.id = 5, .method = {}, .name = {}, .headers = {{"X-Caller", "c"}}, .text = {}}, [this] { ++let_go; });
  }
  void on_text(std::string_view text, RequestId stream) override {
    said.push_back(std::to_string(stream) + " " + std::string(text));
  }
  void on_lost(RequestId id, Lost why) override {
    lost.push_back(std::to_string(id) + " " + why.message + (why.sent ? "" : ", unsent") + (why.unreachable() ? "!" : ""));
  }
  void on_unreachable(const std::string&) override {}
  void on_down(const std::string&) override {}

  Loop loop;
  HttpClient http{loop, "test"};
  unsigned let_go = 0;
  std::vector<std::string> said, lost;
  StreamableTransport transport;
};

}  // namespace

TEST_CASE("a response that comes elsewhere is heard until it is not wanted any more") {
  RawServer server([](unsigned, const std::string&) { return answer(); });
  Adopted adopted(server);
  adopted.transport.carried(5, "a");
  adopted.transport.carried(6, "nobody's");
  CHECK(adopted.said == std::vector<std::string>{"5 a"});
  adopted.transport.finish(5, true);
  CHECK(adopted.let_go == 0);  // it may end by itself
  adopted.transport.carried(5, "late");
  adopted.transport.carried_end(5, {});
  adopted.transport.finish(5, false);
  CHECK(adopted.said.size() == 1);
  CHECK(adopted.let_go == 0);
  adopted.transport.adopt({.id = 7, .method = {}, .name = {}, .headers = {}, .text = {}}, [&] { ++adopted.let_go; });
  adopted.transport.finish(7, false);
  CHECK(adopted.let_go == 1);
  CHECK(adopted.lost.empty());
}

TEST_CASE("a response that comes elsewhere and breaks off is resumed where it has come to, if it can be") {
  std::mutex mutex;
  std::string seen;  // guarded by it
  RawServer server([&](unsigned, const std::string& request) {
    const std::lock_guard lock(mutex);
    seen = request;
    return stream_of(kAnswer);
  });
  Adopted adopted(server);
  adopted.transport.carried_end(5, {.end = {.whole = true}, .last_event_id = "e4", .retry_ms = 0});
  REQUIRE(run_until(adopted.loop, [&] { return !adopted.said.empty(); }));
  CHECK(adopted.said == std::vector<std::string>{"5 " + std::string(kAnswer)});
  const std::lock_guard lock(mutex);
  CHECK_THAT(seen, Catch::StartsWith("GET ") && Catch::Contains("Last-Event-ID: e4\r\n") && Catch::Contains("X-Caller: c\r\n"));
  CHECK(adopted.let_go == 0);

  Adopted cut(server);
  cut.transport.carried_end(5, {.end = {.whole = false, .message = "it has broken"}, .last_event_id = {}, .retry_ms = {}});
  CHECK(cut.lost == std::vector<std::string>{"5 it has broken"});

  Adopted unsent(server);  // its own connection had ended: others go on
  unsent.transport.carried_end(5, {.end = {.sent = false, .message = "gone"}, .last_event_id = {}, .retry_ms = {}});
  CHECK(unsent.lost == std::vector<std::string>{"5 gone, unsent"});
}
