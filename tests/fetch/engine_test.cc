#include <zlib.h>

#include <map>

#include "base/limits.h"
#include "fetching.h"

using namespace collet;
using namespace collet::fetch;
using Peer = ScriptedServer::Peer;

namespace {

std::string gzip(const std::string& plain) {
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Each request of each connection gets this.
ScriptedServer answering(std::string answer) {
  return ScriptedServer([answer = std::move(answer)](Peer& peer) {
    while (!peer.read_request().empty()) peer.send(answer);
  });
}
// One answer, and the end of the connection.
ScriptedServer closing_after(std::string answer) {
  return ScriptedServer([answer = std::move(answer)](Peer& peer) {
    peer.read_request();
    peer.send(answer);
  });
}

}  // namespace

TEST_CASE("a request is sent as it was ordered, and its answer is told") {
  std::string seen;
  ScriptedServer server([&](Peer& peer) {
    seen = peer.read_request();
    peer.answer("made", "201 Created", "X-A: 1\r\nx-b:  two \r\n");
  });
  Fetching fetching;
  Heard heard;
  fetching.run({.method = "POST", .url = server.url("/a?b=c#d"), .fields = {{"X-Test", "one"}, {"X-Empty", ""}}, .body = "body"}, heard);
  CHECK(seen.starts_with("POST /a?b=c HTTP/1.1\r\n"));
  CHECK(has(seen, "\r\nX-Test: one\r\n"));
  CHECK(has(seen, "\r\nX-Empty:\r\n"));
  CHECK(has(seen, "\r\nContent-Length: 4\r\n"));
  CHECK(has(seen, "\r\nUser-Agent: collet-test\r\n"));
  CHECK_FALSE(has(seen, "Content-Type"));
  CHECK_FALSE(has(seen, "Expect"));
  CHECK(seen.ends_with("\r\n\r\nbody"));
  CHECK(heard.heads == 1);
  CHECK(heard.ends == 1);
  CHECK(heard.head.status == 201);
  CHECK(heard.head.url == server.url("/a?b=c"));
  CHECK(find_field(heard.head.fields, "X-B") == "two");
  CHECK(heard.body == "made");
  CHECK(heard.end.whole);
  CHECK(heard.end.sent);
  CHECK(heard.end.message.empty());
}

TEST_CASE("each method goes out with the body that it has") {
  std::string seen;
  std::mutex mutex;
  ScriptedServer server([&](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty(); peer.answer("")) {
      const std::lock_guard lock(mutex);
      seen = request;
    }
  });
  Fetching fetching;
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"}) {
    for (const char* body : {"", "x"}) {
      if (std::string(method) == "HEAD" && *body) continue;
      Heard heard;
      fetching.run({.method = method, .url = server.url(), .body = body}, heard);
      INFO(seen);
      CHECK(heard.end.whole);
      const std::lock_guard lock(mutex);
      CHECK(seen.starts_with(std::string(method) + " / HTTP/1.1\r\n"));
      CHECK(seen.ends_with(std::string("\r\n\r\n") + body));
      const bool says_length = *body || std::string(method) == "POST" || std::string(method) == "PUT" || std::string(method) == "PATCH";
      CHECK(has(seen, "Content-Length: ") == says_length);
    }
  }
}

TEST_CASE("what comes is told as it comes") {
  std::atomic<int> step{0};
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (step < 1) std::this_thread::yield();
    peer.send("3\r\none\r\n");
    while (step < 2) std::this_thread::yield();
    peer.send("3;x=y\r\ntwo\r\n0\r\nX-Trailer: 1\r\n\r\n");
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id = fetching.engine->start({.url = server.url()}, heard);
  heard.at_body = [&](std::size_t size) { fetching.engine->taken(id, size); };
  REQUIRE(fetching.run_until([&] { return heard.heads == 1; }));
  CHECK(heard.body.empty());
  step = 1;
  REQUIRE(fetching.run_until([&] { return heard.body == "one"; }));
  CHECK(heard.ends == 0);
  step = 2;
  REQUIRE(fetching.run_until([&] { return heard.ends == 1; }));
  CHECK(heard.body == "onetwo");
  CHECK(heard.end.whole);
  CHECK_FALSE(find_field(heard.head.fields, "X-Trailer").data());
}

