#include "transport/http_parser.h"

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace collet::transport;

namespace {

// What became of some bytes: each request as text, then how it ended.
struct Outcome {
  std::vector<std::string> requests;
  int error = 0;
  bool hungry = false;  // the last request is incomplete

  bool operator==(const Outcome&) const = default;
};

std::string describe(HttpParser& parser) {
  const HttpRequest& request = parser.request();
  std::string text;
  text.append(request.method).append(" ").append(request.path).append("?").append(request.query);
  text.append(" @").append(request.host).append(parser.keep_alive() ? " keep" : " close");
  for (const Header& header : request.headers)
    text.append("|").append(header.name).append("=").append(header.value);
  return text.append("|").append(request.body);
}

// Asks for a whole request again, from another place.
std::string describe_again(HttpParser& parser, std::vector<char> bytes) {
  std::size_t size = bytes.size();
  const std::size_t consumed = parser.consumed();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK(size == bytes.size());
  CHECK(parser.consumed() == consumed);
  return describe(parser);
}

// Feeds `pieces` one after another as a connection does: what was consumed goes, the rest moves to a new place.
Outcome feed(const std::vector<std::string>& pieces, const HttpLimits& limits) {
  Outcome outcome;
  HttpParser parser(limits);
  std::vector<char> kept;
  for (const std::string& piece : pieces) {
    std::vector<char> bytes(kept);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    std::size_t used = 0;
    std::size_t size = bytes.size();
    while (used < size) {
      std::size_t left = size - used;
      const HttpParser::Status status = parser.parse(bytes.data() + used, left);
      size = used + left;
      if (status == HttpParser::Status::need_more) break;
      if (status == HttpParser::Status::failed) {
        outcome.error = parser.error_status();
        return outcome;
      }
      outcome.requests.push_back(describe(parser));
      const auto rest = bytes.begin() + static_cast<std::ptrdiff_t>(used);
      CHECK(describe_again(parser, {rest, rest + static_cast<std::ptrdiff_t>(left)}) == outcome.requests.back());
      used += parser.consumed();
      parser.reset();
    }
    kept.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used),
                bytes.begin() + static_cast<std::ptrdiff_t>(size));
  }
  outcome.hungry = !kept.empty();
  return outcome;
}

// The outcome for the whole, having checked that every split in two and single bytes give the same.
Outcome parse(const std::string& bytes, const HttpLimits& limits = {}) {
  const Outcome whole = feed({bytes}, limits);
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    if (feed({bytes.substr(0, at), bytes.substr(at)}, limits) != whole)
      FAIL_CHECK("split at " << at << ": " << bytes);
  }
  std::vector<std::string> singles;
  for (const char byte : bytes) singles.emplace_back(1, byte);
  if (feed(singles, limits) != whole) FAIL_CHECK("byte by byte: " << bytes);
  return whole;
}

std::string get_with(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }
std::string post_with(const std::string& fields, const std::string& body) {
  return "POST /mcp HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

}  // namespace

