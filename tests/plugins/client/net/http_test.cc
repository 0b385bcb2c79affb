#include "client/net/http.h"

#include <deque>

#include "client/limits.h"
#include "plugins/client/kept_server.h"
#include "plugins/client/raw_server.h"
#include "plugins/client/run_until.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

std::string response_of(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

struct OneClient {
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
  OneClient client;
  Sink sink(client.loop);
  client.http.start({.method = "GET", .url = server.url(), .headers = {}, .body = {}}, sink);
  client.loop.run();
  return sink;
}

Result<FetchResponse> fetch(const std::string& response) {
  RawServer server([&](unsigned, const std::string&) { return response; });
  OneClient client;
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

namespace {

// A client that has a kept connection to a server that counts the requests that it has read.
struct Keeping {
  explicit Keeping(HttpRequest made = {.body = "pay"}) : request(std::move(made)) { request.url = server.url(); }
  HttpEnd exchange() {
    Sink sink(client.loop);
    client.http.start(request, sink);
    client.loop.run();
    return sink.end;
  }
  // How the exchange ends after one that keeps its connection, and how often the request was read.
  HttpEnd exchange(KeptServer::Fate fate) {
    // The connection before may have been doomed behind a whole answer, and close only now.
    if (!exchange().whole) REQUIRE(exchange().whole);
    requests = 0;
    server.foredoom(fate);
    return exchange();
  }

  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  std::atomic<unsigned> requests{0};
  std::atomic<std::size_t> size{0};  // of the last one
  KeptServer server{[this](const std::string& bytes) {
    ++requests;
    size = bytes.size();
    return answer;
  }};
  OneClient client;
  HttpRequest request;
};

}  // namespace

TEST_CASE("a POST leaves once, at whichever of its bytes the remote ends") {
  Keeping keeping;
  keeping.exchange();
  const std::size_t size = keeping.size;
  for (const bool resets : {false, true}) {
    for (std::size_t reads = 0; reads < size; ++reads) {
      CAPTURE(resets, reads);
      const HttpEnd end = keeping.exchange({.reads = reads, .resets = resets});
      CHECK(keeping.requests == 0);
      CHECK_FALSE(end.whole);
      CHECK(end.sent);
    }
  }
}

TEST_CASE("a POST leaves once, at whichever byte of its answer the remote ends") {
  Keeping keeping;
  for (const bool resets : {false, true}) {
    for (std::size_t says = 0; says <= keeping.answer.size(); ++says) {
      CAPTURE(resets, says);
      const HttpEnd end = keeping.exchange({.says = says, .resets = resets});
      CHECK(keeping.requests == 1);
      CHECK(end.whole == (says == keeping.answer.size()));
      CHECK(end.sent);
      if (says == 0 && !resets) CHECK(end.message == "it has closed the connection without an answer");
    }
  }
}

TEST_CASE("what may be repeated is sent again on a new connection") {
  for (const HttpRequest& request :
       {HttpRequest{.body = "look", .repeatable = true}, HttpRequest{.method = "GET"}}) {
    Keeping keeping(request);
    CHECK(keeping.exchange({.says = 0}).whole);
    CHECK(keeping.requests == 2);
  }
}

TEST_CASE("proxies are those of the environment, but not for this machine") {
  std::string asked;
  RawServer proxy([&](unsigned, const std::string& request) {
    asked = request.substr(0, request.find('\r'));
    return response_of("by proxy");
  });
  const char* const name = GENERATE("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY");
  ::setenv(name, proxy.url().c_str(), 1);
  const auto get = [](const std::string& url) {
    OneClient client;
    std::string body;
    client.http.fetch({.method = "GET", .url = url, .headers = {}, .body = {}}, [&](Result<FetchResponse> given) {
      body = given ? given->body : given.message();
      client.loop.stop();
    });
    client.loop.run();
    return body;
  };
  CHECK(get("http://mcp.example/x") == "by proxy");
  CHECK(asked == "GET http://mcp.example/x HTTP/1.1");
  RawServer server([&](unsigned, const std::string&) { return response_of("directly"); });
  CHECK(get(server.url()) == "directly");
  ::setenv("NO_PROXY", "other.example,mcp.invalid", 1);
  CHECK_THAT(get("http://mcp.invalid/"), Catch::Contains("mcp.invalid") && !Catch::Contains("by proxy"));
  ::unsetenv("NO_PROXY");
  ::unsetenv(name);
}

// CCF 7308, pyuv 54: libcurl had closed a descriptor, and the loop forgot it only when its number was another's.
TEST_CASE("a client that ends takes nothing from others of its loop") {
  struct Pipe {
    Pipe(Loop& loop, unsigned& heard) : heard_(heard) {
      REQUIRE(pipe(ends) == 0);
      uv_poll_init(loop.uv(), &poll, ends[0]);
      poll.data = this;
      uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* at, int, int) {
        const Pipe& self = *static_cast<Pipe*>(at->data);
        char byte;
        self.heard_ += read(self.ends[0], &byte, 1) == 1;
      });
    }
    ~Pipe() {
      close(ends[0]);
      close(ends[1]);
    }
    int ends[2];
    uv_poll_t poll;

   private:
    unsigned& heard_;
  };
  Loop loop;
  auto http = std::make_unique<HttpClient>(loop, "test");
  bool fetched = false;
  http->fetch({.url = "http://nothing.invalid/"}, [&](const auto&) { fetched = true; });  // by a thread, which wakes the loop by a socket
  REQUIRE(run_until(loop, [&] { return fetched; }));
  unsigned heard = 0;
  std::deque<Pipe> pipes;
  for (int i = 0; i < 8; ++i) pipes.emplace_back(loop, heard);
  uv_run(loop.uv(), UV_RUN_NOWAIT);
  http.reset();
  for (const Pipe& each : pipes) REQUIRE(write(each.ends[1], "x", 1) == 1);
  CHECK(run_until(loop, [&] { return heard == pipes.size(); }));
  for (Pipe& each : pipes) uv_close(reinterpret_cast<uv_handle_t*>(&each.poll), nullptr);
  uv_run(loop.uv(), UV_RUN_NOWAIT);
}

TEST_CASE("who asks anew as the client ends is told that it ends") {
  RawServer server([&](unsigned, const std::string&) { return response_of("late"); });
  std::string told;
  {
    const FetchRequest request{.method = "GET", .url = server.url(), .headers = {}, .body = {}};
    OneClient client;
    client.http.fetch(request, [&](const Result<FetchResponse>&) {
      client.http.fetch(request, [&](const Result<FetchResponse>& given) { told = given.message(); });
    });
  }
  CHECK_THAT(told, Catch::Contains("is being unloaded"));
}
