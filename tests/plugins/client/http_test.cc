#include "client/http.h"

#include "client/limits.h"
#include "plugins/client/raw_server.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

std::string response_of(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

struct Client {
  Loop loop;
  HttpClient http{loop, "test"};
};

struct Sink final : HttpSink {
  explicit Sink(Loop& loop) : loop_(loop) {}
  void on_head(const HttpHead&) override {}
  void on_body(std::string&) override {}
  void on_end(const HttpEnd& ended, std::string& all) override {
    end = ended;
    bytes = all.size();
    loop_.stop();
  }
  HttpEnd end;
  std::size_t bytes = 0;

 private:
  Loop& loop_;
};

Sink exchange(const std::string& response, RawServer::End end = RawServer::End::closes) {
  RawServer server([&](unsigned, const std::string&) { return response; }, end);
  Client client;
  Sink sink(client.loop);
  client.http.start({.method = "GET", .url = server.url(), .headers = {}, .body = {}}, sink);
  client.loop.run();
  return sink;
}

Result<FetchResponse> fetch(const std::string& response) {
  RawServer server([&](unsigned, const std::string&) { return response; });
  Client client;
  std::optional<Result<FetchResponse>> result;
  client.http.fetch({.method = "GET", .url = server.url(), .headers = {}, .body = {}},
                    [&](Result<FetchResponse> given) {
                      result = std::move(given);
                      client.loop.stop();
                    });
  client.loop.run();
  return *result;
}

}  // namespace

TEST_CASE("the headers of a response have a bound") {
  const std::string bare = response_of("", "X-Long: \r\n");
  const auto of_size = [&](std::size_t size) {
    return response_of("", "X-Long: " + std::string(size - bare.size(), 'a') + "\r\n");
  };
  CHECK(exchange(of_size(limits::kHeaderBytesMax)).end.whole);
  const Sink refused = exchange(of_size(limits::kHeaderBytesMax + 1));
  CHECK_FALSE(refused.end.whole);
  CHECK(refused.end.message == "its headers are too large");
}

TEST_CASE("what has not been taken of a response has a bound") {
  const Sink taken = exchange(response_of(std::string(limits::kMessageBytesMax, 'a')));
  CHECK(taken.end.whole);
  CHECK(taken.bytes == limits::kMessageBytesMax);
  const Sink refused = exchange(response_of(std::string(limits::kMessageBytesMax + 1, 'a')));
  CHECK_FALSE(refused.end.whole);
  CHECK(refused.end.message == "its answer is too large");
}

TEST_CASE("what is fetched has a bound") {
  const auto taken = fetch(response_of(std::string(limits::kFetchBytesMax, 'a')));
  REQUIRE(taken);
  CHECK(taken->body.size() == limits::kFetchBytesMax);
  const auto refused = fetch(response_of(std::string(limits::kFetchBytesMax + 1, 'a')));
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.message(), Catch::Contains("the answer is larger than 1048576 bytes"));
}

TEST_CASE("an answer that came before its connection was reset is an answer") {
  for (unsigned i = 0; i < 20; ++i) {  // mostly the reset is there before we look
    const Sink sink = exchange(response_of("too much"), RawServer::End::resets);
    INFO(sink.end.message);
    CHECK(sink.end.whole);
    CHECK(sink.bytes == 8);
  }
}

TEST_CASE("a server that changes to another protocol has not answered") {
  const Sink sink = exchange("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n" + response_of("x"));
  CHECK_FALSE(sink.end.whole);
  CHECK(sink.end.message == "it has not answered in HTTP");
}
