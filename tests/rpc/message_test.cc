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

TEST_CASE("what a message says of itself is known if it is an object") {
  Arena arena;
  Message message;
  REQUIRE_FALSE(parse_message(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"a":1}}})", arena, message));
  REQUIRE(message.meta);
  CHECK(message.meta == message.param("_meta"));
  arena.clear();
  REQUIRE_FALSE(parse_message(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":1,"arguments":{"_meta":{}}}})", arena, message));
  CHECK_FALSE(message.meta);
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
  CHECK(code("") == mcp::kParseError);
  CHECK(code("{") == mcp::kParseError);
  CHECK(code("{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}") == mcp::kParseError);
  CHECK(code(std::string(10'000, '[') + std::string(10'000, ']')) == mcp::kParseError);
  for (std::string_view text :
       {"1", "[]", "null", R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", "{}", R"({"jsonrpc":"2.0"})",
        R"({"jsonrpc":"1.0","id":1,"method":"ping"})", R"({"id":1,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":null,"method":"ping"})", R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":{},"method":"ping"})", R"({"jsonrpc":"2.0","id":1,"method":3})",
        R"({"jsonrpc":"2.0","id":1,"method":""})", R"({"jsonrpc":"2.0","id":1,"method":"x","params":[]})",
        R"({"jsonrpc":"2.0","id":1,"method":"x","params":null})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", R"({"jsonrpc":"2.0","result":{}})"}) {
    INFO(text);
    CHECK(code(text) == mcp::kInvalidRequest);
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

TEST_CASE("a refusal carries the id wherever it can be read") {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  for (const std::string& text : {
           R"({"jsonrpc":"2.0","id":7,"method":"x","params":{"a":)" + deep + "}}",
           R"({"jsonrpc":"2.0","method":"x","params":{"a":)" + deep + R"(},"id":7})",
           std::string(R"({"jsonrpc":"2.0","id":7,"method":"x","params":{"s":"\ud83d"}})"),
           std::string(R"({"jsonrpc":"2.0","id":7,"method":"x","params":{"s":"\udd83"}})"),
           std::string(R"({"jsonrpc":"2.0","id":7,"method":"x","params":{"n":1e400}})"),
           std::string("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"x\",\"params\":{\"s\":\"\xff\"}}"),
           std::string(R"({"jsonrpc":"2.0","id":7,"method":"x","method":"y"})"),
           std::string(R"({"jsonrpc":"2.0","id":7,"method":"x","params":{},"params":{}})"),
           std::string(R"({"jsonrpc":"2.0","id":7,"method":"x","params":{"name":1,"name":2}})"),
           std::string(R"({"jsonrpc":"1.0","id":7,"method":"x"})"),
       }) {
    INFO(text.substr(0, 100));
    Parsed parsed(text);
    CHECK(parsed.failure);
    CHECK(parsed.message.kind == Message::Kind::request);
    CHECK(parsed.message.id.text() == "7");
  }
}

TEST_CASE("an id that is given twice, or of a bad kind, is none") {
  for (const char* text :
       {R"({"jsonrpc":"2.0","id":7,"id":8,"method":"x"})", R"({"jsonrpc":"2.0","id":true,"method":"x"})",
        R"({"jsonrpc":"2.0","id":[7],"method":"x"})", R"({"jsonrpc":"2.0","id":7.5,"method":"x"})"}) {
    INFO(text);
    Parsed parsed(text);
    CHECK(parsed.failure);
    CHECK(parsed.message.kind == Message::Kind::request);
    CHECK(parsed.message.id.empty());
  }
}

TEST_CASE("a response is known for one whatever else is wrong with it") {
  for (const char* text :
       {R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}})",
        R"({"jsonrpc":"2.0","id":1.5,"result":{}})", R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})",
        R"({"jsonrpc":"2.0","result":{}})", R"({"jsonrpc":"2.0","id":1,"result":{"s":"\ud83d"}})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"result":{}})",
        R"({"id":1,"result":{}})", R"({"jsonrpc":"2.0","id":1,"result":{"n":)"}) {
    INFO(text);
    CHECK(Parsed(text).message.kind == Message::Kind::response);
  }
  CHECK_FALSE(Parsed(R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}})").failure);
}

