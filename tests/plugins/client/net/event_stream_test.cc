#include "client/net/event_stream.h"

#include <vector>

#include "support/catch.h"

using namespace collet::client;

namespace {

struct Reader {
  explicit Reader(std::size_t bytes_max = limits::kMessageBytesMax) : stream(bytes_max) {}
  bool feed(std::string_view bytes) {
    return stream
        .feed(bytes,
              [this](const Event& event) {
                events.push_back(std::string(event.type) + "=" + std::string(event.data));
              })
        .ok();
  }
  EventStream stream;
  std::vector<std::string> events;
};

constexpr std::string_view kStream =
    "\xEF\xBB\xBF: a comment\r\n"
    "retry: 250\n"
    "id: 7\rdata: one\n\n"
    "event: endpoint\r\ndata:/messages\r\n\r\n"
    "data: {\ndata: }\n\n"
    "id\ndata\n\n"
    "event: lost\n\n"
    "data: cut off";

}  // namespace

TEST_CASE("an event stream means the same however it is cut into pieces") {
  const std::vector<std::string> expected = {"message=one", "endpoint=/messages", "message={\n}", "message="};
  for (std::size_t at = 0; at <= kStream.size(); ++at) {
    Reader reader;
    CHECK(reader.feed(kStream.substr(0, at)));
    CHECK(reader.feed(kStream.substr(at)));
    CHECK(reader.events == expected);
    CHECK(reader.stream.retry_ms() == 250u);
    CHECK(reader.stream.last_id().empty());  // "id" without a value takes it back
  }
  Reader reader;
  for (const char c : kStream) CHECK(reader.feed({&c, 1}));
  CHECK(reader.events == expected);
}

TEST_CASE("a stream is resumed with the last id it gave") {
  Reader reader;
  CHECK(reader.feed("id: 1\ndata: a\n\nid: 2\ndata: half"));
  reader.stream.restart();
  CHECK(reader.stream.last_id() == "2");
  CHECK(reader.feed("data: b\n\n"));
  CHECK(reader.events == std::vector<std::string>{"message=a", "message=b"});
}

TEST_CASE("what a stream says of ids and pauses is bounded") {
  Reader reader;
  CHECK(reader.feed("retry: 99999999999\nretry: soon\n"));
  CHECK(reader.stream.retry_ms() == limits::kRetryMsMax);
  const std::string longest(limits::kEventStreamIdBytesMax, 'i');
  CHECK(reader.feed("id: " + longest + "\nid: x" + longest + "\n"));
  CHECK(reader.stream.last_id() == longest);
}

TEST_CASE("a line or an event without end breaks the stream, at its bound and not before") {
  Reader whole(16);
  CHECK(whole.feed("data: 0123456789\n\n"));
  CHECK(whole.events.size() == 1);
  Reader line(16);
  CHECK_FALSE(line.feed("data: 0123456789a"));
  CHECK_FALSE(line.feed("\n\n"));
  Reader event(16);
  CHECK(event.feed("data: 01234567\n"));
  CHECK_FALSE(event.feed("data: 01234567\n\n"));
  CHECK(event.events.empty());
}
