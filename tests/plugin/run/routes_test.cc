// Routes that plugins serve (collet.http.draft/1), up to what is said to the registry's listener.
#include "house.h"
#include "plugin/abi/http_table.h"
#include "registry/principal.h"
#include "support/catch.h"
#include "table_host.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;
using registry::Kind;

namespace {

constexpr const char* kPage = "<!doctype html><title>Hi</title><p>Hello";

// What a plugin in a worker serves has not the rights of the host's pages.
std::string head_of(const std::string& type) {
  const char* confined = " [Content-Security-Policy: sandbox allow-scripts allow-forms allow-popups allow-downloads]";
  return fmt::format("answer 200 [Content-Type: {}]{}", type, in_worker() ? confined : "");
}

// What a plugin says of a body that it has read.
std::string sum_of(std::string_view body) {
  unsigned sum = 0;
  for (const char byte : body) sum = sum * 31 + static_cast<unsigned char>(byte);
  return fmt::format("{} bytes, {}", body.size(), sum);
}

registry::WebRequest streamed(std::string begun = "", bool is_whole = false) {
  return {.method = "PUT", .body = std::move(begun), .is_streamed = true, .is_whole = is_whole};
}

std::string some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 1000);
  return bytes;
}

// Who reads bodies as they come: each module, and its route.
const std::pair<const char*, const char*> kReaders[] = {{"web", "/upload"}, {"web", "/watched"}, {"web_cpp", "/upload"}};

// The plugin, and its routes as the host calls them.
struct Site {
  explicit Site(const char* module = "web") {
    const LoadReport report = house.load(module_path(module));
    REQUIRE(report.error == "");
  }

  CallId begin(const std::string& route, Recorder& recorder, registry::WebRequest request = {.method = "GET"},
               std::string path = {}) {
    registry::Call call;
    call.kind = registry::CallKind::route;
    call.web = std::make_shared<const registry::WebRequest>(std::move(request));
    paths.push_back(path.empty() ? route : path);
    call.name = paths.back();
    return house.start(Kind::route, "/plugins/p1" + route, call, recorder);
  }
  Ending ask(const std::string& route, Recorder& recorder, registry::WebRequest request = {.method = "GET"},
             std::string path = {}) {
    begin(route, recorder, std::move(request), std::move(path));
    return recorder.wait_end();
  }
  void take(const std::string& route, CallId id, std::size_t bytes) {
    house.loop(0).run([&] { house.registry.current()->find(Kind::route, "/plugins/p1" + route)->provider->taken(id, bytes); });
  }
  // More of the body of a request that was begun.
  void send(const std::string& route, CallId id, std::string_view bytes, bool last) {
    house.loop(0).run([&] { house.registry.current()->find(Kind::route, "/plugins/p1" + route)->provider->body(id, bytes, last); });
  }
  void cancel(const std::string& route, CallId id, registry::CancelReason reason) {
    house.loop(0).run([&] { house.registry.current()->find(Kind::route, "/plugins/p1" + route)->provider->cancel(id, reason); });
  }

  std::deque<std::string> paths;
  House house;
};

}  // namespace

TEST_CASE("a route of a plugin's is under its id, and answers a request") {
  for (const char* module : {"web", "web_cpp"}) {
    Site site(module);
    for (const char* route : {"/", "/fast"}) {
      Recorder recorder;
      const Ending ending = site.ask(route, recorder);
      CHECK(ending.how == Ending::How::completed);
      CHECK(recorder.notices() == std::vector{head_of("text/html")});
      CHECK(recorder.body() == kPage);
    }
  }
}

TEST_CASE("a route is told what is asked") {
  for (const char* module : {"web", "web_cpp"}) {
    Site site(module);
    Recorder recorder;
    recorder.known["principal"] = "alice";
    registry::WebRequest request{.method = "POST", .query = "a=1&b"};
    request.fields = {{"Host", "x"}, {"X-Test", "yes"}};
    request.body = std::string("\0bytes\xff", 7);
    site.ask("/echo", recorder, request);
    CHECK(recorder.body() == std::string("method POST\npath /echo\nquery a=1&b\ntest yes\nfor alice\nbody ") + request.body + "\n");

    Recorder bare;
    site.ask("/echo", bare);
    CHECK(bare.body() == "method GET\npath /echo\nno query\nbody \n");

    Recorder below;
    site.ask("/files/*", below, {.method = "GET"}, "/files/a/b%20c");
    CHECK(below.body() == "/files/a/b%20c");
  }
}

TEST_CASE("events of a route are framed as server-sent events") {
  for (const char* module : {"web", "web_cpp"}) {
    Site site(module);
    Recorder recorder;
    site.ask("/events", recorder);
    CHECK(recorder.notices() == std::vector{head_of("text/event-stream")});
    CHECK(recorder.body() == "data: one\ndata: two\n\nid: 7\nevent: end\ndata: \n\n");
  }
}

