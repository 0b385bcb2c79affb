#include "collet/ext/relay.h"

#include "support/catch.h"
#include "table_host.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

struct RelayHost : TableHost {
  Ending complete_with(std::string_view result, CallKind kind = CallKind::tool, std::int32_t expected = COLLET_OK) {
    Recorder recorder;
    const CallId id = begin(recorder, kind);
    CHECK(table.add_text(&table, id, "earlier", 7) == COLLET_OK);
    CHECK(relay->complete_with(&table, id, result.data(), result.size()) == expected);
    CHECK(relay->complete_with(&table, id, result.data(), result.size()) == COLLET_E_STALE);
    return recorder.wait_end();
  }

  const collet_relay* relay =
      static_cast<const collet_relay*>(table.get_extension(&table, COLLET_EXT_RELAY, sizeof COLLET_EXT_RELAY - 1));
};

}  // namespace

TEST_CASE("an extension is found by its whole name") {
  RelayHost host;
  REQUIRE(host.relay);
  CHECK(host.relay->struct_size == sizeof(collet_relay));
  CHECK(host.table.get_extension(&host.table, COLLET_EXT_RELAY, 5) == nullptr);
  CHECK(host.table.get_extension(&host.table, nullptr, 5) == nullptr);
}

TEST_CASE("a whole result reaches the client byte for byte, in the pieces that the protocol puts together") {
  RelayHost host;
  const Ending ending = host.complete_with(
      R"({ "content" : [ {"type":"text","text":"\u00e9\n"},)"
      "\n"
      R"( {"type":"text","text":"","n":1.50} ],"structuredContent":{"a" :1.0},)"
      R"("isError":true,"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"other"},"x.y/z":[1]},)"
      R"("resultType":"complete","more":{"a": "}]"},"ttlMs" :5})");
  CHECK(ending.how == Ending::How::completed);
  CHECK(ending.content == R"( {"type":"text","text":"\u00e9\n"},  {"type":"text","text":"","n":1.50} )");
  CHECK(ending.structured == R"({"a" :1.0})");
  CHECK(ending.is_error);
  CHECK(ending.meta == R"({"x.y/z":[1]})");
  CHECK(ending.fields == R"("more":{"a": "}]"},"ttlMs":5)");
}

TEST_CASE("each kind of call has its own content") {
  RelayHost host;
  CHECK(host.complete_with(R"({"contents":[{"uri":"a","text":"b"}]})", CallKind::resource).content ==
        R"({"uri":"a","text":"b"})");
  const Ending prompt = host.complete_with(R"({"messages":[ ],"description":"d"})", CallKind::prompt);
  CHECK(prompt.content.empty());
  CHECK(prompt.fields == R"("description":"d")");
  const Ending completion =
      host.complete_with(R"({"completion":{"values":["a","b"],"total":7,"hasMore":true}})", CallKind::complete);
  CHECK(completion.content == R"("a","b")");
  CHECK(completion.fields == R"("total":7,"hasMore":true)");
  CHECK(host.complete_with(R"({"structuredContent":[1]})").structured == "[1]");
}

TEST_CASE("a whole result loses what is wrong in it and not needed") {
  RelayHost host;
  const Ending ending = host.complete_with(
      "{\"content\":[{\"type\":\"text\",\"text\":\"\xff\",\"annotations\":null},{\"type\":\"text\",\"text\":\"b\"}]"
      ","
      "\"_meta\":{\"io.modelcontextprotocol/related-task\":{},\"a\":1}}");
  CHECK(ending.content == "{\"type\":\"text\",\"text\":\"\uFFFD\"},{\"type\":\"text\",\"text\":\"b\"}");
  CHECK(ending.meta == R"({"a":1})");
}

TEST_CASE("what is no result of its kind fails the call") {
  RelayHost host;
  const auto fails = [&](std::string_view result, CallKind kind) {
    CAPTURE(result);
    const Ending ending = host.complete_with(result, kind, COLLET_E_INVALID);
    CHECK(ending.how == Ending::How::failed);
    CHECK_THAT(ending.message, Catch::StartsWith("plugin tester: complete_with(): "));
  };
  for (const char* bad : {"", "[]", "{", "7", R"({"content":{}})", R"({"content":[}]})",
                          R"({"content":[],"_meta":1})", "{\"content\":[\"\xff\"]}"}) {
    fails(bad, CallKind::tool);
  }
  fails(R"({"content":[]})", CallKind::resource);
  fails(R"({"messages":"x"})", CallKind::prompt);
  fails(R"({"completion":[]})", CallKind::complete);
  fails(R"({"completion":{"values":1}})", CallKind::complete);
  fails(R"({"completion":{"values":["a",1]}})", CallKind::complete);
  fails(R"({"content":[{"text":"no type"}]})", CallKind::tool);
  fails(R"({"contents":[{"text":"no uri"}]})", CallKind::resource);
  fails(R"({"messages":[{"role":"system","content":{"type":"text","text":""}}]})", CallKind::prompt);
  const std::string huge(limits::kResultBytesMax + 1, ' ');
  CHECK(host.complete_with(huge, CallKind::tool, COLLET_E_LIMIT).how == Ending::How::failed);
}

TEST_CASE("an error before does not spoil a whole result") {
  RelayHost host;
  Recorder recorder;
  const CallId id = host.begin(recorder, CallKind::tool);
  CHECK(host.table.add_json(&host.table, id, "[]", 2) == COLLET_E_INVALID);
  CHECK(host.relay->complete_with(&host.table, id, R"({"content":[]})", 14) == COLLET_OK);
  CHECK(recorder.wait_end().how == Ending::How::completed);
}