TEST_CASE("a member that matters to routing and is there twice is refused: a proxy may read the other one") {
  for (const std::string member :
       {"name", "uri", "cursor", "arguments", "taskId", "requestState", "inputResponses", "level", "_meta", "ref",
        "argument", "protocolVersion", "requestId", "anything"}) {
    INFO(member);
    const std::string pair = "\"" + member + "\":{}";
    Parsed parsed(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{)" + pair + ",\"a\":1," + pair + "}}");
    REQUIRE(parsed.failure);
    CHECK(parsed.failure->message.find("is there twice") != std::string::npos);
    CHECK_FALSE(Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{)" + pair + ",\"a\":1}}").failure);
  }
  for (const std::string member : {"jsonrpc", "method", "params"}) {
    const std::string value = member == "params" ? "{}" : member == "method" ? "\"x\"" : "\"2.0\"";
    Parsed parsed("{\"" + member + "\":" + value + R"(,"jsonrpc":"2.0","id":1,"method":"x","params":{}})");
    CHECK(parsed.failure);
  }
  for (const char* object : {"_meta", "ref", "argument", "task", "notifications", "inputResponses"}) {
    INFO(object);
    const auto of = [&](std::string_view text) {
      const std::string params = fmt::format(R"({{"{}":{}}})", object, text);
      return Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x","params":)" + params + "}").failure;
    };
    CHECK(of(R"({"io.modelcontextprotocol/logLevel":"a","x":1,"io.modelcontextprotocol/logLevel":"b"})"));
    CHECK(of(R"({"type":1,"\u0074ype":2})"));
    CHECK_FALSE(of(R"({"type":1,"Type":2})"));
  }
}

TEST_CASE("what a tool's arguments hold twice is the tool's affair") {
  CHECK_FALSE(Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{"a":1,"a":2}}})").failure);
}

TEST_CASE("members are bounded, at the limit and one past it, and a repeated one is found among many") {
  const auto with = [](unsigned count, std::string_view last) {
    std::string params;
    for (unsigned i = 0; i + 1 < count; ++i) params += fmt::format("\"k{}\":0,", i);
    params += fmt::format("\"{}\":0", last);
    return Parsed(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{)" + params + "}}").failure;
  };
  CHECK_FALSE(with(limits::kMembersMax, "last"));
  CHECK(with(limits::kMembersMax + 1, "last"));
  for (unsigned count : {2u, 16u, 17u, 100u}) {
    CHECK_FALSE(with(count, "last"));
    CHECK(with(count, "k0"));
  }
}

TEST_CASE("one byte order mark at the beginning is skipped") {
  CHECK(Parsed("\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}").message.id.text() == "8");
  CHECK_FALSE(Parsed("\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}").failure);
  CHECK(Parsed("\xef\xbb\xbf\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}").failure);
  CHECK(is_batch("\xef\xbb\xbf[]"));
  std::vector<std::string_view> messages;
  CHECK_FALSE(split_batch("\xef\xbb\xbf[1]", messages));
}

TEST_CASE("a refusal says at which byte of what was sent the fault is") {
  const auto message = [](std::string_view text) { return Parsed(text).failure.value().message; };
  CHECK(message("{\"jsonrpc\":\"2.0\",\"a\":\"\xc3\xa9\xff\"}") == "Parse error: not valid UTF-8 at byte 24");
  CHECK(message("\xef\xbb\xbf{\"a\":\"\xff\"}") == "Parse error: not valid UTF-8 at byte 9");
  CHECK(message("\xef\xbb\xbfx") == "Parse error: Invalid value at byte 3");
}

TEST_CASE("an arena lets go of the room that a large message took") {
  Arena arena;
  Message message;
  const std::string large = R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":")" + std::string(1 << 20, 'a') + "\"}}";
  const std::size_t empty = arena.bytes();
  REQUIRE_FALSE(parse_message(large, arena, message));
  CHECK(arena.bytes() > large.size());
  arena.clear();
  CHECK(arena.bytes() <= empty);
}
