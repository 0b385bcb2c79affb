#include "client/mcp/message.h"

#include <vector>

#include "support/catch.h"

using namespace collet::client;

TEST_CASE("a message is split into the texts of its members, byte for byte") {
  const auto response = parse_message(R"( {"jsonrpc":"2.0","id":7,"result":{ "a" : [1, 2.50] }} )");
  REQUIRE(response);
  CHECK(response->is_response());
  CHECK(response->number() == 7u);
  CHECK(response->result == R"({ "a" : [1, 2.50] })");

  const auto request = parse_message(R"({"id":"x","method":"ping","params":{}})");
  REQUIRE(request);
  CHECK(request->is_request());
  CHECK(request->id == R"("x")");
  CHECK_FALSE(request->number());
  CHECK(request->method == "ping");

  const auto notification = parse_message(R"({"method":"notifications/message"})");
  REQUIRE(notification);
  CHECK_FALSE(notification->is_request());
  CHECK_FALSE(notification->is_response());
}

TEST_CASE("what is no message is refused with a reason") {
  for (const char* text : {"", "{", "junk", "[]x", "{}", R"({"id":1})", R"({"id":1,"result":[]})",
                           R"({"id":1,"result":{},"error":{}})", R"({"method":7})", R"({"method":"a","params":[]})",
                           R"({"id":1,"error":"no"})", "{\"method\":\"a\xff\"}"}) {
    CAPTURE(text);
    const auto message = parse_message(text);
    REQUIRE_FALSE(message);
    CHECK_FALSE(message.message().empty());
  }
}

TEST_CASE("a batch is its messages, and a bad one among them costs only itself") {
  std::vector<std::string> methods;
  const auto result =
      for_each_message(R"( [{"method":"a"}, {"id":1}, {"method":"b"}])",
                       [&](const Message& message, std::string_view) { methods.emplace_back(message.method); });
  CHECK_FALSE(result);
  CHECK(methods == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what is wrong with a message is said in short, however long its names are") {
  const std::string name(1'000'000, 'n');
  const auto read = parse_message("{\"result\":{\"" + name + "\":tru}}");
  REQUIRE_FALSE(read);
  CHECK(read.message().size() < 300);
  const auto deep = parse_message("{\"result\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}");
  REQUIRE_FALSE(deep);
  CHECK_THAT(deep.message(), Catch::StartsWith("…") && Catch::EndsWith("/0/0/0: nested too deeply"));
  const auto placed = parse_message("{\"method\":5,\"\xff\":1}");
  CHECK_THAT(placed.message(), Catch::Contains("expected string"));
}

TEST_CASE("what is not UTF-8 is replaced, and the rest stays") {
  CHECK(to_utf8("a\xff\xc3\xa9\x1b\"\\\0") == "a\xef\xbf\xbd\xc3\xa9\x1b\"\\");
  CHECK(to_utf8("cut \xc3") == "cut \xef\xbf\xbd");
  CHECK(to_utf8("").empty());
}

TEST_CASE("an error is read as far as it is one") {
  const RpcError error = read_error(R"({"code":-32602,"message":"no \"x\"","data":{"uri":"a"}})");
  CHECK(error.code == -32602);
  CHECK(error.message == "no \"x\"");
  CHECK(error.data == R"({"uri":"a"})");
  for (const char* no_code :
       {R"({"message":5})", R"({"code":1e99})", R"({"code":"1"})", R"({"code":99999999999})"}) {
    CHECK(read_error(no_code).code == kInternalError);
  }
}

TEST_CASE("members are found by key, whatever their values") {
  constexpr std::string_view kObject = R"({"a":"x\ny","n":12,"o":{"p":true},"f":1.5})";
  CHECK(find_string(kObject, "a") == "x\ny");
  CHECK_FALSE(find_string(kObject, "n"));
  CHECK(find_unsigned(kObject, "n") == 12u);
  CHECK_FALSE(find_unsigned(kObject, "f"));
  CHECK(find_member(find_member(kObject, "o"), "p") == "true");
  CHECK(find_member(kObject, "none").data() == nullptr);
  CHECK(find_member("[1]", "a").data() == nullptr);
  CHECK(find_member({}, "a").data() == nullptr);
}
