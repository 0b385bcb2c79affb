// Requests of which their handler cannot say yet what becomes of them.
#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using namespace collet::test;

namespace {

std::string chunked(const std::string& path) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n1\r\n!\r\n0\r\n\r\n";
}

std::size_t head_bytes(const std::string& request) { return request.find("\r\n\r\n") + 4; }

}  // namespace

TEST_CASE("a request that is held comes to its handler again as it was, in whatever pieces it was sent") {
  const std::string request = GENERATE(post("/hold", "body!"), chunked("/hold"));
  const bool rest_comes_first = GENERATE(true, false);
  Served served;
  TcpClient client(served.port());
  for (std::size_t at = 1; at <= request.size(); ++at) {
    const bool has_head = at >= head_bytes(request);
    client.send(request.substr(0, at));
    if (has_head) served.handler.await_open(at);
    if (!has_head || rest_comes_first) client.send(request.substr(at));
    served.handler.await_open(at);
    release(served, at - 1, "yes");
    if (has_head && !rest_comes_first) client.send(request.substr(at));
    REQUIRE(client.read_answer().body == "body!");
  }
  CHECK(served.connections() == 1);
  while (served.memory->held() > 0) std::this_thread::yield();
}

TEST_CASE("a request that is refused when it is released ends its connection only if its body was still to come") {
  Served served;
  TcpClient whole(served.port()), half(served.port());
  whole.send(post("/hold", "body") + post("/echo", "next"));
  served.handler.await_open(1);
  release(served, 0, "no");
  CHECK(whole.read_answer().status == 403);
  CHECK(whole.read_answer().body == "next");
  half.send("POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
  served.handler.await_open(2);
  release(served, 1, "no");
  const HttpAnswer answer = half.read_answer();
  CHECK(answer.status == 403);
  CHECK(answer.header("Connection") == "close");
  CHECK(half.read_to_end().empty());
}

TEST_CASE("what is known of a sender is forgotten with the request") {
  Served served;
  TcpClient client(served.port());
  for (std::size_t i = 0; i < 2; ++i) {
    client.send(post("/hold", "body"));
    served.handler.await_open(i + 1);
    release(served, i, "yes");
    CHECK(client.read_answer().body == "body");
  }
}

TEST_CASE("requests before and behind one that is held are answered in order") {
  Served served;
  TcpClient client(served.port());
  client.send(post("/echo", "1") + post("/hold", "2") + post("/echo", "3") + chunked("/hold") + post("/hold", "5"));
  CHECK(client.read_answer().body == "1");
  served.handler.await_open(1);
  release(served, 0, "yes");
  CHECK(client.read_answer().body == "2");
  CHECK(client.read_answer().body == "3");
  served.handler.await_open(2);
  release(served, 1, "no");
  CHECK(client.read_answer().status == 403);
  served.handler.await_open(3);
  release(served, 2, "yes");
  CHECK(client.read_answer().body == "5");
}

TEST_CASE("of a large body little is read while its request is held, and then all of it, elsewhere") {
  Aside aside;
  Served served({}, "http://127.0.0.1:0", nullptr, &aside.server());
  const std::string body(8'000'000, 'x');
  TcpClient client(served.port());
  std::thread sender([&] { client.send(post("/hold", body)); });
  served.handler.await_open(1);
  while (served.memory->held() <= limits::kHttpPipelineBytesMax) std::this_thread::yield();
  CHECK(served.memory->held() <= 4 * limits::kHttpPipelineBytesMax);
  CHECK(aside.handler.requests() == 0);
  release(served, 0, "yes");
  CHECK(client.read_answer().body == body);
  sender.join();
  CHECK(aside.handler.requests() == 1);
}

TEST_CASE("who waits before the body is told to go on once the request is released, and not before") {
  Served served;
  const std::string head = "POST /hold HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  TcpClient client(served.port()), other(served.port());
  client.send(head);
  served.handler.await_open(1);
  release(served, 0, "no");
  CHECK(client.read_answer().status == 403);
  other.send(head);
  served.handler.await_open(2);
  release(served, 1, "yes");
  CHECK(other.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  other.send("ok");
  CHECK(other.read_answer().body == "ok");
}

TEST_CASE("a client that leaves while its request is held is noticed") {
  const std::string request = GENERATE(post("/hold", "body"), post("/hold", "body").substr(0, 70),
                                       post("/hold", "body") + post("/echo", "ahead"));
  const bool resets = GENERATE(true, false);
  Served served;
  TcpClient client(served.port());
  client.send(request);
  served.handler.await_open(1);
  if (resets) client.reset();
  client.close();
  served.handler.await_gone(1);
  while (served.connections() > 0) std::this_thread::yield();
  CHECK(served.memory->held() == 0);
}

TEST_CASE("a client that has said all gets its answer, and one that has not said all gets none") {
  Served served;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string request = post("/hold", "body");
    const std::size_t now = i == 0 ? request.size() : head_bytes(request) + 1;
    TcpClient client(served.port());
    client.send(request.substr(0, now));
    served.handler.await_open(i + 1);
    client.send(request.substr(now));
    client.shut_down_writing();
    CHECK(client.read_exactly(9) == "HTTP/1.1 ");  // by which is found out whether it is there
    release(served, i, "yes");
    CHECK(client.read_to_end().ends_with("\r\n\r\nbody"));
  }
  TcpClient client(served.port());
  client.send("POST /hold HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  served.handler.await_open(3);
  client.shut_down_writing();
  CHECK(client.read_exactly(9) == "HTTP/1.1 ");
  release(served, 2, "yes");
  CHECK(client.read_to_end().empty());
}

TEST_CASE("no time limit runs while a request is held; then that of its body does") {
  transport::HttpLimits limits;
  limits.header_timeout_ms = limits.body_timeout_ms = limits.idle_timeout_ms = 20;
  Served served(limits);
  TcpClient held(served.port());
  held.send("POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
  served.handler.await_open(1);
  for (int i = 0; i < 2; ++i) CHECK(TcpClient(served.port()).read_to_end().empty());
  release(served, 0, "yes");
  CHECK(held.read_answer().status == 408);
}

TEST_CASE("what of a held request finds no room in memory ends its connection") {
  transport::HttpLimits limits;
  limits.memory_bytes_max = 20'000;  // of which one client has half
  Served served(limits);
  TcpClient client(served.port());
  client.send(post("/hold", std::string(12'000, 'x')));
  served.handler.await_gone(1);
  CHECK(client.read_to_end().empty());
  CHECK(served.memory->held() == 0);
}

TEST_CASE("requests that are held are HEAD, or of HTTP/1.0, too") {
  Served served;
  TcpClient client(served.port()), old(served.port());
  client.send("HEAD /hold HTTP/1.1\r\nHost: h\r\n\r\n" + post("/echo", "next"));
  served.handler.await_open(1);
  release(served, 0, "yes");
  CHECK(client.read_answer(true).status == 200);
  CHECK(client.read_answer().body == "next");
  old.send("POST /hold HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody");
  served.handler.await_open(2);
  release(served, 1, "yes");
  CHECK(old.read_to_end().ends_with("\r\n\r\nbody"));
}

TEST_CASE("a server that drains waits for requests that are held") {
  Served served;
  TcpClient whole(served.port()), half(served.port());
  whole.send(post("/hold", "whole"));
  served.handler.await_open(1);
  half.send("POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nha");
  served.handler.await_open(2);
  std::promise<void> drained;
  served.run([&] { served.server().drain([&] { drained.set_value(); }); });
  release(served, 0, "yes");
  const HttpAnswer answer = whole.read_answer();
  CHECK(answer.body == "whole");
  CHECK(answer.header("Connection") == "close");
  whole.close();
  release(served, 1, "yes");
  half.send("lf");
  CHECK(half.read_answer().body == "half");
  half.close();
  CHECK(drained.get_future().wait_for(std::chrono::seconds(120)) == std::future_status::ready);
}

TEST_CASE("destroying a server lets go of what it holds, also of what has just been released") {
  Served served;
  TcpClient held(served.port()), released(served.port());
  held.send(post("/hold", "body"));
  served.handler.await_open(1);
  released.send(post("/hold", "body"));
  served.handler.await_open(2);
  served.run([&] {
    std::exchange(served.handler.open(1).reply, nullptr)->release(std::make_shared<const std::string>("yes"));
  });
  served.destroy_server();
  served.handler.await_gone(1);
  CHECK(held.read_to_end().empty());
}

TEST_CASE("clients at random points of requests that are held leave nothing behind") {
  Served served;
  const std::string whole = post("/hold", "0123456789") + chunked("/hold") + post("/hold", "9") + get("/echo");
  std::size_t held = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    TcpClient client(served.port());
    client.send(whole.substr(0, i % (whole.size() + 1)));
    if (i % 5 == 0) client.reset();
    if (i % 2 == 0) client.close();
    const std::size_t now = served.run([&] { return served.handler.opened(); });
    for (; held < now; ++held) release(served, held, held % 3 == 0 ? "no" : "yes");
  }
  TcpClient last(served.port());
  for (std::size_t open = 0; open != 1; open = served.connections()) {
    last.send(post("/echo", "x"));
    REQUIRE(last.read_answer().body == "x");
    const std::size_t now = served.run([&] { return served.handler.opened(); });
    for (; held < now; ++held) release(served, held, "yes");
  }
  last.close();
  while (served.connections() > 0) std::this_thread::yield();
  CHECK(served.memory->held() == 0);
}