TEST_CASE("well-formed requests are read the same however they are split") {
  const auto [bytes, expected] = GENERATE(table<std::string, std::vector<std::string>>({
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", {"GET /? @a keep|Host=a|"}},
      {"GET /p/q?x=1&y=?2 HTTP/1.1\r\nHost: a:80\r\n\r\n", {"GET /p/q?x=1&y=?2 @a:80 keep|Host=a:80|"}},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n", {"GET /? @a keep|Host=a|"}},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"OPTIONS *? @a keep|Host=a|"}},
      {"GET http://b:1/x?y HTTP/1.1\r\nHost: a\r\n\r\n", {"GET /x?y @b:1 keep|Host=a|"}},
      {"GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n", {"GET ? @b keep|Host=a|"}},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: A\r\n\r\n", {"GET /? @a keep|Host=a|Host=A|"}},
      {"GET / HTTP/1.1\r\nHost: a:1, a:1\r\n\r\n", {"GET /? @a:1 keep|Host=a:1, a:1|"}},
      {get_with("X:  padded \t\r\nEmpty:\r\n"), {"GET /? @a keep|Host=a|X=padded|Empty=|"}},
      {get_with("Connection: close\r\n"), {"GET /? @a close|Host=a|Connection=close|"}},
      {get_with("Connection: keep-alive\r\nConnection: x, Close\r\n"),
       {"GET /? @a close|Host=a|Connection=keep-alive|Connection=x, Close|"}},
      {"GET / HTTP/1.0\r\n\r\n", {"GET /? @ close|"}},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {"GET /? @ keep|Connection=keep-alive|"}},
      {post_with("", ""), {"POST /mcp? @a keep|Host=a|"}},
      {post_with("Content-Length: 5\r\n", "hello"), {"POST /mcp? @a keep|Host=a|Content-Length=5|hello"}},
      {post_with("content-length: 0\r\n", ""), {"POST /mcp? @a keep|Host=a|content-length=0|"}},
      {post_with("Transfer-Encoding: chunked\r\n",
            "3\r\nabc\r\n00000A;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"),
       {"POST /mcp? @a keep|Host=a|Transfer-Encoding=chunked|abc0123456789"}},
      {post_with("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n"),
       {"POST /mcp? @a keep|Host=a|Transfer-Encoding=Chunked|"}},
      {post_with("Content-Length: 2\r\n", "hi") + get_with("") +
           post_with("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n") + get_with("Z: 1\r\n"),
       {"POST /mcp? @a keep|Host=a|Content-Length=2|hi", "GET /? @a keep|Host=a|",
        "POST /mcp? @a keep|Host=a|Transfer-Encoding=chunked|x", "GET /? @a keep|Host=a|Z=1|"}},
  }));
  const Outcome outcome = parse(bytes);
  CHECK(outcome.requests == expected);
  CHECK(outcome.error == 0);
  CHECK_FALSE(outcome.hungry);
}