TEST_CASE("a route that fails says so, whether or not its answer has begun") {
  for (const char* module : {"web", "web_cpp"}) {
    Site site(module);
    Recorder silent, fails, rest;
    CHECK(site.ask("/silent", silent).how == Ending::How::completed);
    CHECK(silent.notices().empty());
    const Ending failed = site.ask("/fail", fails);
    CHECK(failed.how == Ending::How::failed);
    CHECK(failed.rpc_code == mcp::kInvalidParams);
    CHECK(failed.message == "no such page");
    CHECK(site.ask("/rest", rest).message == "broken");
    CHECK(rest.body() == "half");
  }
}

TEST_CASE("an answer goes on as fast as its client takes it, and no faster") {
  constexpr std::size_t kBytes = 5u << 20;
  for (const char* module : {"web", "web_cpp"}) {
    Site site(module);
    Recorder recorder;
    const CallId id = site.begin("/bytes", recorder, {.method = "GET", .query = std::to_string(kBytes)});
    for (std::size_t taken = 0, came = 0; taken < kBytes; taken = came) {
      came = recorder.wait_body(taken + 1).size();
      CHECK(came - taken <= limits::kRouteAheadBytesMax);
      site.take("/bytes", id, came - taken);
    }
    CHECK(recorder.wait_end().how == Ending::How::completed);
    CHECK(recorder.body().size() == kBytes);
  }
}

TEST_CASE("so much of an answer may be ahead of its client, and a byte more is refused") {
  Site site;
  Recorder recorder;
  const CallId id = site.begin("/ahead", recorder);
  CHECK(recorder.wait_body(limits::kRouteAheadBytesMax).size() == limits::kRouteAheadBytesMax);
  site.cancel("/ahead", id, registry::CancelReason::client);
  CHECK(recorder.wait_end().rpc_code == static_cast<int>(limits::kRouteAheadBytesMax));
}

TEST_CASE("who waits for a client that has gone is told so") {
  for (const char* module : {"web", "web_cpp"}) {
    Site site(module);
    Recorder recorder;
    const CallId id = site.begin("/bytes", recorder, {.method = "GET", .query = "5000000"});
    recorder.wait_body(900'000);
    site.cancel("/bytes", id, registry::CancelReason::client);
    CHECK(recorder.wait_end().how == Ending::How::failed);
    CHECK(recorder.body().size() <= limits::kRouteAheadBytesMax);

    Recorder left;
    const CallId leaving = site.begin("/leave", left);
    left.wait_body(5);
    site.cancel("/leave", leaving, registry::CancelReason::client);
    CHECK(contains(left.wait_end().message, "cancelled"));
  }
}

TEST_CASE("what is wrong with an answer is said, and sends nothing") {
  Site site;
  Recorder recorder;
  CHECK(site.ask("/wrong", recorder).how == Ending::How::completed);
  CHECK(recorder.body() ==
        "write before respond -4\nstatus 199 -1\nstatus 600 -1\nline break -1\nContent-Length -1\ntransfer-encoding -1\n"
        "Connection -1\nDate -1\nAccess-Control-Allow-Origin -1\nUpgrade -1\na b -1\n -1\nnull -1\nno fields -1\n"
        "too large -3\ntoo many -3\nprogress -6\nrespond 0\nagain -4\nid -1\nroom -3\nnone -2\n");
}

TEST_CASE("a body that is there whole is read by a route that takes it as it comes") {
  for (const auto& [module, route] : kReaders) {
    Site site(module);
    for (const std::size_t size : {0, 1, 10'000, 700'000}) {
      Recorder recorder;
      const std::string body = some_bytes(size);
      CHECK(site.ask(route, recorder, streamed(body, true)).how == Ending::How::completed);
      CHECK(recorder.body() == sum_of(body));
    }
  }
}

TEST_CASE("a body is read as it comes, no more of it than there may be ahead") {
  const std::string body = some_bytes(5u << 20);
  const std::size_t piece = GENERATE(1'000, 65'536, limits::kHttpBodyAheadBytesMax);
  for (const auto& [module, route] : kReaders) {
    INFO(module << route);
    Site site(module);
    Recorder recorder;
    const CallId id = site.begin(route, recorder, streamed());
    const std::size_t size = piece < 65'536 ? 300'000 : body.size();
    std::size_t taken = recorder.wait_taken(0);
    CHECK(taken == 0);  // but it was asked for
    for (std::size_t sent = 0; sent < size;) {
      while (sent + piece > taken + limits::kHttpBodyAheadBytesMax) taken = recorder.wait_taken(taken + 1);
      const std::size_t now = std::min(piece, size - sent);
      site.send(route, id, std::string_view(body).substr(sent, now), false);
      sent += now;
    }
    CHECK(recorder.wait_taken(size) == size);
    CHECK(recorder.ends() == 0);
    site.send(route, id, {}, true);
    CHECK(recorder.wait_end().how == Ending::How::completed);
    CHECK(recorder.body() == sum_of(std::string_view(body).substr(0, size)));
  }
}

TEST_CASE("a body that stops in the middle is never whole: who waits for the rest is told that the call is cancelled") {
  for (const auto& [module, route] : kReaders) {
    INFO(module << route);
    Site site(module);
    Recorder recorder;
    const CallId id = site.begin(route, recorder, streamed());
    site.send(route, id, "some", false);
    CHECK(recorder.wait_taken(4) == 4);
    site.cancel(route, id, registry::CancelReason::client);
    const Ending ending = recorder.wait_end();
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.message.find("cut") + ending.message.find("cannot read on in a body") != 2 * std::string::npos);
    CHECK(recorder.body() == "");
    site.send(route, id, "more", true);  // of a call that has ended
  }
}

