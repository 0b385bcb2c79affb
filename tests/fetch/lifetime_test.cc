// Cancelling, ending and beginning, at every moment.
#include "base/limits.h"
#include "fetching.h"
#include "support/held_lookups.h"

using namespace collet;
using namespace collet::fetch;
using Peer = ScriptedServer::Peer;

namespace {

// Says a little more whenever the test lets it, and never ends.
struct Slow {
  std::atomic<int> step{0};
  std::atomic<int> closed{0};
  ScriptedServer server{[this](Peer& peer) {
    peer.read_request();
    const auto until = [&](int wanted) {
      while (step < wanted) std::this_thread::yield();
    };
    until(1);
    peer.send("HTTP/1.1 200 OK\r\n");
    until(2);
    peer.send("Content-Length: 100000000\r\n\r\n");
    until(3);
    peer.send(std::string(4u << 20, 'x'));
    peer.wait_closed();
    ++closed;
  }};
  ~Slow() { step = 3; }
};

}  // namespace

TEST_CASE("what is cancelled is told nothing any more, whenever that is") {
  Slow slow;
  Fetching fetching;
  Heard heard;
  const int when = GENERATE(0, 1, 2, 3, 4);
  const Engine::Id id = fetching.engine->start({.url = slow.server.url()}, heard);
  if (when > 0) REQUIRE(fetching.run_until([&] { return slow.server.accepted() > 0; }));
  if (when > 1) slow.step = 1;
  if (when > 2) {
    slow.step = 2;
    REQUIRE(fetching.run_until([&] { return heard.heads > 0; }));
  }
  if (when > 3) {
    slow.step = 3;
    REQUIRE(fetching.run_until([&] { return heard.unread >= limits::kFetchAheadBytesMax; }));  // it is paused
  }
  const int heads = heard.heads;
  const std::size_t unread = heard.unread;
  fetching.engine->cancel(id);
  fetching.engine->cancel(id);
  fetching.engine->taken(id, 5);
  CHECK(fetching.engine->running() == 0);
  slow.step = 3;
  if (when > 0) REQUIRE(fetching.run_until([&] { return slow.closed > 0; }));
  CHECK(heard.heads == heads);
  CHECK(heard.unread == unread);
  CHECK(heard.ends == 0);
}

TEST_CASE("what is cancelled from inside of what it is told ends there") {
  ScriptedServer server([](Peer& peer) {
    while (!peer.read_request().empty()) peer.answer("some bytes");
  });
  Fetching fetching;
  const int where = GENERATE(0, 1, 2);
  Heard heard, other;
  Engine::Id id = 0, next = 0;
  const auto cancel = [&] {
    fetching.engine->cancel(id);
    next = fetching.engine->start({.url = server.url()}, other);
    other.at_body = [&](std::size_t size) { fetching.engine->taken(next, size); };
  };
  if (where == 0) heard.at_head = cancel;
  if (where == 1) heard.at_body = [&](std::size_t) { cancel(); };
  if (where == 2) heard.at_end = cancel;
  id = fetching.engine->start({.url = server.url()}, heard);
  REQUIRE(fetching.run_until([&] { return other.ends > 0; }));
  CHECK(other.body == "some bytes");
  CHECK(heard.heads == 1);
  CHECK(heard.pieces == (where > 0 ? 1 : 0));
  CHECK(heard.ends == (where > 1 ? 1 : 0));
  CHECK(fetching.engine->running() == 0);
}

TEST_CASE("an engine that ends tells each that waits, once") {
  Slow slow;
  Heard heard[5];
  {
    Fetching fetching;
    fetching.engine->start({.url = slow.server.url()}, heard[0]);
    REQUIRE(fetching.run_until([&] { return slow.server.accepted() > 0; }));
    slow.step = 2;
    REQUIRE(fetching.run_until([&] { return heard[0].heads > 0; }));
    fetching.engine->start({.url = slow.server.url()}, heard[1]);
    fetching.engine->start({.url = "http://nothing.invalid/"}, heard[2]);
    REQUIRE(fetching.run_until([&] { return slow.server.accepted() > 1; }));
    fetching.engine->start({.url = slow.server.url()}, heard[3]);  // not begun
    fetching.engine->start({.url = "no url"}, heard[4]);
    fetching.engine.reset();
  }
  for (const Heard& each : heard) {
    CHECK(each.ends == 1);
    CHECK_FALSE(each.end.whole);
  }
}

TEST_CASE("a lookup that does not return holds nobody up") {
  const HeldLookups lookups;
  {
    Fetching fetching;
    Heard cancelled, left;
    const Engine::Id id = fetching.engine->start({.url = "http://held.test/"}, cancelled);
    fetching.engine->start({.url = "http://held.test/"}, left);
    REQUIRE(fetching.run_until([&] { return lookups.count == 2; }));
    CHECK(fetching.engine->cancel(id));
    CHECK_FALSE(fetching.engine->cancel(id));
    CHECK(cancelled.ends == 0);
    ScriptedServer server([](Peer& peer) {
      peer.read_request();
      peer.answer("meanwhile");
    });
    CHECK(fetching.get(server.url()).body == "meanwhile");
    fetching.engine.reset();
    CHECK(left.ends == 1);
  }
}

TEST_CASE("an exchange that has no time for a lookup says that it goes on") {
  const HeldLookups lookups;
  Fetching fetching;
  Heard late, refused;
  for (std::uint64_t ms = 20; ms < 60'000 && !late.end.looking_up; ms *= 2) {  // until there is time to begin one
    late = {};
    fetching.run({.url = "http://held.test/", .timeout_ms = ms}, late);
  }
  CHECK(late.end.looking_up);
  fetching.run({.url = "http://127.0.0.1:1/", .timeout_ms = 20'000}, refused);
  CHECK_FALSE(refused.end.looking_up);
}

TEST_CASE("many at once, each its own") {
  ScriptedServer server([](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) peer.answer(request.substr(0, request.find(" HTTP")));
  });
  Fetching fetching;
  constexpr int kCount = 200;
  std::vector<Heard> heard(kCount);
  for (int i = 0; i < kCount; ++i) fetching.engine->start({.url = server.url("/" + std::to_string(i))}, heard[static_cast<std::size_t>(i)]);
  REQUIRE(fetching.run_until([&] { return fetching.engine->running() == 0; }));
  for (int i = 0; i < kCount; ++i) {
    const Heard& each = heard[static_cast<std::size_t>(i)];
    CHECK(each.end.message == "");
    CHECK(each.body == "GET /" + std::to_string(i));
  }
}
