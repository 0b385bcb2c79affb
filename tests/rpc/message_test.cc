#include "rpc/message.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::rpc;

namespace {

struct Parsed {
  Arena arena;
  Message message;
  std::optional<rpc::Error> failure;
  explicit Parsed(std::string_view text) { failure = parse_message(text, arena, message); }
};

}  // namespace

TEST_CASE("requests, notifications and responses are told apart") {
  Parsed request(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","arguments":{"a": 1}}})");
  REQUIRE_FALSE(request.failure);
  CHECK(request.message.kind == Message::Kind::request);
  CHECK(request.message.id.text() == "7");
  CHECK(request.message.method == "tools/call");
  CHECK(json::find_string(*request.message.params, "name") == "x");
  CHECK(request.message.arguments == R"({"a": 1})");

  Parsed notification(R"({"method":"notifications/initialized","jsonrpc":"2.0"})");
  REQUIRE_FALSE(notification.failure);
  CHECK(notification.message.kind == Message::Kind::notification);
  CHECK_FALSE(notification.message.params);

  Parsed response(R"({"jsonrpc":"2.0","id":"a","result":{}})");
  REQUIRE_FALSE(response.failure);
  CHECK(response.message.kind == Message::Kind::response);
  CHECK(response.message.id.text() == "\"a\"");
}

TEST_CASE("an id goes back as it came, and 1 is not \"1\"") {
  for (std::string_view id : {"1", "\"1\"", "-5", "18446744073709551615", R"("é\"\\\n")", "\"\""}) {
    Parsed parsed(fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"ping"}})", id));
    REQUIRE_FALSE(parsed.failure);
    CHECK(parsed.message.id.text() == id);
  }
  CHECK_FALSE(Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x"})").message.id ==
              Parsed(R"({"jsonrpc":"2.0","id":"1","method":"x"})").message.id);
}

TEST_CASE("what is not a message is refused with the code of the specification") {
  const auto code = [](std::string_view text) {
    Parsed parsed(text);
    return parsed.failure ? parsed.failure->code : 0;
  };
  CHECK(code("") == kParseError);
  CHECK(code("{") == kParseError);
  CHECK(code("{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}") == kParseError);
  CHECK(code(std::string(10'000, '[') + std::string(10'000, ']')) == kParseError);
  for (std::string_view text :
       {"1", "[]", "null", R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", "{}", R"({"jsonrpc":"2.0"})",
        R"({"jsonrpc":"1.0","id":1,"method":"ping"})", R"({"id":1,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":null,"method":"ping"})", R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":{},"method":"ping"})", R"({"jsonrpc":"2.0","id":1,"method":3})",
        R"({"jsonrpc":"2.0","id":1,"method":""})", R"({"jsonrpc":"2.0","id":1,"method":"x","params":[]})",
        R"({"jsonrpc":"2.0","id":1,"method":"x","params":null})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", R"({"jsonrpc":"2.0","result":{}})"}) {
    INFO(text);
    CHECK(code(text) == kInvalidRequest);
  }
}

TEST_CASE("an id's length is bounded, at the limit and one past it") {
  const auto with_id_of = [](std::size_t bytes) {
    return Parsed(R"({"jsonrpc":"2.0","id":")" + std::string(bytes - 2, 'x') + R"(","method":"x"})").failure;
  };
  CHECK_FALSE(with_id_of(limits::kIdBytesMax));
  CHECK(with_id_of(limits::kIdBytesMax + 1));
}

TEST_CASE("the id is kept for the error when the rest is wrong") {
  CHECK(Parsed(R"({"jsonrpc":"2.0","id":3,"method":"x","params":1})").message.id.text() == "3");
}

TEST_CASE("an arena is used again and again") {
  Arena arena;
  Message message;
  for (int i = 0; i < 3; ++i) {
    const std::string padding(i * 20'000, 'x');
    REQUIRE_FALSE(parse_message(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"p":")" + padding + "\"}}", arena,
                                message));
    CHECK(json::find_string(*message.params, "p") == padding);
    arena.clear();
  }
}
