#include "client/mcp/broken_text.h"

#include "client/mcp/message.h"
#include "support/catch.h"

using namespace collet::client;

TEST_CASE("what strings cannot have is put right, and nothing else") {
  CHECK(mended(R"({"a":"x\ud83d y"})") == R"({"a":"x\ufffd y"})");
  CHECK(mended(R"({"a":"\ude00\ud83d\ud83d\ude00"})") == R"({"a":"\ufffd\ufffd\ud83d\ude00"})");
  CHECK(mended(R"({"a":"\\ud83d \" \n"})") == R"({"a":"\\ud83d \" \n"})");
  CHECK(mended("{\"a\":\"caf\xe9 \xff \xc3\xa9\"}") == "{\"a\":\"caf\xef\xbf\xbd \xef\xbf\xbd \xc3\xa9\"}");
  CHECK(mended("{\"a\":\"1\n2\",\n\"b\":1}") == "{\"a\":\"1\\n2\",\n\"b\":1}");
  for (const char* cut : {R"({"a":"\)", R"({"a":"\ud8)", R"({"a":"\ud83d)", "{\"a\":\"\xf0\x9f", "\""}) {
    CAPTURE(cut);
    static_cast<void>(mended(cut));
  }
}

TEST_CASE("a message that is put right is read as one, also of a batch") {
  for (const std::string text : {R"({"id":7,"result":{"a":"\ud83d"}})", R"([{"id":7,"result":{"a":"\ud83d"}}])"}) {
    unsigned read = 0;
    CHECK(for_each_message(text, [&](const Message& message, std::string_view) {
      ++read;
      CHECK(message.number() == 7u);
      CHECK(message.result == R"({"a":"\ufffd"})");
    }));
    CHECK(read == 1);
  }
}

TEST_CASE("an id is a number of ours also as a string, or with a fraction of 0") {
  for (const char* id : {"7", "\"7\"", "7.0"}) {
    CAPTURE(id);
    CHECK(Message{.id = id}.number() == 7u);
  }
  for (const char* id : {"\"\"", "\"7", "7.5", "\"a\"", "-7", "null", ""}) {
    CAPTURE(id);
    CHECK_FALSE(Message{.id = id}.number());
  }
}

TEST_CASE("whose answer a broken text was is seen as far as its id has come") {
  const std::string whole = R"({"jsonrpc":"2.0","id": "12" ,"result":{"id":5,"content":[{"type":"text"}]}})";
  const std::size_t id_ends = whole.find(" ,") + 2;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const Broken broken = examine(whole.substr(0, size));
    CHECK(broken.is_answer == (size >= id_ends));
    CHECK(broken.id == (size >= id_ends ? std::optional<std::uint64_t>(12) : std::nullopt));
  }
  const Broken late = examine(R"({"result":{"content":[}],"jsonrpc":"2.0","id":3)");
  CHECK(late.is_answer);
  CHECK_FALSE(late.id);
  CHECK(examine(R"({"id":3,"result":{bad}})").id == 3u);
}

TEST_CASE("a broken text that is no answer is nobody's") {
  for (const char* text :
       {"", "Listening on stdio", R"("jsonrpc":"2.0","id":1)", "[1,2]", R"({"level":"info","msg)",
        R"({"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{)",
        R"({"jsonrpc":"2.0","result":[[[[}]]]})"}) {
    CAPTURE(text);
    CHECK_FALSE(examine(text).is_answer);
  }
}
