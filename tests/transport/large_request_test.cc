#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using namespace collet::test;

namespace {

// So that header and body are of that size.
std::string post_of(std::size_t bytes, const std::string& fields = {}) {
  const std::size_t head = post("/echo", std::string(100'000, 'x'), fields).size() - 100'000;
  std::string request = post("/echo", std::string(bytes - head, 'x'), fields);
  REQUIRE(request.size() == bytes);
  return request;
}

}  // namespace

TEST_CASE("a connection with a large request goes on at another loop, whose handler answers it and what follows") {
  const std::string url = GENERATE(std::string("http://127.0.0.1:0"), std::string("unix:"));
  const std::string path = "/tmp/collet-large-" + std::to_string(getpid());
  Aside aside;
  Served served({}, url == "unix:" ? url + path : url, nullptr, &aside.server());
  TcpClient client = url == "unix:" ? TcpClient(path) : TcpClient(served.port());
  client.send(post("/echo", "small"));
  CHECK(client.read_answer().body == "small");
  CHECK(aside.handler.requests() == 0);

  const std::string body(3'000'000, 'x');
  client.send(post("/echo", body));
  CHECK(client.read_answer().body == body);
  client.send(post("/echo", "small") + post("/echo", body) + post("/echo", "last"));
  for (const std::string& sent : {std::string("small"), body, std::string("last")}) {
    CHECK(client.read_answer().body == sent);
  }
  CHECK(aside.handler.requests() == 4);
  CHECK(served.handler.requests() == 1);
  while (served.connections() > 0) std::this_thread::yield();
}

TEST_CASE("a request is large beyond the limit, and not at it") {
  Aside aside;
  Served served({}, "http://127.0.0.1:0", nullptr, &aside.server());
  for (const std::size_t more : {0, 1}) {
    TcpClient client(served.port());
    const std::string request = post_of(transport::kLargeRequestBytes + more);
    client.send(request.substr(0, 100'000));  // so that it does not come whole
    client.send(request.substr(100'000));
    CHECK(client.read_answer().status == 200);
    CHECK(aside.handler.requests() == more);
  }
}

TEST_CASE("a body of unknown length is large once so much of it has come") {
  Aside aside;
  Served served({}, "http://127.0.0.1:0", nullptr, &aside.server());
  TcpClient client(served.port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string body;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    const std::string piece(20'011, letter);
    client.send("4e2b\r\n" + piece + "\r\n");
    body += piece;
  }
  client.send("0\r\n\r\n");
  CHECK(client.read_answer().body == body);
  CHECK(aside.handler.requests() == 1);
}

TEST_CASE("who waits before a large body is told to go on, once") {
  Aside aside;
  Served served({}, "http://127.0.0.1:0", nullptr, &aside.server());
  TcpClient client(served.port());
  const std::string request = post_of(400'000, "Expect: 100-continue\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  client.send(request.substr(0, head));
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(request.substr(head));
  CHECK(client.read_answer().body == request.substr(head));
  CHECK(aside.handler.requests() == 1);
}

TEST_CASE("a large request that is refused by its header is refused where it came") {
  Aside aside;
  Served served({}, "http://127.0.0.1:0", nullptr, &aside.server());
  TcpClient client(served.port());
  client.send("POST /forbidden HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n");
  CHECK(client.read_answer().status == 403);
  CHECK(client.read_to_end().empty());
  CHECK(aside.handler.requests() == 0);
}

TEST_CASE("there are no more connections at the other loop than one may have") {
  transport::HttpLimits limits;
  limits.connections_max = 1;
  Aside aside(limits);
  Served served({}, "http://127.0.0.1:0", nullptr, &aside.server());
  TcpClient first(served.port()), second(served.port());
  const std::string request = post_of(400'000);
  first.send(request);
  CHECK(first.read_answer().status == 200);
  second.send(request.substr(0, 100'000));
  CHECK(second.read_answer().status == 503);
  second.read_to_end();
  first.send(request);
  CHECK(first.read_answer().status == 200);
}

TEST_CASE("memory that a large request holds is counted at both loops, and given back") {
  Aside aside;
  transport::HttpLimits limits;
  limits.memory_bytes_max = 2'000'000;
  Served served(limits, "http://127.0.0.1:0", nullptr, &aside.server());
  const std::string request = post_of(900'000);
  TcpClient first(served.port()), second(served.port());
  first.send(request.substr(0, request.size() - 1));
  while (served.memory->held() < request.size() - 1) std::this_thread::yield();
  second.send(request);
  CHECK(second.read_answer().status == 503);
  first.send("x");
  CHECK(first.read_answer().status == 200);
  while (served.memory->held() > 0) std::this_thread::yield();
}
