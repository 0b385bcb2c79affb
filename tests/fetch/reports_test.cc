// What others have had trouble with: libcurl's multi interface behind an event loop, and answers that are streamed.
#include "base/limits.h"
#include "fetching.h"
#include "loop/read_watch.h"

using namespace collet;
using namespace collet::fetch;
using Peer = ScriptedServer::Peer;

namespace {

// Takes all that is ahead, again and again, but only when there is nothing else to come.
void take_late(Fetching& fetching, Engine::Id id, Heard& heard) {
  while (heard.ends == 0) {
    const std::size_t before = heard.unread;
    loop::Timer quiet(fetching.loop);
    bool over = false;
    quiet.start(20, [&] { over = true; });
    REQUIRE(fetching.run_until([&] { return over || heard.ends > 0; }));
    if (heard.unread != before || heard.ends > 0) continue;
    fetching.engine->taken(id, std::exchange(heard.unread, 0));
  }
}

}  // namespace

// curl 2391: a transfer that is paused was done, and its last bytes were lost.
TEST_CASE("an answer whose connection ends while it is paused is told to its end") {
  constexpr std::size_t kAll = 2 * limits::kFetchAheadBytesMax + 12345;
  const std::string head = GENERATE(std::string("HTTP/1.1 200 OK\r\n\r\n"),
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kAll) + "\r\n\r\n");
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.send(head + std::string(kAll, 'x'));
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id = fetching.engine->start({.url = server.url()}, heard);
  take_late(fetching, id, heard);
  CHECK(heard.end.whole);
  CHECK(heard.body.size() == kAll);
}

// Request smuggling's other end: an idle connection that a server speaks on was used for the next request.
TEST_CASE("what a server says unasked is no answer to the next request") {
  std::atomic<bool> said{false}, speak{false};
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.answer("first");
    if (peer.number == 0) {
      while (!speak) std::this_thread::yield();  // after the first answer has been read
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
      said = true;
    }
    peer.wait_closed();
  });
  Fetching fetching;
  CHECK(fetching.get(server.url()).body == "first");
  speak = true;
  REQUIRE(fetching.run_until([&] { return said.load(); }));
  CHECK(fetching.get(server.url()).body == "first");
  CHECK(server.accepted() == 2);
}

// CCF 7308, pyuv 54: libcurl had closed a descriptor, and the loop forgot it only when its number was another's.
TEST_CASE("an engine that ends takes nothing from others of its loop") {
  Fetching fetching;
  CHECK_FALSE(fetching.get("http://nothing.invalid/").end.whole);  // looked up by a thread, which wakes the loop by a socket
  int pipes[8][2];
  unsigned heard = 0;
  std::vector<std::unique_ptr<loop::ReadWatch>> watches;
  for (auto& each : pipes) {
    REQUIRE(pipe(each) == 0);
    auto watch = loop::ReadWatch::open(fetching.loop, each[0], [&heard, end = each[0]] {
      char byte;
      heard += read(end, &byte, 1) == 1;
    });
    REQUIRE(watch.ok());
    watches.push_back(std::move(*watch));
  }
  bool turned = false;
  fetching.loop.post([&] { turned = true; });
  REQUIRE(fetching.run_until([&] { return turned; }));
  fetching.engine.reset();
  for (auto& each : pipes) REQUIRE(write(each[1], "x", 1) == 1);
  CHECK(fetching.run_until([&] { return heard == std::size(pipes); }));
  watches.clear();
  for (auto& each : pipes) {
    close(each[0]);
    close(each[1]);
  }
}

// curl 11678: a connection was used again although a request had not been sent to its end.
TEST_CASE("a connection on which a server did not want to read on is not used again") {
  ScriptedServer server([](Peer& peer) {
    char some[100];
    if (peer.number == 0) {
      static_cast<void>(!read(peer.socket(), some, sizeof some));
      peer.answer("enough", "413 Content Too Large");
      peer.wait_closed();
    } else {
      peer.read_request();
      peer.answer("another");
    }
  });
  Fetching fetching;
  Heard large;
  fetching.run({.method = "POST", .url = server.url(), .body = std::string(16u << 20, 'x'), .timeout_ms = 30'000}, large);
  CHECK(large.head.status == 413);
  CHECK(fetching.get(server.url()).body == "another");
}

// What libcurl has kept back is told by curl_easy_pause(), and what goes wrong with that by its result alone.
TEST_CASE("an answer that is larger than it may be ends as soon as what was kept back is told") {
  constexpr std::size_t kMost = limits::kFetchAheadBytesMax + limits::kFetchReadBytes - 1;  // so that what is kept back is too much
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + std::string(2 * kMost, 'x'));
    peer.wait_closed();
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id =
      fetching.engine->start({.url = server.url(), .connect_timeout_ms = 600'000, .bytes_max = kMost}, heard);
  REQUIRE(fetching.run_until([&] { return heard.body.size() >= limits::kFetchAheadBytesMax; }));
  bool over = false;  // libcurl's own timers of the connection, by which it would look
  loop::Timer timers(fetching.loop);
  timers.start(400, [&] { over = true; });
  REQUIRE(fetching.run_until([&] { return over; }));
  heard.at_body = [&](std::size_t size) { fetching.engine->taken(id, size); };
  fetching.engine->taken(id, heard.body.size());
  REQUIRE(fetching.run_until([&] { return heard.ends > 0; }));
  CHECK(heard.end.message == "its answer is larger than " + std::to_string(kMost) + " bytes");
}

// A field without content means to libcurl that its own is to be left out.
TEST_CASE("a field that has blanks alone is sent without content") {
  ScriptedServer server([](Peer& peer) { peer.answer(peer.read_request()); });
  Fetching fetching;
  Heard heard;
  fetching.run({.url = server.url(), .fields = {{"X-Blank", " \t"}, {"Accept", " "}, {"X-Both", " a b\t"}}}, heard);
  CHECK(has(heard.body, "\r\nX-Blank:\r\n"));
  CHECK(has(heard.body, "\r\nAccept:\r\n"));
  CHECK(has(heard.body, "\r\nX-Both: a b\r\n"));
}

// What a server says unasked, within one read.
TEST_CASE("what follows an answer at once is no answer to the next request") {
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    peer.wait_closed();
  });
  Fetching fetching;
  CHECK(fetching.get(server.url()).body == "first");
  CHECK(fetching.get(server.url()).body == "first");
}
