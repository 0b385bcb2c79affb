#include "transport/http.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>
#include <optional>

#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using test::answer_later;
using test::get;
using test::HttpAnswer;
using test::post;
using test::send_event;
using test::Served;
using test::TcpClient;

namespace {

std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::size_t open_descriptors_max() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// Sets the soft limit on open files for as long as it lives.
struct DescriptorLimit {
  explicit DescriptorLimit(std::size_t count) : before(open_descriptors_max()) { set(count); }
  ~DescriptorLimit() { set(before); }
  static void set(std::size_t count) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  std::size_t before;
};

// Clients in a process of their own, so that the descriptors of both ends need not fit in one. Each sends a request
// and reads its answer before the next connects; all stay until the crowd is destroyed.
struct Crowd {
  explicit Crowd(std::size_t count) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipe) == 0);
    child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe[0]);
      _exit(be_crowd(count, pipe[1]));
    }
    ::close(pipe[1]);
  }
  ~Crowd() {
    ::close(pipe[0]);
    waitpid(child, nullptr, 0);
  }

  void connect(std::uint16_t port) {
    char done = 0;
    resident_before = resident_bytes();
    REQUIRE(::write(pipe[0], &port, sizeof(port)) == sizeof(port));
    REQUIRE(::read(pipe[0], &done, 1) == 1);
  }

  static int be_crowd(std::size_t count, int pipe) {
    std::uint16_t port = 0;
    if (::read(pipe, &port, sizeof(port)) != sizeof(port)) return 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    constexpr std::string_view kRequest = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t i = 0; i < count; ++i) {
      const int client = ::socket(AF_INET, SOCK_STREAM, 0);
      char answer[1000];
      if (client < 0 || ::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
          ::write(client, kRequest.data(), kRequest.size()) < 0 || ::read(client, answer, sizeof(answer)) <= 0)
        return 1;
    }
    char over = 0;
    return ::write(pipe, "", 1) == 1 && ::read(pipe, &over, 1) == 0 ? 0 : 1;
  }

  int pipe[2] = {-1, -1};
  pid_t child = -1;
  std::size_t resident_before = 0;
};

}  // namespace

TEST_CASE("a connection serves one request after another") {
  Served served;
  TcpClient client(served.port());
  for (const char* body : {"one", "two", ""}) {
    client.send(post("/echo", body, "X-Send: seen\r\n"));
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.body == body);
    CHECK(answer.header("X-Test") == "seen");
    CHECK(answer.header("Connection").empty());
    CHECK(answer.header("Date").ends_with(" GMT"));
  }
  CHECK(served.connections() == 1);
}

TEST_CASE("a header value cannot end its line") {
  Served served;
  TcpClient client(served.port());
  client.send(get("/echo", "X-Send: a\tb\r\n"));
  CHECK(client.read_answer().header("X-Test") == "a b");
}

TEST_CASE("requests sent ahead are answered in order") {
  Served served;
  TcpClient client(served.port());
  SECTION("at once") {
    std::string all;
    for (int i = 0; i < 3000; ++i) all += post("/echo", std::to_string(i));
    client.send(all);
    for (int i = 0; i < 3000; ++i) REQUIRE(client.read_answer().body == std::to_string(i));
  }
  SECTION("while an earlier one is pending") {
    client.send(post("/later", "") + post("/echo", "second") + post("/later", "") + post("/echo", "fourth"));
    served.handler.await_open(1);
    answer_later(served, 0, "first");
    CHECK(client.read_answer().body == "first");
    CHECK(client.read_answer().body == "second");
    served.handler.await_open(2);
    answer_later(served, 1, "third");
    CHECK(client.read_answer().body == "third");
    CHECK(client.read_answer().body == "fourth");
  }
}