TEST_CASE("answers without a body have none") {
  Fetching fetching;
  for (const char* head : {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.0 200\r\nContent-Length: 0\r\n\r\n"}) {
    ScriptedServer server = answering(head);
    const Heard heard = fetching.get(server.url());
    CHECK(heard.end.whole);
    CHECK(heard.heads == 1);
    CHECK(heard.pieces == 0);
  }
  ScriptedServer server = answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  Heard heard;
  fetching.run({.method = "HEAD", .url = server.url()}, heard);
  CHECK(heard.end.whole);
  CHECK(find_field(heard.head.fields, "Content-Length") == "1000");
}

TEST_CASE("interim answers are passed over") {
  ScriptedServer server = answering(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  const Heard heard = Fetching().get(server.url());
  CHECK(heard.heads == 1);
  CHECK(heard.head.status == 200);
  CHECK_FALSE(find_field(heard.head.fields, "Link").data());
  CHECK(heard.body == "hi");
}

TEST_CASE("a body until the end of the connection is whole") {
  ScriptedServer server = closing_after("HTTP/1.1 200 OK\r\n\r\nall of it");
  const Heard heard = Fetching().get(server.url());
  CHECK(heard.end.whole);
  CHECK(heard.body == "all of it");
}

TEST_CASE("an answer that breaks in the middle is told as far as it came, and is not whole") {
  Fetching fetching;
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxx\r\n"}) {
    ScriptedServer server = closing_after(answer);
    const Heard heard = fetching.get(server.url());
    INFO(answer);
    CHECK(heard.body == "half");
    CHECK(heard.ends == 1);
    CHECK_FALSE(heard.end.whole);
    CHECK(heard.end.sent);
    CHECK_FALSE(heard.end.message.empty());
  }
}

TEST_CASE("what is no HTTP/1.1 is no answer") {
  Fetching fetching;
  for (const char* answer : {"HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
                             "HTTP/9.9 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "<html>\n\n",
                                 "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 000 No\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nno field\r\n\r\n", "HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n", "HTTP/1.1 200 OK\r\n: z\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                             "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes", ""}) {
    ScriptedServer server = closing_after(answer);
    const Heard heard = fetching.get(server.url());
    INFO(answer);
    CHECK(heard.heads == 0);
    CHECK(heard.body.empty());
    CHECK(heard.ends == 1);
    CHECK_FALSE(heard.end.whole);
    CHECK_FALSE(heard.end.message.empty());
  }
}

TEST_CASE("a field that goes on in the next line is one field") {
  ScriptedServer server = answering("HTTP/1.1 200 OK\r\nX-Long: one\r\n  two\r\nContent-Length: 0\r\n\r\n");
  CHECK(find_field(Fetching().get(server.url()).head.fields, "x-long") == "one two");
}

TEST_CASE("a head is as large as its limit, and no larger") {
  Fetching fetching;
  const auto with = [](std::size_t bytes) {
    const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ", end = "\r\n\r\n";
    return begin + std::string(bytes - begin.size() - end.size(), 'x') + end;
  };
  ScriptedServer fits = answering(with(limits::kFetchHeadBytesMax)), does_not = answering(with(limits::kFetchHeadBytesMax + 1));
  CHECK(fetching.get(fits.url()).end.whole);
  CHECK(fetching.get(does_not.url()).end.message == "its head is too large");
  const auto fields = [](unsigned count) {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    for (unsigned i = 1; i < count; ++i) head += "X: y\r\n";
    return head + "\r\n";
  };
  ScriptedServer many = answering(fields(limits::kFetchAnswerFieldsMax)), more = answering(fields(limits::kFetchAnswerFieldsMax + 1));
  CHECK(fetching.get(many.url()).head.fields.size() == limits::kFetchAnswerFieldsMax);
  CHECK(fetching.get(more.url()).end.message == "its head has too many fields");
}

TEST_CASE("interim answers without an end are an end") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    while (peer.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")) {
    }
  });
  CHECK(Fetching().get(server.url()).end.message == "its head is too large");
}

TEST_CASE("no more is read than is taken") {
  constexpr std::size_t kAll = 64u << 20;
  std::atomic<std::size_t> sent{0};
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kAll) + "\r\n\r\n");
    const std::string piece(64u << 10, 'x');
    while (sent < kAll && peer.send(piece)) sent += piece.size();
    peer.wait_closed();
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id = fetching.engine->start({.url = server.url()}, heard);
  REQUIRE(fetching.run_until([&] { return heard.body.size() >= limits::kFetchAheadBytesMax; }));
  // The server is stuck: what it has sent does not grow any more, while the loop runs.
  for (std::size_t before = kAll; before != sent;) {
    before = sent;
    loop::Timer moment(fetching.loop);
    bool over = false;
    moment.start(100, [&] { over = true; });
    REQUIRE(fetching.run_until([&] { return over; }));
  }
  CHECK(sent < kAll);
  CHECK(heard.body.size() < limits::kFetchAheadBytesMax + 2 * kPiece);
  // Half of it is not enough to go on; all that it is told it takes from now on.
  std::size_t total = heard.body.size();
  heard.body.clear();
  heard.at_body = [&](std::size_t size) {
    total += size;
    heard.body.clear();
    fetching.engine->taken(id, size);
  };
  fetching.engine->taken(id, total);
  REQUIRE(fetching.run_until([&] { return heard.ends > 0; }));
  CHECK(total == kAll);
  CHECK(heard.end.whole);
}

