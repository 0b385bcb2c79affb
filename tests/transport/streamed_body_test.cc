// Requests whose bodies follow as they come.
#include <fmt/core.h>

#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using namespace collet::test;

namespace {

constexpr std::size_t kAheadMax = limits::kHttpBodyAheadBytesMax;

std::string streamed(const std::string& fields, const std::string& target = "/streamed?100000000") {
  return "POST " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

std::string stated(std::size_t bytes, const std::string& target = "/streamed?100000000") {
  return streamed("Content-Length: " + std::to_string(bytes) + "\r\n", target);
}

std::string in_chunks(const std::string& target = "/streamed?100000000") {
  return streamed("Transfer-Encoding: chunked\r\n", target);
}

std::string chunk(const std::string& bytes) { return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes); }

transport::HttpLimits with_streams() {
  transport::HttpLimits limits;
  limits.body_bytes_max = 1000;
  limits.streamed_bytes_max = 100'000'000;
  return limits;
}

bool is_whole(Served& served, std::size_t index) {
  return served.run([&] { return served.handler.open(index).whole; });
}

// Takes what comes of a body until it is whole.
std::string take_all(Served& served, std::size_t index) {
  for (std::size_t taken = 0;;) {
    const std::size_t come = served.handler.await_body(index, taken + 1).size();
    CHECK(come - taken <= kAheadMax);
    take_body(served, index, come - taken);
    taken = come;
    if (is_whole(served, index)) return served.handler.await_whole(index);
  }
}

// Begins an answer in pieces to a request whose body is still to come.
void begin_answer(Served& served, std::size_t index) {
  served.run([&] {
    auto& open = served.handler.open(index);
    if (!open.reply) return;
    open.begun = true;
    open.reply->begin(200, {});
    open.reply->write("piece");
  });
}

}  // namespace

TEST_CASE("a body follows its request, in whatever pieces it is sent, and its connection serves on") {
  const std::string request = GENERATE(stated(5) + "body!", in_chunks() + "4;a=b\r\nbody\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  Served served(with_streams());
  TcpClient client(served.port());
  for (std::size_t at = head; at < request.size(); ++at) {
    const std::size_t index = at - head;
    client.send(request.substr(0, at));
    served.handler.await_open(index + 1);
    CHECK_FALSE(is_whole(served, index));
    client.send(request.substr(at) + post("/echo", "next"));
    CHECK(served.handler.await_whole(index) == "body!");
    answer_later(served, index, "thanks");
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.body == "thanks");
    CHECK(answer.header("Connection").empty());
    CHECK(client.read_answer().body == "next");
  }
  while (served.memory->held() > 0) std::this_thread::yield();
}

TEST_CASE("a body that comes with its head comes with its request, also to where it would follow") {
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(post("/streamed?100", "whole") + stated(0, "/streamed?100"));
  CHECK(served.handler.await_whole(0) == "whole");
  answer_later(served, 0, "1");
  CHECK(client.read_answer().body == "1");
  CHECK(served.handler.await_whole(1).empty());
}