TEST_CASE("more than is kept may be sent ahead of a pending answer") {
  Served served;
  TcpClient client(served.port());
  std::string ahead;
  SECTION("many requests") {
    while (ahead.size() < 4 * limits::kHttpPipelineBytesMax) ahead += post("/echo", std::string(1000, 'x'));
  }
  SECTION("a large one") { ahead = post("/echo", std::string(4 * limits::kHttpPipelineBytesMax, 'x')); }
  std::thread sender([&] { client.send(post("/later", "") + ahead + post("/echo", "last")); });
  served.handler.await_open(1);
  answer_later(served, 0, "");
  HttpAnswer answer = client.read_answer();
  while (answer.body != "last") answer = client.read_answer();
  sender.join();
  CHECK(answer.status == 200);
}

TEST_CASE("bodies arrive whole, by length and in chunks, in any pieces") {
  Served served;
  TcpClient client(served.port());
  const std::string large(1'000'000, 'y');
  client.send(post("/echo", large));
  CHECK(client.read_answer().body == large);
  client.send(get("/echo", "Transfer-Encoding: chunked\r\n"));
  for (int i = 0; i < 100; ++i) client.send("a\r\n0123456789\r\n");
  client.send("0\r\n\r\n");
  CHECK(client.read_answer().body.size() == 1000);
  for (const char byte : post("/echo", "slowly")) client.send({&byte, 1});
  CHECK(client.read_answer().body == "slowly");
}

TEST_CASE("an answer to HEAD and a 204 have no body") {
  Served served;
  TcpClient client(served.port());
  client.send("HEAD /large?5 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/nothing") + post("/echo", "next"));
  const HttpAnswer head = client.read_answer(true);
  CHECK(head.header("Content-Length") == "5");
  const HttpAnswer nothing = client.read_answer();
  CHECK(nothing.status == 204);
  CHECK(nothing.header("Content-Length").empty());
  CHECK(client.read_answer().body == "next");
}

TEST_CASE("who waits for 100 Continue gets it") {
  Served served;
  TcpClient client(served.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  CHECK(client.read_answer().body == "ok");
}

TEST_CASE("Connection: close and HTTP/1.0 end the connection after the answer") {
  Served served;
  const std::string request =
      GENERATE(get("/echo", "Connection: close\r\n"), std::string("GET /echo HTTP/1.0\r\n\r\n"));
  TcpClient client(served.port());
  client.send(request);
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.header("Connection") == "close");
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a malformed or oversized request is answered with its status, then the connection ends") {
  transport::HttpLimits limits;
  limits.body_bytes_max = 100;
  limits.header_bytes_max = 1000;
  limits.target_bytes_max = 200;
  Served served(limits);
  const auto [bytes, status] = GENERATE(table<std::string, int>({
      {"\x16\x03\x01\x02\x00\x01", 400},
      {"garbage\r\n\r\n", 400},
      {std::string(5000, 'A'), 414},
      {get("/" + std::string(200, 'x')), 414},
      {get("/echo", "A: " + std::string(1000, 'x') + "\r\n"), 431},
      {post("/echo", std::string(101, 'x')), 413},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
  }));
  TcpClient client(served.port());
  client.send(bytes);
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.status == status);
  CHECK(answer.header("Connection") == "close");
  CHECK(client.read_to_end().empty());
  TcpClient other(served.port());
  other.send(post("/echo", std::string(100, 'x')));
  CHECK(other.read_answer().status == 200);
}