TEST_CASE("a sink that takes piece by piece gets all of it, packed or not") {
  std::string plain;
  for (int i = 0; plain.size() < (3u << 20); ++i) plain += std::to_string(i * 7919) + " some text that packs well\n";
  const bool packed = GENERATE(false, true);
  ScriptedServer server([&](Peer& peer) {
    const std::string request = peer.read_request();
    if (packed && has(request, "Accept-Encoding: gzip, deflate\r\n")) {
      peer.answer(gzip(plain), "200 OK", "Content-Encoding: gzip\r\n");
    } else {
      peer.answer(plain);
    }
    peer.wait_closed();
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id = fetching.engine->start({.url = server.url()}, heard);
  std::size_t most = 0;
  for (;;) {
    REQUIRE(fetching.run_until([&] { return heard.ends > 0 || heard.unread >= limits::kFetchAheadBytesMax; }));
    most = std::max(most, heard.unread);
    if (heard.ends > 0) break;
    fetching.engine->taken(id, 1);  // nothing comes of that
    fetching.engine->taken(id, heard.unread - 1);
    heard.unread = 0;
  }
  CHECK(heard.end.whole);
  CHECK(heard.body == plain);
  CHECK(most <= limits::kFetchAheadBytesMax + kPiece);
  CHECK(find_field(heard.head.fields, "Content-Encoding").data() == nullptr);
  CHECK((find_field(heard.head.fields, "Content-Length").data() == nullptr) == packed);
}

TEST_CASE("an answer has as many bytes as it may, and no more, also once it is unpacked") {
  constexpr std::size_t kMost = 1u << 20;
  const bool packed = GENERATE(false, true);
  Fetching fetching;
  for (const std::size_t size : {kMost, kMost + 1}) {
    const std::string body(size, 'x');
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      if (packed) peer.answer(gzip(body), "200 OK", "Content-Encoding: gzip\r\n");
      else peer.answer(body);
      peer.wait_closed();
    });
    Heard heard;
    fetching.run({.url = server.url(), .bytes_max = kMost}, heard);
    CHECK(heard.end.whole == (size == kMost));
    CHECK(heard.body.size() <= kMost);
    if (size > kMost) CHECK(heard.end.message == "its answer is larger than 1048576 bytes");
  }
}

TEST_CASE("a bomb does not go off in the host") {
  const std::string bomb = gzip(std::string(256u << 20, '\0'));
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.answer(bomb, "200 OK", "Content-Encoding: gzip\r\n");
    peer.wait_closed();
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id = fetching.engine->start({.url = server.url()}, heard);
  REQUIRE(fetching.run_until([&] { return heard.unread >= limits::kFetchAheadBytesMax; }));
  CHECK(heard.unread <= limits::kFetchAheadBytesMax + kPiece);
  fetching.engine->cancel(id);
  Heard bounded;
  fetching.run({.url = server.url(), .bytes_max = 1u << 20}, bounded);
  CHECK(bounded.end.message == "its answer is larger than 1048576 bytes");
}

// curl 16280: what is unpacked while a transfer is paused was too much for libcurl.
TEST_CASE("what unpacks to much more than it is reaches who is slow, all of it") {
  constexpr std::size_t kAll = 64u << 20;
  const std::string packed = gzip(std::string(kAll, '\0'));
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.answer(packed, "200 OK", "Content-Encoding: gzip\r\n");
    peer.wait_closed();
  });
  Fetching fetching;
  Heard heard;
  const Engine::Id id = fetching.engine->start({.url = server.url()}, heard);
  std::size_t total = 0;
  for (bool ended = false; !ended;) {
    REQUIRE(fetching.run_until([&] { return heard.ends > 0 || heard.unread >= limits::kFetchAheadBytesMax; }));
    ended = heard.ends > 0;
    CHECK(heard.unread <= limits::kFetchAheadBytesMax + kPiece);
    total += heard.unread;
    heard.body.clear();
    if (const std::size_t all = std::exchange(heard.unread, 0); !ended) fetching.engine->taken(id, all);
  }
  CHECK(heard.end.whole);
  CHECK(total == kAll);
}

