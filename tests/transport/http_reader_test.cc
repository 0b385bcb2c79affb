// What becomes of an answer whose client leaves, sends no more, or reads slowly.
#include <malloc.h>

#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/http.h"
#include "transport/served.h"

using namespace collet;
using test::answer_later;
using test::get;
using test::HttpAnswer;
using test::post;
using test::send_event;
using test::Served;
using test::TcpClient;

TEST_CASE("a client that leaves before its answer or in the middle of a stream is noticed") {
  const std::string path = GENERATE("/events", "/later");
  const auto leave = GENERATE(&TcpClient::close, &TcpClient::reset);
  Served served;
  TcpClient client(served.port());
  client.send(post(path, ""));
  served.handler.await_open(1);
  (client.*leave)();
  served.handler.await_gone(1);
  CHECK(served.handler.open(0).reply == nullptr);
  TcpClient other(served.port());
  other.send(post("/echo", "x"));
  CHECK(other.read_answer().body == "x");
}

TEST_CASE("a client that has shut down its writing side gets its answer when there is one") {
  const std::string protocol = GENERATE("HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.0\r\n\r\n");
  Served served;
  TcpClient client(served.port());
  client.send("GET /later " + protocol);
  client.shut_down_writing();
  served.handler.await_open(1);
  CHECK(client.read_exactly(9) == "HTTP/1.1 ");  // it has been noticed, and looked for
  answer_later(served, 0, "here");
  const std::string rest = client.read_to_end();
  CHECK(rest.starts_with("200 OK\r\n"));
  CHECK(rest.find("\r\nConnection: close\r\n") != rest.npos);
  CHECK(rest.ends_with("\r\n\r\nhere"));
  while (served.connections() != 0) {
  }
}

TEST_CASE("a client that has shut down its writing side gets all answers that it is owed, in order") {
  Served served;
  TcpClient client(served.port());
  client.send(post("/later", "1") + post("/large?3000000", "") + post("/events", "") + post("/later", "2"));
  client.shut_down_writing();
  served.handler.await_open(1);
  answer_later(served, 0, "first");
  CHECK(client.read_answer().body == "first");
  CHECK(client.read_answer().body.size() == 3'000'000);
  served.handler.await_open(2);
  client.read_until("\r\n\r\n");
  send_event(served, 1, "{}");
  CHECK(client.read_until("data: {}\n\n\r\n").starts_with("e\r\n: keep-alive\n\n\r\n"));
  served.run([&] { served.handler.open(1).reply->end(); });
  served.handler.await_open(3);
  answer_later(served, 2, "last");
  client.read_until("0\r\n\r\n");
  CHECK(client.read_answer().body == "last");
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a client that shuts down its writing side and then leaves is noticed") {
  Served served;
  TcpClient client(served.port());
  client.send(post("/later", "") + post("/echo", "x"));
  served.handler.await_open(1);
  client.shut_down_writing();
  client.reset();
  served.handler.await_gone(1);
}