TEST_CASE("a request that does not come in time is answered with 408; an idle connection is closed") {
  transport::HttpLimits limits;
  SECTION("header") {
    limits.header_timeout_ms = 40;
    Served here(limits);
    TcpClient client(here.port());
    client.send("GET / HT");
    CHECK(client.read_answer().status == 408);
    CHECK(client.read_to_end().empty());
  }
  SECTION("body") {
    limits.body_timeout_ms = 40;
    Served here(limits);
    TcpClient client(here.port());
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123");
    CHECK(client.read_answer().status == 408);
  }
  SECTION("idle") {
    limits.idle_timeout_ms = 40;
    Served here(limits);
    TcpClient client(here.port());
    client.send(post("/echo", "x"));
    CHECK(client.read_answer().body == "x");
    CHECK(client.read_to_end().empty());
  }
  SECTION("nothing at all") {
    limits.header_timeout_ms = 40;
    limits.idle_timeout_ms = 0;
    Served here(limits);
    TcpClient served(here.port());
    served.send(post("/echo", "x"));
    CHECK(served.read_answer().body == "x");
    TcpClient silent(here.port());
    CHECK(silent.read_to_end().empty());
    TcpClient blank(here.port());
    blank.send("\r\n");
    CHECK(blank.read_to_end().empty());
    served.send(post("/echo", "idle"));
    CHECK(served.read_answer().body == "idle");
  }
  SECTION("a pending answer has all the time") {
    limits.header_timeout_ms = limits.body_timeout_ms = limits.idle_timeout_ms = 20;
    Served here(limits);
    TcpClient pending(here.port());
    pending.send(post("/later", ""));
    here.handler.await_open(1);
    TcpClient idle(here.port());
    CHECK(idle.read_to_end().empty());
    answer_later(here, 0, "here");
    CHECK(pending.read_answer().body == "here");
  }
}

