#include "client/mcp/streamable_transport.h"

#include "client/limits.h"
#include "plugins/client/obliging.h"
#include "plugins/client/raw_server.h"
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
  Outcome(Era era, unsigned times, const std::string& first, const std::string& last = answer()) {
    RawServer server([&](unsigned number, const std::string&) { return number < times ? first : last; });
    HttpClient http(loop, "test");
    StreamableTransport transport(loop, http, &authorizer, {server.url(), {}}, *this);
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

}  // namespace

TEST_CASE("so many challenges are answered with another try") {
  const std::string challenge = json_response("401 No");
  CHECK(Outcome(Era::modern, limits::kChallengesMax, challenge).answered);
  const Outcome refused(Era::modern, limits::kChallengesMax + 1, challenge);
  CHECK_THAT(refused.lost, Catch::Contains("HTTP status 401"));
  CHECK(refused.authorizer.challenges == limits::kChallengesMax);
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
