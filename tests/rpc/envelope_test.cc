#include "rpc/envelope.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::rpc;

namespace {

struct Seen {
  Message message;
  bool settled = false;
  Seen(std::string_view text, std::size_t step) {
    EnvelopeScanner scanner;
    for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) scanner.feed(text.substr(0, step));
    scanner.read_into(message);
    settled = scanner.settled();
  }
};

}  // namespace

TEST_CASE("whom to answer is read from a message of which not all can be read, split at every byte") {
  struct Case {
    std::string_view text;
    Message::Kind kind;
    std::string_view id;
  };
  constexpr auto kRequest = Message::Kind::request;
  constexpr auto kNotification = Message::Kind::notification;
  constexpr auto kResponse = Message::Kind::response;
  const Case cases[] = {
      {R"({"jsonrpc":"2.0","id":7,"method":"x"})", kRequest, "7"},
      {R"( { "method" : "x" , "id" : "a\"}{,é" } )", kRequest, R"("a\"}{,é")"},
      {R"({"params":{"id":1,"b":["}",{"id":2}]},"method":"x","id":3})", kRequest, "3"},
      {"{\"method\":\"\xff\\ud83d\",\"n\":1e400,\"id\":-5}", kRequest, "-5"},
      {R"({"\u0069d":9,"method":"x"})", kRequest, "9"},
      {R"({"method":"x","params":{"id":1}})", kNotification, ""},
      {R"({"method":"x","id":null})", kRequest, ""},
      {R"({"method":"x","id":{"id":1}})", kRequest, ""},
      {R"({"method":"x","id":1.5})", kRequest, ""},
      {"{\"method\":\"x\",\"id\":\"\xff\"}", kRequest, ""},
      {R"({"id":1,"method":"x","id":2})", kRequest, ""},
      {R"({"id":1,"result":{"method":"x"}})", kResponse, "1"},
      {R"({"error":{},"id":null})", kResponse, ""},
      {R"({"id":1})", kRequest, "1"},
      // What breaks off is answered if that can be told.
      {R"({"jsonrpc":"2.0","id":1)", kRequest, ""},
      {R"({"jsonrpc":"2.0","id":1,"met)", kRequest, "1"},
      {R"({"jsonrpc":"2.0","id":1,"result":{"a":)", kResponse, "1"},
      {R"({"jsonrpc":"2.0","method":"x","params":)", kRequest, ""},
      {R"({"id":1,"method":"x"}})", kRequest, "1"},
      {R"({"id":1 "method":"x"})", kRequest, "1"},
      {R"([{"id":1}])", kRequest, ""},
      {"nonsense", kRequest, ""},
      {"", kRequest, ""},
  };
  for (const Case& c : cases) {
    for (const std::size_t step : {std::size_t(1), std::size_t(3), std::max<std::size_t>(c.text.size(), 1)}) {
      INFO(c.text << " by " << step);
      const Seen seen(c.text, step);
      CHECK(seen.message.kind == c.kind);
      CHECK(seen.message.id.text() == c.id);
    }
  }
}

TEST_CASE("a message is known as soon as it has said its id and what it is, or cannot say so any more") {
  CHECK(Seen(R"({"id":1,"method":"x","params":{)", 1).settled);
  CHECK(Seen(R"({"method":"x","id":1,)", 1).settled);
  CHECK(Seen(R"({"id":1,"result":{)", 1).settled);
  CHECK(Seen("xxx", 1).settled);
  CHECK_FALSE(Seen(R"({"id":1,"params":{"method":1)", 1).settled);
  CHECK_FALSE(Seen(R"({"method":"x","params":{"id":1)", 1).settled);
  CHECK_FALSE(Seen(R"({"method":"x","id":1)", 1).settled);  // or 12
}

TEST_CASE("a message that breaks off behind a key is what the key says") {
  CHECK(Seen(R"({"id":5,"result":)", 1).message.kind == Message::Kind::response);
  CHECK(Seen(R"({"id":5,"error")", 1).message.kind == Message::Kind::response);
  CHECK(Seen(R"({"id":5,"method":)", 1).message.kind == Message::Kind::request);
}

TEST_CASE("an id that is too long is none, at the limit and one past it, and costs no memory") {
  const auto id_of = [](std::size_t bytes) {
    return Seen(R"({"method":"x","id":")" + std::string(bytes - 2, 'x') + "\"}", 1000).message.id;
  };
  CHECK(id_of(limits::kIdBytesMax).text().size() == limits::kIdBytesMax);
  CHECK(id_of(limits::kIdBytesMax + 1).empty());
  CHECK(id_of(1'000'000).empty());
}

TEST_CASE("a member's name that is too long is another one") {
  const std::string text = "{\"" + std::string(1'000'000, 'i') + "\":1,\"id\":2,\"method\":\"x\"}";
  CHECK(Seen(text, 1000).message.id.text() == "2");
}
