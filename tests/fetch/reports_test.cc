// What others have had trouble with: libcurl's multi interface behind an event loop, and answers that are streamed.
#include "base/limits.h"
#include "fetching.h"

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
  const std::string head = GENERATE(std::string("HTTP/1.1 200 OK\r\n\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kAll) + "\r\n\r\n");
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
  std::atomic<bool> said{false};
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.answer("first");
    if (peer.number == 0) {
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
      said = true;
    }
    peer.wait_closed();
  });
  Fetching fetching;
  CHECK(fetching.get(server.url()).body == "first");
  REQUIRE(fetching.run_until([&] { return said.load(); }));
  CHECK(fetching.get(server.url()).body == "first");
  CHECK(server.accepted() == 2);
}

// The same within one read.
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