TEST_CASE("what is packed in another way than was asked for is refused, and left alone for who asks himself") {
  Fetching fetching;
  for (const char* coding : {"br", "zstd", "gzip, gzip", "gzip\r\nContent-Encoding: gzip", "compress"}) {
    ScriptedServer server = answering(std::string("HTTP/1.1 200 OK\r\nContent-Encoding: ") + coding + "\r\nContent-Length: 4\r\n\r\nabcd");
    const Heard refused = fetching.get(server.url());
    INFO(coding);
    CHECK(refused.end.message == "its answer is packed in a way that was not asked for");
    Heard as_is;
    fetching.run({.url = server.url(), .fields = {{"Accept-Encoding", "br"}}}, as_is);
    CHECK(as_is.body == "abcd");
    CHECK(find_field(as_is.head.fields, "Content-Encoding").data());
  }
  ScriptedServer broken = answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
  const Heard heard = fetching.get(broken.url());
  CHECK_FALSE(heard.end.whole);
  CHECK(heard.body.empty());
}

TEST_CASE("connections are kept, and one that the server has closed is found out") {
  ScriptedServer server([](Peer& peer) {
    for (int i = 0; i < 2; ++i) {
      peer.read_request();
      peer.answer(std::to_string(peer.number));
    }
  });
  Fetching fetching;
  const char* const expected[] = {"0", "0", "1", "1"};
  for (const char* method : {"GET", "POST"}) {
    for (const char* connection : expected) {
      Heard heard;
      fetching.run({.method = method, .url = server.url()}, heard);
      CHECK(heard.end.whole);
      if (std::string(method) == "GET") CHECK(heard.body == connection);
    }
  }
}

TEST_CASE("what a server may have read is sent again only if that does no harm") {
  std::mutex mutex;
  std::vector<std::string> requests;
  // Takes the second request on the first connection, and closes without an answer.
  ScriptedServer server([&](Peer& peer) {
    for (int i = 0;; ++i) {
      const std::string request = peer.read_request();
      if (request.empty()) return;
      {
        const std::lock_guard lock(mutex);
        requests.push_back(request.substr(0, request.find(' ')));
      }
      if (peer.number == 0 && i == 1) return;
      peer.answer("ok");
    }
  });
  const std::string method = GENERATE("GET", "PUT", "POST", "PATCH");
  Fetching fetching;
  CHECK(fetching.get(server.url()).end.whole);
  Heard heard;
  fetching.run({.method = method, .url = server.url()}, heard);
  const bool idempotent = method == "GET" || method == "PUT";
  CHECK(heard.end.whole == idempotent);
  CHECK(heard.end.sent);
  if (!idempotent) CHECK(heard.end.message == "it has closed the connection without an answer");
  const std::lock_guard lock(mutex);
  CHECK(requests.size() == (idempotent ? 3 : 2));
}

TEST_CASE("who cannot be reached has got nothing") {
  std::string url;
  {
    ScriptedServer gone([](Peer&) {});
    url = gone.url();
  }
  Fetching fetching;
  for (const std::string& each : {url, std::string("http://nothing.invalid/"), std::string("http://[::1%25lo]:1/"),
      std::string("ftp://127.0.0.1/"), std::string("file:///etc/passwd"),
                                  std::string("http://a@127.0.0.1/"), std::string("http://127.0.0.1:0/"), std::string("http:///x"),
                                      std::string("no url"), std::string()}) {
    const Heard heard = fetching.get(each);
    INFO(each);
    CHECK_FALSE(heard.end.whole);
    CHECK_FALSE(heard.end.sent);
    CHECK_FALSE(heard.end.message.empty());
    CHECK(heard.heads == 0);
  }
}

TEST_CASE("an exchange has its time") {
  ScriptedServer server([](Peer& peer) {
    const std::string request = peer.read_request();
    if (has(request, "/begun")) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    if (has(request, "/round")) peer.send("HTTP/1.1 307 Go\r\nLocation: /silent\r\nContent-Length: 0\r\n\r\n");
    peer.read_request();
    peer.wait_closed();
  });
  Fetching fetching;
  for (const char* path : {"/silent", "/begun", "/round"}) {
    Heard heard;
    for (std::uint64_t ms = 50; ms < 60'000 && !heard.end.sent; ms *= 2) {  // until there is time to send it
      heard = {};
      fetching.run({.url = server.url(path), .timeout_ms = ms, .redirects_max = 5}, heard);
      CHECK(heard.end.message == "it has not ended in time");
      CHECK_FALSE(heard.end.whole);
    }
    CHECK(heard.end.sent);
  }
  // Also while nothing of it is taken.
  ScriptedServer large([](Peer& peer) {
    peer.read_request();
    peer.answer(std::string(8u << 20, 'x'));
    peer.wait_closed();
  });
  Heard heard;
  fetching.engine->start({.url = large.url(), .timeout_ms = 300}, heard);
  REQUIRE(fetching.run_until([&] { return heard.ends > 0; }));
  CHECK(heard.end.message == "it has not ended in time");
}
