#include "client/net/response_reader.h"

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;
using State = ResponseReader::State;

namespace {

struct Read {
  State state = State::head;
  int status = 0;
  std::string body, left, problem;
  bool keeps_alive = false;
};

// Feeds the bytes in pieces of that size.
Read read(std::string_view bytes, std::size_t piece, bool ends = false) {
  ResponseReader reader;
  reader.restart();
  Read out;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    const std::size_t given = part.size();
    out.state = reader.feed(part);
    bytes.remove_prefix(given - part.size());
    if (out.state == State::whole || out.state == State::broken) break;
  }
  if (ends) out.state = reader.finish();
  out.left = bytes;
  out.status = reader.head().status;
  out.body = reader.body();
  out.keeps_alive = reader.keeps_alive();
  if (out.state == State::broken) out.problem = reader.problem();
  return out;
}

// The same, whatever the pieces.
Read read_split(std::string_view bytes, bool ends = false) {
  const Read whole = read(bytes, bytes.size() + 1, ends);
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CAPTURE(piece);
    const Read split = read(bytes, piece, ends);
    CHECK(split.state == whole.state);
    CHECK(split.status == whole.status);
    CHECK(split.body == whole.body);
    CHECK(split.left == whole.left);
  }
  return whole;
}

}  // namespace

TEST_CASE("a response of a known length ends with it, and what follows is left") {
  const Read read = read_split("HTTP/1.1 200 OK\r\nContent-Length:  5 \r\nX: y\r\n\r\nhelloHTTP/1.1");
  CHECK(read.state == State::whole);
  CHECK(read.status == 200);
  CHECK(read.body == "hello");
  CHECK(read.left == "HTTP/1.1");
  CHECK(read.keeps_alive);
}

TEST_CASE("a chunked response is put together") {
  const Read read = read_split(
      "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n5;a=b\r\nhello\r\nA\r\n, 10 bytes\r\n0\r\nTrailer: "
      "1\r\n\r\nrest");
  CHECK(read.state == State::whole);
  CHECK(read.body == "hello, 10 bytes");
  CHECK(read.left == "rest");
}

TEST_CASE("an interim response is passed over") {
  const Read read = read_split("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
  CHECK(read.state == State::whole);
  CHECK(read.status == 404);
}

TEST_CASE("a response without a length ends with its connection") {
  const std::string_view text = "HTTP/1.1 200 OK\r\n\r\nall that comes";
  CHECK(read_split(text).state == State::body);
  const Read read = read_split(text, true);
  CHECK(read.state == State::whole);
  CHECK(read.body == "all that comes");
  CHECK_FALSE(read.keeps_alive);
}

TEST_CASE("whether the connection lives on") {
  const std::string end = "Content-Length: 0\r\n\r\n";
  CHECK_FALSE(read_split("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n" + end).keeps_alive);
  CHECK_FALSE(read_split("HTTP/1.0 200 OK\r\n" + end).keeps_alive);
  CHECK(read_split("HTTP/1.1 204 No Content\r\n\r\n").state == State::whole);
}

TEST_CASE("a connection that ends too early breaks the response") {
  const std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(read(text.substr(0, size), 100, true).state == State::broken);
  }
  CHECK(read(text, 100, true).state == State::whole);
}

TEST_CASE("what is no response is broken") {
  for (const char* bad : {
           "HTTP/2 200\r\n\r\n",
           "ICY 200 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 2000\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
           "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
       }) {
    CAPTURE(bad);
    CHECK(read_split(bad).state == State::broken);
  }
}

TEST_CASE("headers and body may be so large, and no larger") {
  const std::string start = "HTTP/1.1 200 OK\r\nX: ", end = "\r\nContent-Length: 0\r\n\r\n";
  const std::string fits = start + std::string(limits::kHeaderBytesMax - start.size() - end.size(), 'x') + end;
  CHECK(read(fits, fits.size()).state == State::whole);
  CHECK(read(start + "x" + fits.substr(start.size()), 1000).problem == "its headers are too large");
  const std::string body(limits::kMessageBytesMax, 'x');
  CHECK(read("HTTP/1.1 200 OK\r\n\r\n" + body, 1u << 20, true).state == State::whole);
  CHECK(read("HTTP/1.1 200 OK\r\n\r\nx" + body, 1u << 20, true).problem == "its answer is too large");
}