TEST_CASE("what could be read in two ways is refused") {
  const auto [bytes, status] = GENERATE(table<std::string, int>({
      {post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
      {post_with("Content-Length: 1\r\nContent-Length: 1\r\n", "x"), 400},
      {post_with("Content-Length: 1, 1\r\n", "x"), 400},
      {post_with("Content-Length: +1\r\n", "x"), 400},
      {post_with("Content-Length: -1\r\n", "x"), 400},
      {post_with("Content-Length: 0x1\r\n", "x"), 400},
      {post_with("Content-Length: 1 1\r\n", "x"), 400},
      {post_with("Content-Length:\r\n", "x"), 400},
      {post_with("Content-Length: 18446744073709551617\r\n", "x"), 400},
      {post_with("Content-Length : 1\r\n", "x"), 400},
      {post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {post_with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {post_with("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"), 501},
      {post_with("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501},
      {post_with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {post_with("Transfer-Encoding:\x0b chunked\r\n", "0\r\n\r\n"), 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {get_with("A: b\r\n c\r\n"), 400},
      {get_with("A: b\r\n\tc\r\n"), 400},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {get_with("A: b\nC: d\r\n"), 400},
      {get_with("A: b\rC: d\r\n"), 400},
      {get_with(std::string("A: b\0c\r\n", 8)), 400},
      {get_with("A b\r\n"), 400},
      {get_with(": b\r\n"), 400},
      {get_with("A\x7f: b\r\n"), 400},
      {get_with("A: b\x7f\r\n"), 400},
      {get_with("Connection: close now\r\n"), 400},
      {get_with("Proxy-Connection: \"close\"\r\n"), 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a:80\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / FTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /?token=Bearer x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {get_with("Expect: 200-ok\r\n"), 417},
      {"\x16\x03\x01\x02", 400},
      {"\n", 400},
      {"\r\r\n", 400},
  }));
  const Outcome outcome = parse(bytes);
  CHECK(outcome.error == status);
  CHECK(outcome.requests.empty());
}

TEST_CASE("malformed chunks are refused") {
  const std::string body = GENERATE(values<std::string>(
      {"\r\n", "g\r\n", "-1\r\n", "0x1\r\nx\r\n", " 1\r\nx\r\n", "1\nx\r\n", "1\r\nxx\r\n", "1\r\nx\n0\r\n\r\n",
       "1\r\nx\r\n\r\n", ";x\r\n", "1;\x01\r\nx\r\n", "1\rx", "0\r\nA: \x01\r\n\r\n", "0\r\n\rx"}));
  CHECK(parse(post_with("Transfer-Encoding: chunked\r\n", body)).error == 400);
}

TEST_CASE("a chunk larger than any body is too large, however its size is written") {
  const std::string size =
      GENERATE(values<std::string>({"fffffffffffffffff", "10000000000000001", "7fffffffffffffff"}));
  CHECK(parse(post_with("Transfer-Encoding: chunked\r\n", size + "\r\nx")).error == 413);
}

TEST_CASE("sizes are accepted at the limit and refused one past it") {
  HttpLimits limits;
  limits.header_bytes_max = 200;
  limits.target_bytes_max = 50;
  limits.header_count_max = 3;
  limits.body_bytes_max = 20;

  SECTION("header") {
    const std::size_t frame = get_with("A: \r\n").size();
    CHECK(parse(get_with("A: " + std::string(200 - frame, 'x') + "\r\n"), limits).requests.size() == 1);
    CHECK(parse(get_with("A: " + std::string(201 - frame, 'x') + "\r\n"), limits).error == 431);
    CHECK(parse(std::string(200, 'A'), limits).error == 414);
    CHECK(parse(std::string(199, 'A'), limits).hungry);
  }
  SECTION("target") {
    const auto target = [](std::size_t bytes) {
      return "GET /" + std::string(bytes - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    CHECK(parse(target(50), limits).requests.size() == 1);
    CHECK(parse(target(51), limits).error == 414);
  }
  SECTION("fields") {
    CHECK(parse(get_with("A: 1\r\nB: 2\r\n"), limits).requests.size() == 1);
    CHECK(parse(get_with("A: 1\r\nB: 2\r\nC: 3\r\n"), limits).error == 431);
  }
  SECTION("body with a length") {
    CHECK(parse(post_with("Content-Length: 20\r\n", std::string(20, 'x')), limits).requests.size() == 1);
    CHECK(parse(post_with("Content-Length: 21\r\n", ""), limits).error == 413);
  }
  SECTION("chunked body") {
    const auto chunks = [](std::size_t second) {
      return post_with("Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n" + std::string(second == 10 ? "a" : "b") +
                                                        "\r\n" + std::string(second, 'x') + "\r\n0\r\n\r\n");
    };
    CHECK(parse(chunks(10), limits).requests.size() == 1);
    CHECK(parse(chunks(11), limits).error == 413);
  }
}

TEST_CASE("chunk extensions and trailers are bounded") {
  const auto extension = [](std::size_t bytes) {
    return feed({post_with("Transfer-Encoding: chunked\r\n", "0;" + std::string(bytes, 'x') + "\r\n\r\n")}, {});
  };
  // The digit counts; the semicolon and what follows up to \r do, too, but for one.
  CHECK(extension(collet::limits::kHttpChunkLineBytesMax - 2).requests.size() == 1);
  CHECK(extension(collet::limits::kHttpChunkLineBytesMax + 1).error == 400);
  std::string trailers;
  while (trailers.size() <= collet::limits::kHttpTrailerBytesMax) trailers += "A: " + std::string(90, 'x') + "\r\n";
  CHECK(feed({post_with("Transfer-Encoding: chunked\r\n", "0\r\n" + trailers + "\r\n")}, {}).error == 400);
}

TEST_CASE("the sender of a body that waits for 100 Continue is noticed once") {
  const HttpLimits limits;
  HttpParser parser(limits);
  std::string head = post_with("Expect: 100-continue\r\nContent-Length: 2\r\n", "");
  std::size_t size = head.size();
  REQUIRE(parser.parse(head.data(), size) == HttpParser::Status::need_more);
  CHECK(parser.header_complete());
  CHECK(parser.size_hint() == head.size() + 2);
  CHECK(parser.take_expect_continue());
  CHECK_FALSE(parser.take_expect_continue());

  std::string both = post_with("Expect: 100-continue\r\nContent-Length: 2\r\n", "x");
  parser.reset();
  size = both.size();
  REQUIRE(parser.parse(both.data(), size) == HttpParser::Status::need_more);
  CHECK_FALSE(parser.take_expect_continue());
}

TEST_CASE("a header that is there twice says one thing, or it is known that it does not") {
  const auto [fields, value, agreed] = GENERATE(table<std::string, std::string, bool>({
      {"X: a\r\n", "a", true},
      {"X: a\r\nx: a\r\n", "a", true},
      {"X: a\r\nY: b\r\nX: a, a\r\n", "a", true},
      {"X: a, a\r\n", "a", true},
      {"X: a,\r\n", "a", true},
      {"X: ,\r\n", ",", true},
      {"X: a\r\nX: ,\r\n", "a", false},
      {"X: \"a, a\"\r\n", "\"a, a\"", true},
      {"X:\r\n", "", true},
      {"X: a\r\nX: b\r\n", "a", false},
      {"X: a\r\nX: A\r\n", "a", false},
      {"X: a\r\nX:\r\n", "a", false},
      {"X: a, b\r\n", "a", false},
      {"X: a\r\nX: a\r\nX: b\r\n", "a", false},
  }));
  const HttpLimits limits;
  HttpParser parser(limits);
  std::string bytes = get_with(fields);
  std::size_t size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK(parser.request().stated("x").value == value);
  CHECK(parser.request().stated("x").agreed == agreed);
  CHECK(parser.request().stated("none").value.data() == nullptr);
  CHECK(parser.request().stated("none").agreed);
}

TEST_CASE("a list that comes on several lines is one") {
  const HttpLimits limits;
  HttpParser parser(limits);
  std::string bytes = get_with("Accept: a, b\r\nX: y\r\naccept: c\r\nX: y\r\n");
  std::size_t size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  std::string joined;
  CHECK(parser.request().listed("Accept", joined) == "a, b, c");
  CHECK(parser.request().listed("X", joined) == "y");
  CHECK(parser.request().listed("None", joined).data() == nullptr);
}

TEST_CASE("headers that repeat no name are known to") {
  const HttpLimits limits;
  HttpParser parser(limits);
  std::string bytes = post_with("Content-Type: application/json\r\nAccept: */*\r\nMcp-Method: x\r\n", "");
  std::size_t size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK_FALSE(parser.request().repeats);
  parser.reset();
  bytes = get_with("accept: x\r\nACCEPT: x\r\n");
  size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK(parser.request().repeats);
}

TEST_CASE("of a request that cannot be read its headers are known as far as they came") {
  HttpLimits limits;
  limits.header_bytes_max = 200;
  limits.body_bytes_max = 10;
  const auto origin = [&](std::string bytes) {
    HttpParser parser(limits);
    std::size_t size = bytes.size();
    CHECK(parser.parse(bytes.data(), size) != HttpParser::Status::complete);
    return std::string(parser.salvage(bytes).header("origin"));
  };
  const std::string long_line = "X: " + std::string(300, 'x') + "\r\n";
  CHECK(origin(get_with("Origin:  http://a \r\n" + long_line)) == "http://a");
  CHECK(origin(get_with(long_line + "Origin: http://a\r\n")) == "http://a");
  CHECK(origin(post_with("Origin: http://a\r\nContent-Length: 11\r\n", "Origin: b")) == "http://a");
  CHECK(origin(post_with("Content-Length: 11\r\n", "\r\nOrigin: b\r\n")) == "");
  CHECK(origin("GET / HTTP/1.1\r\nOrigin: http://a\r\n\r\n") == "http://a");
  CHECK(origin("GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nX: half") == "http://a");
  CHECK(origin("GET / HTTP/1.1\r\nOrigin: htt") == "");
  CHECK(origin("GET http://x/Origin:y HTTP/1.1\r\nOrigin : http://a\r\nHost: a\r\n\r\n") == "");
}

TEST_CASE("header names are found in any case and counted") {
  const HttpLimits limits;
  HttpParser parser(limits);
  std::string bytes = get_with("accept: x\r\nACCEPT: y\r\n");
  std::size_t size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK(parser.request().header("Accept") == "x");
  CHECK(parser.request().count("Accept") == 2);
  CHECK(parser.request().header("None").data() == nullptr);
}

TEST_CASE("a header is found beside others that an index takes for it") {
  const HttpLimits limits;
  HttpParser parser(limits);
  std::string bytes = get_with("ba: x\r\nad: y\r\nBA: z\r\n");  // their marks are the same, and that of "oz"
  std::size_t size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK(parser.request().header("ba") == "x");
  CHECK(parser.request().count("ba") == 2);
  CHECK(parser.request().header("ad") == "y");
  CHECK(parser.request().header("oz").data() == nullptr);
  parser.reset();
  bytes = get_with("ad: y\r\n");
  size = bytes.size();
  REQUIRE(parser.parse(bytes.data(), size) == HttpParser::Status::complete);
  CHECK(parser.request().header("ba").data() == nullptr);
  CHECK(parser.request().header("AD") == "y");
}
