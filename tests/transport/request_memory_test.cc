#include "transport/request_memory.h"

#include <algorithm>

#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using namespace collet::test;
using transport::RequestHold;
using transport::RequestMemory;

namespace {

// A request is given back after its answer has been sent, so that who reads the answer may be there first.
void await_held(const RequestMemory& memory, auto enough) {
  while (!enough(memory.held())) std::this_thread::yield();
}

bool nothing(std::size_t held) { return held == 0; }

}  // namespace

TEST_CASE("requests hold no more memory than there is, and those of one client half of it") {
  const auto memory = std::make_shared<RequestMemory>(100);
  RequestHold first(memory, "a"), second(memory, "a"), other(memory, "b"), late(memory, "c");
  CHECK(first.grow(30));
  CHECK_FALSE(second.grow(21));
  CHECK(second.grow(20));
  CHECK(other.grow(50));
  CHECK_FALSE(late.grow(1));
  CHECK(memory->held() == 100);
  first.shrink(10);
  CHECK(late.grow(1));
  CHECK(memory->held() == 81);
}

TEST_CASE("what a connection holds goes with it to whom it is counted") {
  const auto memory = std::make_shared<RequestMemory>(100);
  RequestHold full(memory, "a");
  CHECK(full.grow(45));
  {
    RequestHold one(memory, "b");
    CHECK(one.grow(10));
    CHECK_FALSE(one.pass_to("a"));
    CHECK(memory->held() == 45);
    CHECK(full.pass_to("b"));
    CHECK(RequestHold(memory, "a").grow(50));
  }
  CHECK(memory->held() == 45);
}

TEST_CASE("a request that is refused by its header is answered without its body") {
  Served served;
  TcpClient client(served.port());
  client.send("POST /forbidden HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_answer().status == 403);
  CHECK(client.read_to_end().empty());
}

TEST_CASE("requests sent ahead of an answer for which there is no memory end the connection, and nothing else") {
  const std::string path = GENERATE("/later", "/events");
  transport::HttpLimits limits;
  limits.memory_bytes_max = 20'000;
  Served served(limits);
  TcpClient client(served.port());
  client.send(post(path, ""));
  served.handler.await_open(1);
  client.send(std::string(15'000, 'x'));
  served.handler.await_gone(1);
  TcpClient other(served.port());
  other.send(post("/echo", "served"));
  CHECK(other.read_answer().body == "served");
  await_held(*served.memory, nothing);
}

TEST_CASE("a request for which there is no memory is refused, and one that is there goes on") {
  transport::HttpLimits limits;
  limits.memory_bytes_max = 3 << 20;
  Served served(limits);
  const std::string body(900'000, 'x');
  const std::string request = post("/echo", body);
  TcpClient first(served.port()), second(served.port()), third(served.port());
  first.send(request.substr(0, request.size() - 1));
  await_held(*served.memory, [&](std::size_t held) { return held >= request.size() - 1; });
  second.send(request);
  CHECK(second.read_answer().status == 503);
  first.send("x");
  CHECK(first.read_answer().body == body);
  await_held(*served.memory, nothing);
  third.send(request);
  CHECK(third.read_answer().body == body);
  await_held(*served.memory, nothing);
}

TEST_CASE("of a request whose size is known four times what has come is held, and never more than its size") {
  const std::string request = post("/echo", std::string(900'000, 'x'));
  for (const std::size_t come : {std::size_t{10'000}, request.size() - 1}) {
    Served served;
    TcpClient client(served.port());
    client.send(request.substr(0, come));
    await_held(*served.memory, [&](std::size_t held) { return held >= come; });
    CHECK(served.memory->held() <= std::min(4 * come, request.size()));
    client.send(request.substr(come));
    CHECK(client.read_answer().status == 200);
    await_held(*served.memory, nothing);
  }
}