TEST_CASE("a worker is sent so much of a body that its plugin does not take, and the host keeps the rest of what is ahead") {
  Site site;
  Recorder recorder;
  const CallId id = site.begin("/early", recorder, streamed());
  recorder.wait_taken(0);
  site.send("/early", id, some_bytes(limits::kHttpBodyAheadBytesMax), false);
  CHECK(recorder.wait_end().how == Ending::How::completed);
  CHECK(recorder.body() == some_bytes(100));
  CHECK(recorder.wait_taken(0) <= limits::kHttpBodyAheadBytesMax);
}

TEST_CASE("what is wrong with reading is said, and takes nothing") {
  Site site;
  Recorder streaming, whole, looping;
  site.ask("/misread", streaming, streamed("a", true));
  CHECK(streaming.body() == "body 0\nno place -1\nno room -1\nno size -1\nnone -2\nwait for none -2\nread 0\n");
  site.ask("/unstreamed", whole, {.method = "PUT", .body = "a"});
  CHECK(whole.body() == "body 1\nno place -1\nno room -1\nno size -1\nnone -2\nwait for none -2\nread -6\n");
  site.ask("/loop", looping, streamed());
  CHECK(looping.body() == "wait -4\n");
}

TEST_CASE("a route whose path or methods are none is left out, with the reason") {
  const auto problem = [](std::string path, std::string definition) {
    registry::Registry registry;
    registry.declare("web", {});
    registry.replace("web", nullptr, {{.kind = Kind::route, .name = std::move(path), .definition = std::move(definition)}});
    const auto& rejected = registry.current()->rejected();
    return rejected.empty() ? std::string() : rejected.front().reason;
  };
  for (const char* path : {"/", "/a", "/a/", "/a/b.html", "/*", "/a/*", "/%20", "/a:b@c"}) CHECK(problem(path, "{}") == "");
  for (const char* path : {"a", "//", "/a//b", "/.", "/..", "/a/../b", "/%2e%2E", "/a%2fb", "/a?b", "/a#b", "/a b", "/%4", "/%41", "/\xc3\xa9"}) {
    INFO(path);
    CHECK(contains(problem(path, "{}"), "its path is not valid"));
  }
  CHECK(contains(problem("/*/a", "{}"), "last segment"));
  CHECK(contains(problem("/a*", "{}"), "last segment"));
  CHECK(problem("/" + std::string(limits::kUriBytesMax - 13, 'a'), "{}") == "");
  CHECK(contains(problem("/" + std::string(limits::kUriBytesMax - 12, 'a'), "{}"), "bytes"));
  CHECK(problem("/", R"({"methods":["GET","PROPFIND"]})") == "");
  const auto deep = [](unsigned segments) {
    std::string path;
    while (segments-- > 0) path += "/a";
    return path;
  };
  CHECK(problem(deep(limits::kRouteSegmentsMax - 2), "{}") == "");
  CHECK(contains(problem(deep(limits::kRouteSegmentsMax - 1), "{}"), "segments"));
  for (const char* good : {R"({"streamed":true})", R"({"streamed":false})", R"({"streamed":true,"bodyBytesMax":1})"}) CHECK(problem("/", good) == "");
  CHECK(contains(problem("/", R"({"streamed":"yes"})"), "its streamed must be"));
  CHECK(contains(problem("/", R"({"bodyBytesMax":1})"), "for a route that is streamed"));
  for (const char* most : {"0", "-1", "1.5", "\"1\"", "null"}) {
    INFO(most);
    CHECK(contains(problem("/", fmt::format(R"({{"streamed":true,"bodyBytesMax":{}}})", most)), "its bodyBytesMax must be"));
  }
  for (const char* methods : {"[]", "\"GET\"", "[1]", "[\"\"]", "[\"A B\"]", "{}"}) {
    INFO(methods);
    CHECK(contains(problem("/", fmt::format(R"({{"methods":{}}})", methods)), "its methods"));
  }
}

TEST_CASE("a plugin in a worker has no say in what a browser does with the rest of the host's name") {
  Site site;
  Recorder recorder;
  registry::WebRequest request{.method = "GET", .fields = {{"Cookie", "secret"}, {"X-Test", "seen"}}};
  site.ask("/cookies", recorder, std::move(request));
  CHECK(recorder.body() == (in_worker() ? "Set-Cookie -1\nCookie absent\n" : "Set-Cookie 0\nCookie secret\n"));
}

TEST_CASE("a stream ends by its plugin once the client has left, though nothing keeps it waiting") {
  Site site("web_cpp");
  Recorder recorder;
  const CallId id = site.begin("/ticks", recorder);
  recorder.wait_body(1);
  site.cancel("/ticks", id, registry::CancelReason::client);
  CHECK(contains(recorder.wait_end().message, "its client has left"));
}