TEST_CASE("a request that cannot be read is refused with the headers that its sender needs") {
  transport::HttpLimits limits;
  limits.body_bytes_max = 100;
  limits.header_bytes_max = 1000;
  limits.header_count_max = 5;
  limits.body_timeout_ms = 40;
  Served served(limits);
  const auto [bytes, status] = GENERATE(table<std::string, int>({
      {get("/echo", "X-Send: seen\r\nA: " + std::string(1000, 'x') + "\r\n"), 431},
      {get("/echo", "A: " + std::string(1000, 'x') + "\r\nX-Send: seen\r\n"), 431},
      {get("/echo", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nX-Send: seen\r\n"), 431},
      {post("/echo", std::string(101, 'x'), "X-Send: seen\r\n"), 413},
      {get("/echo", "X-Send: seen\r\nHost: b\r\n"), 400},
      {post("/echo", "", "X-Send: seen\r\nContent-Length: 5\r\n"), 400},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nX-Send: seen\r\nContent-Length: 5\r\n\r\n123", 408},
  }));
  TcpClient client(served.port());
  client.send(bytes);
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.status == status);
  CHECK(answer.header("X-Test") == "seen");
}

TEST_CASE("events leave one by one in chunks, and the connection serves on") {
  Served served;
  TcpClient client(served.port());
  client.send(post("/events", ""));
  served.handler.await_open(1);
  const std::string head = client.read_until("\r\n\r\n");
  CHECK(head.find("Content-Type: text/event-stream\r\n") != head.npos);
  CHECK(head.find("Transfer-Encoding: chunked\r\n") != head.npos);
  send_event(served, 0, "{}");
  CHECK(client.read_until("\n\n\r\n") == "19\r\nevent: message\ndata: {}\n\n\r\n");
  send_event(served, 0, "a\nb\r\nc");
  CHECK(client.read_until("\n\n\r\n") == "28\r\nevent: message\ndata: a\ndata: b\ndata: c\n\n\r\n");
  const std::string large(100'000, 'x');
  send_event(served, 0, large);
  CHECK(client.read_until("\n\n\r\n") == "186b7\r\nevent: message\ndata: " + large + "\n\n\r\n");
  served.run([&] { served.handler.open(0).reply->end(); });
  CHECK(client.read_until("\r\n\r\n") == "0\r\n\r\n");
  client.send(post("/echo", "still here"));
  CHECK(client.read_answer().body == "still here");
}

TEST_CASE("an HTTP/1.0 client reads events to the end of the connection") {
  Served served;
  TcpClient client(served.port());
  client.send("GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  served.handler.await_open(1);
  send_event(served, 0, "x");
  served.run([&] { served.handler.open(0).reply->end(); });
  const std::string head = client.read_until("\r\n\r\n");
  CHECK(head.find("chunked") == head.npos);
  CHECK(head.find("Connection: close") != head.npos);
  CHECK(client.read_to_end() == "event: message\ndata: x\n\n");
}

TEST_CASE("every event has a type, but for one without data, which is no message") {
  Served served;
  TcpClient client(served.port());
  client.send("GET /events HTTP/1.0\r\n\r\n");
  served.handler.await_open(1);
  served.run([&] {
    transport::HttpReply& reply = *served.handler.open(0).reply;
    reply.event("", {.id = "1-1", .retry_ms = 20});
    reply.event("{}", {.id = "1-2"});
    reply.event("/where", {.type = "endpoint"});
    reply.end();
  });
  client.read_until("\r\n\r\n");
  CHECK(client.read_to_end() ==
        "id: 1-1\nretry: 20\ndata: \n\n"
        "event: message\nid: 1-2\ndata: {}\n\n"
        "event: endpoint\ndata: /where\n\n");
}

TEST_CASE("a client that breaks its connection as it is answered, with more requests behind, harms nobody") {
  Served served;
  for (std::size_t i = 0; i < 3; ++i) {
    TcpClient client(served.port());
    client.send(post("/later", "") + post("/echo", "x"));
    served.handler.await_open(i + 1);
    served.run([&] {
      client.reset();  // which is not read of before the answer is written
      served.handler.open(i).reply->respond(200, {}, {});
    });
  }
  TcpClient other(served.port());
  other.send(post("/echo", "y"));
  CHECK(other.read_answer().body == "y");
}

TEST_CASE("an answer in pieces comes as it is written, and the connection goes on behind it") {
  Served served;
  TcpClient client(served.port());
  client.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
  served.handler.await_open(1);
  const std::string head = client.read_until("\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.1 206 Partial Content\r\n"));
  CHECK(head.find("Transfer-Encoding: chunked") != head.npos);
  CHECK(head.find("text/event-stream") == head.npos);
  const auto write = [&](const std::string& bytes) {
    served.run([&] { served.handler.open(0).reply->write(bytes); });
  };
  write("one");
  CHECK(client.read_until("\r\none\r\n") == "3\r\none\r\n");
  write("");  // is no end
  const std::string large(100'000, 'x');
  write(large);
  CHECK(client.read_until(large + "\r\n") == "186a0\r\n" + large + "\r\n");
  served.run([&] { served.handler.open(0).reply->end(); });
  CHECK(client.read_until("0\r\n\r\n") == "0\r\n\r\n");
  client.send(post("/echo", "more"));
  CHECK(client.read_answer().body == "more");
}

TEST_CASE("an answer in pieces for HEAD has none, and for HTTP/1.0 ends with the connection") {
  Served served;
  TcpClient client(served.port());
  client.send("HEAD /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
  served.handler.await_open(1);
  served.run([&] {
    served.handler.open(0).reply->write("unseen");
    served.handler.open(0).reply->end();
  });
  client.send(post("/echo", "more"));
  client.read_until("\r\n\r\n");
  CHECK(client.read_answer().body == "more");

  TcpClient old(served.port());
  old.send("GET /pieces HTTP/1.0\r\n\r\n");
  served.handler.await_open(2);
  served.run([&] {
    served.handler.open(1).reply->write("to the end");
    served.handler.open(1).reply->end();
  });
  old.read_until("\r\n\r\n");
  CHECK(old.read_to_end() == "to the end");
}

TEST_CASE("an answer in pieces that is given up ends its connection without its last chunk") {
  Served served;
  TcpClient client(served.port());
  client.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
  served.handler.await_open(1);
  served.run([&] {
    served.handler.open(0).reply->write("half");
    served.handler.open(0).reply->abort();
  });
  client.read_until("\r\n\r\n");
  CHECK(client.read_to_end() == "4\r\nhalf\r\n");
}

TEST_CASE("who writes an answer in pieces hears when its client has taken them, and when it has gone") {
  Served served;
  TcpClient client(served.port());
  client.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
  served.handler.await_open(1);
  const std::string large(2u << 20, 'x');
  std::size_t written = 0;
  served.run([&] {
    transport::HttpReply& reply = *served.handler.open(0).reply;
    for (; written < 8 && reply.room() > 0; ++written) reply.write(large);
    CHECK(reply.room() == 0);
  });
  client.read_until("\r\n\r\n");
  client.read_exactly(written * (std::string("200000\r\n\r\n").size() + large.size()));
  served.handler.await_sent(1);
  served.run([&] { CHECK(served.handler.open(0).reply->room() > 0); });
  client.reset();
  served.handler.await_gone(1);
}

TEST_CASE("a quiet event stream gets comments") {
  transport::HttpLimits limits;
  limits.keep_alive_comment_ms = 20;
  Served served(limits);
  TcpClient client(served.port());
  client.send(post("/events", ""));
  client.read_until("\r\n\r\n");
  for (int i = 0; i < 2; ++i) CHECK(client.read_until("\n\n\r\n") == "e\r\n: keep-alive\n\n\r\n");
}

TEST_CASE("connections over the limit are closed, and accepted again when there is room") {
  transport::HttpLimits limits;
  limits.connections_max = 2;
  Served served(limits);
  auto first = std::make_optional<TcpClient>(served.port());
  TcpClient second(served.port());
  first->send(post("/echo", "1"));
  CHECK(first->read_answer().body == "1");
  second.send(post("/echo", "2"));
  CHECK(second.read_answer().body == "2");
  TcpClient third(served.port());
  CHECK(third.read_to_end().empty());
  CHECK(served.run([&] { return served.server().refused(); }) == 1);
  first.reset();
  while (served.connections() == 2) second.send(post("/echo", "2")), second.read_answer();
  TcpClient fourth(served.port());
  fourth.send(post("/echo", "4"));
  CHECK(fourth.read_answer().body == "4");
}

TEST_CASE("running out of descriptors turns clients away without harm to the others") {
  Served served;
  TcpClient client(served.port());
  client.send(post("/echo", "x"));
  REQUIRE(client.read_answer().body == "x");
  // The client's own descriptor is there first; then the process has none left for the server's end.
  const int waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int lowest_free = ::dup(0);
  ::close(lowest_free);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(served.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool connected = false;
  bool turned_away = false;
  std::string body;
  {
    // Checks come later: the undefined-behaviour sanitizer needs a descriptor for some of what they do.
    const DescriptorLimit limit(static_cast<std::size_t>(lowest_free));
    connected = ::connect(waiting, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    char byte;
    turned_away = ::recv(waiting, &byte, 1, 0) <= 0;
    client.send(post("/echo", "y"));
    body = client.read_answer().body;
  }
  CHECK(connected);
  CHECK(turned_away);
  CHECK(body == "y");
  ::close(waiting);
  CHECK(served.run([&] { return served.server().refused(); }) >= 1);
  TcpClient again(served.port());
  again.send(post("/echo", "z"));
  CHECK(again.read_answer().body == "z");
}

TEST_CASE("drain closes idle connections, lets the others answer, and says when it is done") {
  Served served;
  TcpClient idle(served.port());
  TcpClient pending(served.port());
  TcpClient streaming(served.port());
  idle.send(post("/echo", "x"));
  idle.read_answer();
  pending.send(post("/later", ""));
  served.handler.await_open(1);
  streaming.send(post("/events", ""));
  served.handler.await_open(2);
  std::promise<void> drained;
  served.run([&] { served.server().drain([&] { drained.set_value(); }); });
  CHECK(idle.read_to_end().empty());
  CHECK_THROWS(TcpClient(served.port()));
  answer_later(served, 0, "answered");
  const HttpAnswer answer = pending.read_answer();
  CHECK(answer.body == "answered");
  CHECK(answer.header("Connection") == "close");
  pending.close();
  send_event(served, 1, "last");
  served.run([&] { served.handler.open(1).reply->end(); });
  CHECK(streaming.read_to_end().ends_with("data: last\n\n\r\n0\r\n\r\n"));
  streaming.close();
  CHECK(drained.get_future().wait_for(std::chrono::seconds(120)) == std::future_status::ready);
}

TEST_CASE("a server may be destroyed when it says that it has drained") {
  const bool with_client = GENERATE(false, true);
  loop::Loop loop;
  test::ScriptedHandler handler;
  auto socket = transport::ListenSocket::bind(transport::Address::parse("http://127.0.0.1:0").value(), 1, nullptr);
  REQUIRE(socket);
  auto server = std::make_optional<transport::HttpServer>(loop, transport::HttpLimits{}, handler);
  server->listen(**socket, 0);
  std::optional<TcpClient> client;
  if (with_client) client.emplace(socket.value()->address().port);
  loop::Timer accepted(loop);
  accepted.repeat(1, [&] {
    if (server->connections() != (with_client ? 1 : 0)) return;
    accepted.stop();
    server->drain([&] {
      server.reset();
      loop.stop();
    });
  });
  loop.run();
  CHECK_FALSE(server);
}

TEST_CASE("a time limit of 0 is none") {
  transport::HttpLimits limits;
  limits.header_timeout_ms = limits.idle_timeout_ms = limits.keep_alive_comment_ms = 0;
  limits.body_timeout_ms = 40;
  Served served(limits);
  TcpClient streaming(served.port());
  streaming.send(post("/events", ""));
  served.handler.await_open(1);
  TcpClient slow(served.port());
  slow.send("GET /echo HT");
  TcpClient timed(served.port());
  timed.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  CHECK(timed.read_answer().status == 408);
  slow.send("TP/1.1\r\nHost: a\r\n\r\n");
  CHECK(slow.read_answer().status == 200);
  served.run([&] { served.handler.open(0).reply->end(); });
  CHECK(streaming.read_until("0\r\n\r\n").find("keep-alive\n") == std::string::npos);
}

TEST_CASE("destroying a server closes all and tells those who owe an answer") {
  Served served;
  TcpClient pending(served.port());
  pending.send(post("/later", ""));
  served.handler.await_open(1);
  served.destroy_server();
  served.handler.await_gone(1);
  CHECK(pending.read_to_end().empty());
}

TEST_CASE("a thousand clients at random points of their requests leave nothing behind") {
  Served served;
  const std::string whole = post("/echo", "0123456789") + post("/later", "") + get("/echo");
  for (std::size_t i = 0; i < 1000; ++i) {
    TcpClient client(served.port());
    client.send(whole.substr(0, i % (whole.size() + 1)));
    if (i % 3 == 0) client.reset();
  }
  TcpClient last(served.port());
  for (std::size_t open = 0; open != 1; open = served.connections()) {
    last.send(post("/echo", "x"));
    REQUIRE(last.read_answer().body == "x");
  }
}

// Run by itself: memory that other tests have given back would hide what this one takes.
TEST_CASE("ten thousand idle connections hold little memory", "[.idle-memory]") {
  constexpr std::size_t kClients = 10'000;
  constexpr std::size_t kBytesEach = 8 << 10;
  const DescriptorLimit limit(kClients + 200);
  if (open_descriptors_max() < kClients + 200) {
    WARN("no more than " << open_descriptors_max() << " files may be open: skipped");
    return;
  }
  Crowd crowd(kClients);  // before the server's thread starts
  Served served;
  crowd.connect(served.port());
  CHECK(served.connections() == kClients);
  const std::size_t each = (resident_bytes() - crowd.resident_before) / kClients;
  WARN("an idle connection holds " << each << " bytes");
  CHECK(each <= kBytesEach);
}