TEST_CASE("a body that follows may be as large as its handler says, and no byte larger") {
  Served served(with_streams());
  const std::string most(20'000, 'x');
  TcpClient at_limit(served.port()), chunks(served.port());
  at_limit.send(stated(20'000, "/streamed?20000"));
  served.handler.await_open(1);
  at_limit.send(most);
  CHECK(take_all(served, 0) == most);
  chunks.send(in_chunks("/streamed?20000") + chunk(most));
  CHECK(served.handler.await_body(1, 20'000) == most);
  chunks.send("0\r\n\r\n");
  CHECK(served.handler.await_whole(1) == most);

  TcpClient too_large(served.port()), one_chunk(served.port()), next_chunk(served.port());
  too_large.send(stated(20'001, "/streamed?20000"));
  CHECK(too_large.read_answer().status == 413);
  CHECK(too_large.read_to_end().empty());
  one_chunk.send(in_chunks("/streamed?20000") + "4e21\r\nx");
  CHECK(one_chunk.read_answer().status == 413);
  next_chunk.send(in_chunks("/streamed?20000") + chunk(most));
  served.handler.await_open(3);
  next_chunk.send("1\r\n");
  CHECK(next_chunk.read_answer().status == 413);
  CHECK(next_chunk.read_to_end().empty());
}

TEST_CASE("a body larger than what comes whole may follow; elsewhere it is too large as ever") {
  Served served(with_streams());
  const bool in_one = GENERATE(true, false);
  const std::string body(1'001, 'x');
  const auto send = [&](TcpClient& client, const std::string& head, const std::string& rest) {
    if (in_one) return client.send(head + rest);
    client.send(head);
    client.send(rest);
  };
  std::size_t streams = 0;
  for (const auto& [head, rest] : {std::pair(stated(1'001), body), std::pair(in_chunks(), chunk(body) + "0\r\n\r\n")}) {
    TcpClient client(served.port());
    send(client, head, rest);
    CHECK(served.handler.await_whole(streams) == body);
    answer_later(served, streams++, "ok");
    CHECK(client.read_answer().body == "ok");
  }
  for (const auto& [head, rest] : {std::pair(stated(1'001, "/echo"), body), std::pair(in_chunks("/echo"), chunk(body) + "0\r\n\r\n")}) {
    TcpClient client(served.port());
    send(client, head, rest);
    CHECK(client.read_answer().status == 413);
  }
  TcpClient beyond(served.port()), digits(served.port());
  beyond.send(stated(100'000'001, "/streamed?200000000"));
  CHECK(beyond.read_answer().status == 413);
  digits.send(in_chunks("/echo") + "3e");
  digits.send("9");
  CHECK(digits.read_answer().status == 413);
}

TEST_CASE("of a large chunk that follows, what came with its head and what comes later is all there") {
  Served served(with_streams());
  TcpClient client(served.port());
  const std::string body(1'000'000, 'y');
  const std::string request = in_chunks() + chunk(body) + "0\r\n\r\n";
  const std::size_t first = in_chunks().size() + GENERATE(0u, 1u, 3u, 4u, 5u, 6u, 7u, 8u, 9'000u);
  client.send(request.substr(0, first));
  served.handler.await_open(1);
  std::thread sender([&] { client.send(request.substr(first)); });
  CHECK(take_all(served, 0) == body);
  sender.join();
  answer_later(served, 0, "ok");
  CHECK(client.read_answer().body == "ok");
}

TEST_CASE("so much of a body may be ahead, and no more is read until half of that is taken") {
  Served served(with_streams());
  TcpClient client(served.port());
  const std::string body(40 * kAheadMax, 'x');
  std::thread sender([&] { client.send(stated(body.size()) + body); });
  for (std::size_t taken = 0; taken < 4 * kAheadMax; taken += kAheadMax) {
    CHECK(served.handler.await_body(0, taken + kAheadMax).size() == taken + kAheadMax);
    take_body(served, 0, kAheadMax / 2 - 1);
    for (int turns = 0; turns < 3; ++turns) CHECK(served.connections() == 1);
    CHECK(served.handler.await_body(0, 0).size() == taken + kAheadMax);
    CHECK(served.memory->held() == kAheadMax);
    take_body(served, 0, kAheadMax / 2 + 1);
  }
  while (!is_whole(served, 0)) take_body(served, 0, kAheadMax);
  sender.join();
  CHECK(served.handler.await_whole(0).size() == body.size());
  answer_later(served, 0, "ok");
  CHECK(client.read_answer().status == 200);
  while (served.memory->held() > 0) std::this_thread::yield();
}

TEST_CASE("a client that leaves in the middle of its body is told of") {
  const bool resets = GENERATE(true, false);
  const std::string begun = GENERATE(stated(9) + "half", in_chunks() + "4\r\nhalf\r\n", in_chunks() + "4\r\nha");
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(begun);
  served.handler.await_body(0, 2);
  if (resets) client.reset();
  client.close();
  served.handler.await_gone(1);
  CHECK_FALSE(is_whole(served, 0));
  while (served.connections() > 0) std::this_thread::yield();
  CHECK(served.memory->held() == 0);
}

TEST_CASE("a body may follow a request that was held, whether or not some of it came meanwhile") {
  const auto [head, body] = GENERATE(table<std::string, std::string>(
      {{stated(5, "/hold?100"), "body!"}, {in_chunks("/hold?100"), "5\r\nbody!\r\n0\r\n\r\n"}}));
  const std::size_t meanwhile = GENERATE(0u, 3u);
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(head + body.substr(0, meanwhile));
  served.handler.await_open(1);
  release(served, 0, "yes");
  served.handler.await_open(2);
  client.send(body.substr(meanwhile));
  CHECK(served.handler.await_whole(1) == "body!");
  answer_later(served, 1, "ok");
  CHECK(client.read_answer().body == "ok");
}

TEST_CASE("a client that has said half of a body and no more, while its request was held, gets no answer") {
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(stated(9, "/hold?100") + "half");
  served.handler.await_open(1);
  client.shut_down_writing();
  CHECK(client.read_exactly(9) == "HTTP/1.1 ");  // by which is found out whether it is there
  release(served, 0, "yes");
  served.handler.await_gone(1);
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a client that says in the middle of its body that it sends no more has made no request") {
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(stated(9) + "half");
  served.handler.await_open(1);
  client.shut_down_writing();
  served.handler.await_gone(1);
  CHECK(client.read_to_end().empty());
}

TEST_CASE("an answer that is given before its body has come ends the connection, and reaches a client that sends on") {
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(stated(50'000'000) + "begun");
  served.handler.await_open(1);
  answer_later(served, 0, "no thanks");
  client.send(std::string(300'000, 'x'));
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.body == "no thanks");
  CHECK(answer.header("Connection") == "close");
  CHECK(client.read_to_end().empty());
  CHECK(served.handler.await_body(0, 0) == "begun");
}

TEST_CASE("an answer in pieces may begin before its body has come; if it ends before, so does the connection") {
  const bool ends_early = GENERATE(true, false);
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(stated(10) + "first");
  served.handler.await_open(1);
  begin_answer(served, 0);
  CHECK(client.read_until("5\r\npiece\r\n").find("Connection: close") == std::string::npos);
  if (!ends_early) {
    client.send("other");
    CHECK(served.handler.await_whole(0) == "firstother");
  }
  served.run([&] { served.handler.open(0).reply->end(); });
  CHECK(client.read_until("0\r\n\r\n") == "0\r\n\r\n");
  if (ends_early) {
    CHECK(client.read_to_end().empty());
    return;
  }
  client.send(post("/echo", "next"));
  CHECK(client.read_answer().body == "next");
}

TEST_CASE("who waits before the body that follows is told to go on when somebody wants it, once, and not before") {
  Served served(with_streams());
  const std::string head = streamed("Expect: 100-continue\r\nContent-Length: 2\r\n");
  TcpClient client(served.port()), refused(served.port()), eager(served.port());
  client.send(head);
  served.handler.await_open(1);
  take_body(served, 0, 0);
  take_body(served, 0, 0);
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  CHECK(served.handler.await_whole(0) == "ok");
  answer_later(served, 0, "yes");
  CHECK(client.read_answer().body == "yes");

  refused.send(head);
  served.handler.await_open(2);
  answer_later(served, 1, "no");
  const HttpAnswer answer = refused.read_answer();
  CHECK(answer.head.starts_with("HTTP/1.1 200 "));
  CHECK(answer.header("Connection") == "close");

  eager.send(head);
  served.handler.await_open(3);
  eager.send("o");
  served.handler.await_body(2, 1);
  take_body(served, 2, 1);
  eager.send("k");
  CHECK(served.handler.await_whole(2) == "ok");
  answer_later(served, 2, "yes");
  CHECK(eager.read_answer().body == "yes");  // and nothing before it
}

TEST_CASE("a client whose body is waited for and that does not send on has its time") {
  transport::HttpLimits limits = with_streams();
  limits.body_timeout_ms = 40;
  Served served(limits);
  TcpClient slow(served.port()), begun(served.port());
  slow.send(stated(9) + "half");
  CHECK(slow.read_answer().status == 408);
  CHECK(slow.read_to_end().empty());
  begun.send(stated(9) + "half");
  served.handler.await_open(2);
  begin_answer(served, 1);
  served.handler.await_gone(2);
  CHECK_FALSE(begun.read_to_end().ends_with("0\r\n\r\n"));
}

TEST_CASE("no time runs for a client that nobody has asked for its body, or whose body is not taken") {
  transport::HttpLimits limits = with_streams();
  limits.body_timeout_ms = limits.idle_timeout_ms = 20;
  Served served(limits);
  TcpClient waits(served.port()), ahead(served.port());
  waits.send(streamed("Expect: 100-continue\r\nContent-Length: 2\r\n"));
  served.handler.await_open(1);
  const std::string body(2 * kAheadMax, 'x');
  std::thread sender([&] { ahead.send(stated(body.size()) + body); });
  served.handler.await_body(1, kAheadMax);
  for (int i = 0; i < 2; ++i) {
    TcpClient idle(served.port());
    idle.send(post("/echo", "x"));
    CHECK(idle.read_answer().body == "x");
    CHECK(idle.read_to_end().empty());
  }
  take_body(served, 1, kAheadMax);
  CHECK(served.handler.await_whole(1) == body);
  sender.join();
  take_body(served, 0, 0);
  CHECK(waits.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(waits.read_answer().status == 408);
}

TEST_CASE("no time runs for the body of a client that is answered instead of being told to go on") {
  transport::HttpLimits limits = with_streams();
  limits.body_timeout_ms = limits.idle_timeout_ms = 20;
  Served served(limits);
  TcpClient client(served.port());
  client.send(streamed("Expect: 100-continue\r\nContent-Length: 2\r\n"));
  served.handler.await_open(1);
  begin_answer(served, 0);
  CHECK(client.read_until("5\r\npiece\r\n").find("Connection: close") != std::string::npos);
  take_body(served, 0, 0);
  for (int i = 0; i < 2; ++i) {  // as long as another one has had its time
    TcpClient idle(served.port());
    idle.send(post("/echo", "x"));
    CHECK(idle.read_answer().body == "x");
    CHECK(idle.read_to_end().empty());
  }
  served.run([&] { served.handler.open(0).reply->end(); });
  CHECK(client.read_until("0\r\n\r\n") == "0\r\n\r\n");
}

TEST_CASE("a chunk that is none ends the request, whose answer says so or is cut") {
  const bool has_begun = GENERATE(true, false);
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(in_chunks() + "4\r\nhalf\r\n");
  served.handler.await_body(0, 4);
  if (has_begun) {
    begin_answer(served, 0);
    client.read_until("5\r\npiece\r\n");
  }
  client.send("zz\r\n");
  served.handler.await_gone(1);
  if (!has_begun) CHECK(client.read_answer().status == 400);
  CHECK(client.read_to_end().empty());
}

TEST_CASE("what may be ahead of bodies is counted to whoever sends them, before their requests begin") {
  transport::HttpLimits limits = with_streams();
  limits.memory_bytes_max = 4 * kAheadMax;  // of which one client has half
  Served served(limits);
  TcpClient first(served.port()), second(served.port()), third(served.port()), fourth(served.port());
  first.send(stated(9) + "half");
  served.handler.await_open(1);
  second.send(stated(9) + "half");
  served.handler.await_open(2);
  CHECK(served.memory->held() == 2 * kAheadMax);
  third.send(stated(9) + "half");
  CHECK(third.read_answer().status == 503);
  first.send("other");
  served.handler.await_whole(0);
  answer_later(served, 0, "ok");
  CHECK(first.read_answer().status == 200);
  fourth.send(stated(9) + "half");
  served.handler.await_open(3);
}

TEST_CASE("a server that drains waits for bodies that follow, and one that is destroyed lets go of them") {
  const bool drains = GENERATE(true, false);
  Served served(with_streams());
  TcpClient client(served.port());
  client.send(stated(9) + "half");
  served.handler.await_open(1);
  if (!drains) {
    served.destroy_server();
    served.handler.await_gone(1);
    CHECK(client.read_to_end().empty());
    return;
  }
  std::promise<void> drained;
  served.run([&] { served.server().drain([&] { drained.set_value(); }); });
  client.send("other");
  CHECK(served.handler.await_whole(0) == "halfother");
  answer_later(served, 0, "ok");
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.body == "ok");
  CHECK(answer.header("Connection") == "close");
  client.close();
  CHECK(drained.get_future().wait_for(std::chrono::seconds(120)) == std::future_status::ready);
}

TEST_CASE("clients at random points of requests whose bodies follow leave nothing behind") {
  Served served(with_streams());
  const std::string whole =
      stated(10) + "0123456789" + in_chunks() + "4\r\nbody\r\n0\r\n\r\n" + get("/echo") + in_chunks() + "zz";
  std::size_t seen = 0;
  const auto answer = [&] {
    served.run([&] {
      for (; seen < served.handler.opened(); ++seen) {
        if (auto* reply = std::exchange(served.handler.open(seen).reply, nullptr)) reply->respond(200, {}, {});
      }
    });
  };
  for (std::size_t i = 0; i < 800; ++i) {
    TcpClient client(served.port());
    client.send(whole.substr(0, i % (whole.size() + 1)));
    if (i % 5 == 0) client.reset();
    if (i % 2 == 0) client.close();
    if (i % 3 == 0) answer();
  }
  while (served.connections() > 0) {
    answer();
    std::this_thread::yield();
  }
  CHECK(served.memory->held() == 0);
}