TEST_CASE("a client that has shut down its writing side still gets an answer that was ready") {
  Served served;
  TcpClient client(served.port());
  client.send(get("/large?8000000"));
  client.shut_down_writing();
  CHECK(client.read_answer().body.size() == 8'000'000);
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a large last answer is not cut short by what the client still sends") {
  Served served;
  TcpClient client(served.port());
  client.send(get("/large?3000000", "Connection: close\r\n") + std::string(100'000, 'x'));
  CHECK(client.read_answer().body.size() == 3'000'000);
}

TEST_CASE("a stream whose client does not read is cut; another client is unharmed") {
  transport::HttpLimits limits;
  limits.write_buffer_bytes_max = 1 << 20;
  Served served(limits);
  TcpClient slow(served.port(), "127.0.0.1", 4096);
  slow.send(post("/events", ""));
  served.handler.await_open(1);
  TcpClient other(served.port());
  const std::string data(64 << 10, 'x');
  bool cut = false;
  for (int i = 0; i < 1000 && !cut; ++i) {
    send_event(served, 0, data);
    cut = served.run([&] { return served.handler.open(0).reply == nullptr; });
    other.send(post("/echo", "served"));
    REQUIRE(other.read_answer().body == "served");
  }
  served.handler.await_gone(1);
  CHECK(cut);
}

TEST_CASE("an event that is larger than what may wait reaches a client that reads") {
  transport::HttpLimits limits;
  limits.write_buffer_bytes_max = 1 << 20;
  Served served(limits);
  TcpClient client(served.port(), "127.0.0.1", 4096);
  client.send(post("/events", ""));
  served.handler.await_open(1);
  const std::string large(20 << 20, 'x');
  served.run([&] {
    served.handler.open(0).reply->event(large);
    served.handler.open(0).reply->end();
  });
  client.read_until("data: ");
  CHECK(client.read_exactly(large.size()) == large);
  CHECK(client.read_until("0\r\n\r\n") == "\n\n\r\n0\r\n\r\n");
  client.send(post("/echo", "next"));
  CHECK(client.read_answer().body == "next");
}

TEST_CASE("who writes a stream is told how much waits, and when all of it has left") {
  struct Writer final : transport::HttpReplyObserver {
    void on_gone() override {}
    void on_sent() override { sent.set_value(); }
    std::promise<void> sent;
  } writer;
  Served served;
  TcpClient client(served.port(), "127.0.0.1", 4096);
  client.send(post("/events", ""));
  served.handler.await_open(1);
  const std::string large(20 << 20, 'x');
  const std::size_t room = served.run([&] {
    transport::HttpReply& reply = *served.handler.open(0).reply;
    reply.observe(&writer);
    reply.event("small");
    CHECK(reply.room() == limits::kStreamAheadBytes);
    reply.event(large);
    return reply.room();
  });
  CHECK(room == 0);
  auto sent = writer.sent.get_future();
  client.read_until("data: small");
  client.read_exactly(large.size());
  CHECK(sent.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
  served.run([&] {
    CHECK(served.handler.open(0).reply->room() == limits::kStreamAheadBytes);
    served.handler.open(0).reply->end();
  });
}

TEST_CASE("a stream that nobody reads is given up when nothing has moved for the body's time limit") {
  transport::HttpLimits limits;
  limits.body_timeout_ms = 40;
  limits.keep_alive_comment_ms = 10;
  limits.write_buffer_bytes_max = 64 << 20;
  Served served(limits);
  TcpClient stuck(served.port(), "127.0.0.1", 4096);
  TcpClient quiet(served.port());
  stuck.send(post("/events", ""));
  served.handler.await_open(1);
  quiet.send(post("/events", ""));
  served.handler.await_open(2);
  send_event(served, 0, std::string(20 << 20, 'x'));
  served.handler.await_gone(1);
  CHECK(served.handler.open(0).reply == nullptr);
  send_event(served, 1, "still here");
  CHECK(quiet.read_until("still here").ends_with("data: still here"));
  served.run([&] { served.handler.open(1).reply->end(); });
}

TEST_CASE("an answer that nobody reads is given up when nothing has moved for the body's time limit") {
  transport::HttpLimits limits;
  limits.body_timeout_ms = 40;
  Served served(limits);
  TcpClient stuck(served.port(), "127.0.0.1", 4096);
  stuck.send(get("/large?50000000"));
  CHECK(stuck.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  TcpClient other(served.port());
  for (bool gone = false; !gone;) {
    other.send(post("/echo", "x"));
    REQUIRE(other.read_answer().body == "x");
    gone = served.connections() == 1;
  }
  CHECK(stuck.read_to_end().size() < 50'000'000);
}

TEST_CASE("what a slow client has read of an answer costs no memory any more") {
  Served served;
  TcpClient slow(served.port(), "127.0.0.1", 4096);
  const auto heap_bytes = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr std::size_t kAnswer = 40'000'000;
  const std::size_t before = heap_bytes();
  slow.send(get("/large?" + std::to_string(kAnswer)));
  std::size_t unread = kAnswer;
  slow.read_until("\r\n\r\n");
  for (constexpr std::size_t kStep = 4'000'000; unread > kStep; unread -= kStep) {
    slow.read_exactly(kStep);
    served.connections();  // the loop has had a turn
    CHECK(heap_bytes() < before + 2 * unread);
  }
  slow.read_exactly(unread);
}
