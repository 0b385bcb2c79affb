#include "collet/ext/relay.h"
#include "collet/ext/stream.h"
#include "plugin/abi/host_table.h"

#include <cmath>
#include <limits>

#include "house.h"
#include "support/catch.h"
#include "table_host.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

class Host : public TableHost {
 public:
  // Answers one call by `body` and returns how it ended.
  template <class Body>
  Ending answer(CallKind kind, Body body) {
    Recorder recorder;
    const CallId id = begin(recorder, kind, "test://uri");
    body(id);
    CHECK(table.complete(&table, id, 0) == COLLET_OK);
    return recorder.wait_end();
  }
  std::int32_t add_text(CallId id, std::string_view text) {
    return table.add_text(&table, id, text.data(), text.size());
  }
  std::int32_t add_json(CallId id, std::string_view json) {
    return table.add_json(&table, id, json.data(), json.size());
  }
  std::int32_t set_field(CallId id, std::string_view key, std::string_view json) {
    return table.set_field(&table, id, key.data(), key.size(), json.data(), json.size());
  }
  std::int32_t need_input(CallId id, std::string_view key, std::string_view json) {
    return table.need_input(&table, id, key.data(), key.size(), json.data(), json.size());
  }
  std::int32_t add_blob(CallId id, std::string_view type, std::string_view mime, std::string_view bytes) {
    collet_blob blob = 0;
    void* data = nullptr;
    REQUIRE(table.blob_new(&table, bytes.size(), &blob, &data) == COLLET_OK);
    std::memcpy(data, bytes.data(), bytes.size());
    return table.add_blob(&table, id, type.data(), type.size(), mime.data(), mime.size(), blob);
  }
  std::int32_t add_item(std::string_view name, std::string_view definition, std::uint32_t kind = COLLET_TOOL) {
    collet_item_def def{};
    def.struct_size = sizeof def;
    def.kind = kind;
    def.flags = item_flags;
    def.name = {name.data(), name.size()};
    def.definition = {definition.data(), definition.size()};
    collet_item item = 0;
    return table.item_add(&table, &def, &item);
  }

  std::uint32_t item_flags = 0;
};

// Has written half of a text when there is no memory left.
struct Exhausted final : content::Form {
  void text(std::string& out, CallKind, const content::Reading&, std::string_view) const override {
    out += R"({"type":"text","text":")";
    throw std::bad_alloc();
  }
  void whole(Ending&, std::string_view) const override { throw std::bad_alloc(); }
};

}  // namespace

TEST_CASE("pieces of a result become the content of their kind of call") {
  Host host;
  CHECK(host.answer(CallKind::tool,
                    [&](CallId id) {
                      CHECK(host.add_text(id, "a\n\"b\"") == COLLET_OK);
                      CHECK(host.add_json(id, "{\"type\":\n\"text\",\r\n\"text\":\"c\"}") == COLLET_OK);
                      CHECK(host.add_blob(id, "image", "image/png", "abc") == COLLET_OK);
                      CHECK(host.add_blob(id, "resource", "", "abcd") == COLLET_OK);
                    })
            .content == R"({"type":"text","text":"a\n\"b\""},{"type": "text",  "text":"c"},)"
                        R"({"type":"image","mimeType":"image/png","data":"YWJj"},)"
                        R"({"type":"resource","resource":{"uri":"collet:embedded","blob":"YWJjZA=="}})");
  CHECK(host.answer(CallKind::resource,
                    [&](CallId id) {
                      CHECK(host.add_text(id, "t") == COLLET_OK);
                      CHECK(host.add_blob(id, "", "a/b", "x") == COLLET_OK);
                    })
            .content == R"({"uri":"test://uri","text":"t"},{"uri":"test://uri","mimeType":"a/b","blob":"eA=="})");
  CHECK(host.answer(CallKind::prompt, [&](CallId id) { CHECK(host.add_text(id, "t") == COLLET_OK); }).content ==
        R"({"role":"user","content":{"type":"text","text":"t"}})");
  CHECK(host.answer(CallKind::complete,
                    [&](CallId id) {
                      CHECK(host.add_text(id, "t") == COLLET_OK);
                      CHECK(host.add_text(id, "u") == COLLET_OK);
                    })
            .content == R"("t","u")");
}

TEST_CASE("structured content, meta and more members travel beside the content") {
  Host host;
  const Ending ending = host.answer(CallKind::tool, [&](CallId id) {
    CHECK(host.table.set_structured(&host.table, id, "1", 1) == COLLET_OK);
    CHECK(host.table.set_structured(&host.table, id, "{\"a\":\n2}", 8) == COLLET_OK);  // the last one counts
    CHECK(host.table.set_meta(&host.table, id, "{}", 2) == COLLET_OK);
    CHECK(host.set_field(id, "ttlMs", "5") == COLLET_OK);
    CHECK(host.set_field(id, "quo\"ted", "null") == COLLET_OK);
  });
  CHECK(ending.structured == "{\"a\": 2}");
  CHECK(ending.meta == "{}");
  CHECK(ending.fields == R"("ttlMs":5,"quo\"ted":null)");
}

TEST_CASE("the first error of a result sticks and fails the call, naming plugin and cause") {
  Host host;
  const Ending ending = host.answer(CallKind::tool, [&](CallId id) {
    CHECK(host.add_text(id, "good") == COLLET_OK);
    CHECK(host.add_json(id, "[]") == COLLET_E_INVALID);
    CHECK(host.add_text(id, std::string_view()) == COLLET_OK);
    CHECK(host.set_field(id, "", "1") == COLLET_E_INVALID);
  });
  CHECK(ending.how == Ending::How::failed);
  CHECK(ending.rpc_code == -32603);
  CHECK(ending.message == "plugin tester: add_json(): the piece is not a JSON object");
}

TEST_CASE("bad pieces are refused") {
  Host host;
  const auto fails = [&](CallKind kind, std::int32_t status, auto body) {
    const Ending ending = host.answer(kind, [&](CallId id) { CHECK(body(id) == status); });
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.message.find("plugin tester: ") == 0);
  };
  const collet_host* h = &host.table;
  constexpr std::size_t kHuge = std::size_t{1} << 30;
  const auto tool = CallKind::tool;
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return h->add_text(h, id, nullptr, 1); });
  fails(tool, COLLET_E_LIMIT, [&](CallId id) { return h->add_text(h, id, "x", kHuge); });
  fails(tool, COLLET_E_LIMIT, [&](CallId id) { return h->add_text(h, id, "x", ~std::size_t{0}); });
  fails(tool, COLLET_E_LIMIT, [&](CallId id) { return h->add_json(h, id, "x", kHuge); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.add_json(id, "[]"); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.add_json(id, "{\"a\":1}x"); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return h->set_structured(h, id, "nul", 3); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return h->set_structured(h, id, nullptr, 0); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return h->set_meta(h, id, "[]", 2); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.set_field(id, "", "1"); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.set_field(id, "content", "1"); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.set_field(id, "\xc0", "1"); });
  fails(tool, COLLET_E_DUPLICATE, [&](CallId id) {
    CHECK(host.set_field(id, "a", "1") == COLLET_OK);
    return host.set_field(id, "a", "1");
  });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.add_blob(id, "video", "a/b", "x"); });
  fails(tool, COLLET_E_INVALID, [&](CallId id) { return host.add_blob(id, "image", "", "x"); });
  fails(tool, COLLET_E_STALE, [&](CallId id) { return h->add_blob(h, id, "image", 5, "a/b", 3, 77); });
  fails(CallKind::prompt, COLLET_E_UNSUPPORTED, [&](CallId id) { return host.add_blob(id, "image", "a/b", "x"); });
  fails(CallKind::prompt, COLLET_E_UNSUPPORTED, [&](CallId id) { return h->set_structured(h, id, "1", 1); });
  fails(CallKind::complete, COLLET_E_UNSUPPORTED, [&](CallId id) { return host.add_json(id, "{}"); });
}

TEST_CASE("a result may be as large as the limit and not one byte larger") {
  Host host;
  const std::size_t shell = std::string_view(R"({"type":"text","text":""})").size();
  std::string text(limits::kResultBytesMax - shell, 'a');
  CHECK(host.answer(CallKind::tool, [&](CallId id) { CHECK(host.add_text(id, text) == COLLET_OK); }).how ==
        Ending::How::completed);
  text += 'a';
  // A worker learns of it from its host.
  CHECK(
      host.answer(CallKind::tool,
                  [&](CallId id) { CHECK(host.add_text(id, text) == (in_worker() ? COLLET_OK : COLLET_E_LIMIT)); })
          .how == Ending::How::failed);
}

TEST_CASE("members of a result are counted") {
  Host host;
  host.answer(CallKind::tool, [&](CallId id) {
    for (unsigned i = 0; i < limits::kResultFieldsMax; ++i) {
      CHECK(host.set_field(id, "f" + std::to_string(i), "1") == COLLET_OK);
    }
    CHECK(host.set_field(id, "more", "1") == COLLET_E_LIMIT);
  });
}

TEST_CASE("a call ends once: whatever comes later is stale") {
  Host host;
  const collet_host* h = &host.table;
  Recorder recorder;
  const CallId id = host.begin(recorder);
  CHECK(h->complete(h, id, 1) == COLLET_OK);
  CHECK(h->complete(h, id, 0) == COLLET_E_STALE);
  CHECK(h->fail(h, id, -1, "m", 1, nullptr, 0) == COLLET_E_STALE);
  CHECK(h->suspend(h, id, nullptr, 0, 0) == COLLET_E_STALE);
  CHECK(host.add_text(id, "x") == COLLET_E_STALE);
  CHECK(host.add_blob(id, "image", "a/b", "x") == COLLET_E_STALE);
  CHECK(h->progress(h, id, 1, 1, nullptr, 0) == COLLET_E_STALE);
  CHECK(h->log(h, id, 6, nullptr, 0, "1", 1) == COLLET_E_STALE);
  CHECK(h->is_cancelled(h, id) == COLLET_E_STALE);
  collet_str out{"x", 1};
  CHECK(h->call_info(h, id, "era", 3, &out) == COLLET_E_STALE);
  CHECK_FALSE(out.data);
  CHECK(recorder.wait_end().is_error);
  CHECK(recorder.ends() == 1);
  void* data = nullptr;
  collet_blob blob = 0;
  CHECK(h->blob_new(h, 1, &blob, &data) == COLLET_OK);
  CHECK(blob == 2);  // the one given to the stale call was taken all the same
  CHECK(h->blob_drop(h, 1) == COLLET_E_STALE);
}

TEST_CASE("fail() carries code, message and data; with bad arguments it still ends the call") {
  Host host;
  const collet_host* h = &host.table;
  {
    Recorder recorder;
    const CallId id = host.begin(recorder);
    CHECK(h->fail(h, id, -32002, "gone", 4, "{\"uri\":\n1}", 10) == COLLET_OK);
    const Ending ending = recorder.wait_end();
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.rpc_code == -32002);
    CHECK(ending.message == "gone");
    CHECK(ending.data == "{\"uri\": 1}");
  }
  Recorder recorder;
  const CallId id = host.begin(recorder);
  CHECK(h->fail(h, id, -1, "m", 1, "{", 1) == COLLET_E_INVALID);
  const Ending ending = recorder.wait_end();
  CHECK(ending.rpc_code == -32603);
  CHECK(ending.message.find("plugin tester: fail(): ") == 0);
}

TEST_CASE("only a tool completes with an error") {
  Host host;
  Recorder recorder;
  const CallId id = host.begin(recorder, CallKind::prompt);
  CHECK(host.table.complete(&host.table, id, 1) == COLLET_E_UNSUPPORTED);
  CHECK(recorder.wait_end().how == Ending::How::failed);
}

TEST_CASE("a call asks for input and suspends itself") {
  Host host;
  const collet_host* h = &host.table;
  Recorder recorder;
  const CallId id = host.begin(recorder);
  CHECK(host.need_input(id, "a", "{\"method\":\"roots/list\"\n}") == COLLET_OK);
  CHECK(host.need_input(id, "b", R"({"method":"elicitation/create","params":{}})") == COLLET_OK);
  CHECK(h->suspend(h, id, "st\0te", 5, 9) == COLLET_OK);
  const Ending ending = recorder.wait_end();
  CHECK(ending.how == Ending::How::suspended);
  REQUIRE(ending.input_requests.size() == 2);
  CHECK(ending.input_requests[0].key == "a");
  CHECK(ending.input_requests[0].request == "{\"method\":\"roots/list\" }");
  CHECK(ending.state == std::string_view("st\0te", 5));
  CHECK(ending.state_version == 9);
}

TEST_CASE("bad requests for input and too much state fail the call") {
  Host host;
  const auto fails = [&](std::int32_t status, auto body) {
    Recorder recorder;
    const CallId id = host.begin(recorder);
    CHECK(body(id) == status);
    host.table.suspend(&host.table, id, nullptr, 0, 0);
    CHECK(recorder.wait_end().how == Ending::How::failed);
  };
  fails(COLLET_E_INVALID, [&](CallId id) { return host.need_input(id, "a", R"({"method":"tools/call"})"); });
  fails(COLLET_E_INVALID,
        [&](CallId id) { return host.need_input(id, "a", R"({"method":"roots/list","params":1})"); });
  fails(COLLET_E_INVALID, [&](CallId id) { return host.need_input(id, "a", "[]"); });
  fails(COLLET_E_INVALID, [&](CallId id) { return host.need_input(id, "", R"({"method":"roots/list"})"); });
  fails(COLLET_E_DUPLICATE, [&](CallId id) {
    CHECK(host.need_input(id, "a", R"({"method":"roots/list"})") == COLLET_OK);
    return host.need_input(id, "a", R"({"method":"roots/list"})");
  });
  fails(COLLET_E_LIMIT, [&](CallId id) {
    for (unsigned i = 0; i < limits::kInputRequestsMax; ++i) {
      CHECK(host.need_input(id, std::to_string(i), R"({"method":"roots/list"})") == COLLET_OK);
    }
    return host.need_input(id, "more", R"({"method":"roots/list"})");
  });
  const auto request_of = [](std::size_t size) {
    std::string request = R"({"method":"roots/list","params":{"":""}})";
    return request.insert(request.size() - 3, size - request.size(), 'x');
  };
  const std::string key(limits::kInputRequestBytesMax + 1, 'k');
  fails(COLLET_E_LIMIT, [&](CallId id) {
    CHECK(host.need_input(id, "a", request_of(limits::kInputRequestBytesMax)) == COLLET_OK);
    return host.need_input(id, "b", request_of(limits::kInputRequestBytesMax + 1));
  });
  fails(COLLET_E_LIMIT, [&](CallId id) {
    CHECK(host.need_input(id, key.substr(1), R"({"method":"roots/list"})") == COLLET_OK);
    return host.need_input(id, key, R"({"method":"roots/list"})");
  });
  fails(COLLET_E_LIMIT, [&](CallId id) {
    for (const char* each : {"a", "b", "c"}) {
      CHECK(host.need_input(id, each, request_of(limits::kInputRequestBytesMax)) == COLLET_OK);
    }
    CHECK(host.need_input(id, "d", request_of(limits::kInputRequestBytesMax - 4)) ==
          COLLET_OK);  // all there may be
    return host.need_input(id, "e", R"({"method":"roots/list"})");
  });
  const std::string state(limits::kSuspendStateBytesMax + 1, 's');
  fails(COLLET_E_LIMIT,
        [&](CallId id) { return host.table.suspend(&host.table, id, state.data(), state.size(), 0); });
  Recorder recorder;
  const CallId id = host.begin(recorder);
  CHECK(host.table.suspend(&host.table, id, state.data(), state.size() - 1, 0) == COLLET_OK);
  CHECK(recorder.wait_end().how == Ending::How::suspended);
}

TEST_CASE("progress and messages arrive in order, before the end") {
  Host host;
  const collet_host* h = &host.table;
  Recorder recorder;
  const CallId id = host.begin(recorder);
  CHECK(h->progress(h, id, 1, 3, "one", 3) == COLLET_OK);
  CHECK(h->log(h, id, COLLET_LOG_WARNING, "me", 2, "\"x\"", 3) == COLLET_OK);
  CHECK(h->progress(h, id, 2, 3, nullptr, 0) == COLLET_OK);
  CHECK(h->complete(h, id, 0) == COLLET_OK);
  recorder.wait_end();
  CHECK(recorder.notices() == std::vector<std::string>{"progress 1/3 one", "log 4 me \"x\"", "progress 2/3 "});
}

TEST_CASE("collet.stream/1 lets a call's client go, in order with what else the call says") {
  Host host;
  const collet_host* h = &host.table;
  const auto* stream = static_cast<const collet_stream*>(
      h->get_extension(h, COLLET_EXT_STREAM, std::string_view(COLLET_EXT_STREAM).size()));
  REQUIRE(stream);
  CHECK(stream->struct_size == sizeof(collet_stream));
  Recorder recorder;
  const CallId id = host.begin(recorder);
  CHECK(h->progress(h, id, 1, 0, nullptr, 0) == COLLET_OK);
  CHECK(stream->close_stream(h, id, 250) == COLLET_OK);
  CHECK(h->complete(h, id, 0) == COLLET_OK);
  recorder.wait_end();
  CHECK(recorder.notices() == std::vector<std::string>{"progress 1/0 ", "close stream 250"});
  CHECK(stream->close_stream(h, id, 250) == COLLET_E_STALE);
  CHECK(stream->close_stream(nullptr, id, 250) == COLLET_E_INVALID);
}

TEST_CASE("an extension that this host has not is NULL") {
  Host host;
  const collet_host* h = &host.table;
  CHECK(h->get_extension(h, "collet.stream/9", 15) == nullptr);
  CHECK(h->get_extension(h, "", 0) == nullptr);
  CHECK(h->get_extension(h, nullptr, 5) == nullptr);
}

TEST_CASE("progress that does not increase, or is no number, never reaches a client") {
  Host host;
  const collet_host* h = &host.table;
  Recorder recorder;
  const CallId id = host.begin(recorder);
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  for (const double done : {-1.0, -1.0, 0.0, 1.0, 1.0, nan, 0.5, infinity, -infinity, 1.5, 2.0}) {
    h->progress(h, id, done, 2, nullptr, 0);
  }
  h->progress(h, id, 3, infinity, nullptr, 0);
  h->complete(h, id, 0);
  recorder.wait_end();
  CHECK(recorder.notices() == std::vector<std::string>{"progress -1/2 ", "progress 0/2 ", "progress 1/2 ",
                                                       "progress 1.5/2 ", "progress 2/2 "});
}

TEST_CASE("text that is not UTF-8 has U+FFFD where it is not, and nothing is lost") {
  Host host;
  const collet_host* h = &host.table;
  const std::string_view bad = "a\xff\xc3";
  const std::string_view bad_json = "{\"a\":\"b\xff\"}";
  const std::string mended_json = "{\"a\":\"b\uFFFD\"}";
  const Ending ending = host.answer(CallKind::tool, [&](CallId id) {
    CHECK(host.add_text(id, bad) == COLLET_OK);
    CHECK(host.add_json(id, "{\"type\":\"text\",\"text\":\"\xff\"}") == COLLET_OK);
    CHECK(host.add_blob(id, "image", "x/\xff", "") == COLLET_OK);
    CHECK(h->set_structured(h, id, bad_json.data(), bad_json.size()) == COLLET_OK);
    CHECK(h->set_meta(h, id, bad_json.data(), bad_json.size()) == COLLET_OK);
    CHECK(host.set_field(id, "more", bad_json) == COLLET_OK);
  });
  CHECK(ending.content ==
        "{\"type\":\"text\",\"text\":\"a\uFFFD\uFFFD\"},{\"type\":\"text\",\"text\":\"\uFFFD\"},"
        "{\"type\":\"image\",\"mimeType\":\"x/\uFFFD\",\"data\":\"\"}");
  CHECK(ending.structured == mended_json);
  CHECK(ending.meta == mended_json);
  CHECK(ending.fields == "\"more\":" + mended_json);

  Recorder failing;
  CallId id = host.begin(failing);
  CHECK(h->progress(h, id, 1, 0, bad.data(), bad.size()) == COLLET_OK);
  CHECK(h->log(h, id, 4, bad.data(), bad.size(), bad_json.data(), bad_json.size()) == COLLET_OK);
  CHECK(h->log(h, 0, 7, bad.data(), bad.size(), bad_json.data(), bad_json.size()) == COLLET_OK);
  CHECK(h->fail(h, id, -1, bad.data(), bad.size(), bad_json.data(), bad_json.size()) == COLLET_OK);
  const Ending failed = failing.wait_end();
  CHECK(failed.rpc_code == -1);
  CHECK(failed.message == "a\uFFFD\uFFFD");
  CHECK(failed.data == mended_json);
  CHECK(failing.notices() ==
        std::vector<std::string>{"progress 1/0 a\uFFFD\uFFFD", "log 4 a\uFFFD\uFFFD " + mended_json});

  Recorder asking;
  id = host.begin(asking);
  CHECK(host.need_input(id, "q", "{\"method\":\"roots/list\",\"params\":{\"\xff\":1}}") == COLLET_OK);
  h->suspend(h, id, bad.data(), bad.size(), 0);
  const Ending asked = asking.wait_end();
  REQUIRE(asked.input_requests.size() == 1);
  CHECK(asked.input_requests[0].request == "{\"method\":\"roots/list\",\"params\":{\"\uFFFD\":1}}");
  CHECK(asked.state == bad);  // which is no text

  CHECK(host.add_item("t", bad_json) == COLLET_OK);
  host.items.commit();
  CHECK(host.items.current(host.items.pause())[0].definition == mended_json);
}

TEST_CASE("a piece of content that a client could not read fails the call, and says what it lacks") {
  Host host;
  const auto reason = [&](CallKind kind, std::string_view json) {
    const Ending ending = host.answer(kind, [&](CallId id) { CHECK(host.add_json(id, json) == COLLET_E_INVALID); });
    CHECK(ending.how == Ending::How::failed);
    return ending.message;
  };
  CHECK_THAT(reason(CallKind::tool, R"({"kind":"video"})"), Catch::Contains("\"type\""));
  CHECK_THAT(reason(CallKind::tool, R"({"type":"video"})"), Catch::Contains("\"video\""));
  CHECK_THAT(reason(CallKind::tool, R"({"type":"text","text":5})"), Catch::Contains("/text"));
  CHECK_THAT(reason(CallKind::tool, R"({"type":"image","data":""})"), Catch::Contains("mimeType"));
  CHECK_THAT(reason(CallKind::tool, R"({"type":"resource_link","uri":"x:"})"), Catch::Contains("name"));
  CHECK_THAT(reason(CallKind::tool, R"({"type":"resource","resource":{"uri":"x:"}})"),
             Catch::Contains("/resource"));
  CHECK_THAT(reason(CallKind::resource, R"({"text":"t"})"), Catch::Contains("uri"));
  CHECK_THAT(reason(CallKind::resource, R"({"uri":"x:"})"), Catch::Contains("text"));
  CHECK_THAT(reason(CallKind::prompt, R"({"role":"system","content":{"type":"text","text":""}})"),
             Catch::Contains("/role"));
  CHECK_THAT(reason(CallKind::prompt, R"({"role":"user","content":"text"})"), Catch::Contains("/content"));
}

TEST_CASE("a piece of content loses what is wrong and not needed, and nothing else") {
  Host host;
  const auto content = [&](CallKind kind, std::string_view json) {
    return host.answer(kind, [&](CallId id) { CHECK(host.add_json(id, json) == COLLET_OK); }).content;
  };
  CHECK(content(CallKind::tool, R"({"type":"text", "text":"a","annotations":null,"_meta":[],"x":[1.50]})") ==
        R"({"type":"text","text":"a","x":[1.50]})");
  CHECK(
      content(CallKind::tool,
              R"({"type":"resource_link","uri":"x:","name":"n","size":"5","annotations":{"priority":2,"y":1}})") ==
      R"({"type":"resource_link","uri":"x:","name":"n","annotations":{"y":1}})");
  CHECK(content(CallKind::resource, R"({"uri":"x:","text":"","mimeType":null,"blob":7})") ==
        R"({"uri":"x:","text":""})");
  CHECK(content(CallKind::prompt, R"({"role":"user","content":{"type":"text","text":"","annotations":[]}})") ==
        R"({"role":"user","content":{"type":"text","text":""}})");
}

TEST_CASE("what a plugin nests leaves room for the message around it") {
  Host host;
  const auto nested = [](unsigned levels) {
    return std::string(levels - 1, '[') + "1" + std::string(levels - 1, ']');
  };
  const auto block = [&](unsigned levels) { return R"({"type":"text","text":"","x":)" + nested(levels) + "}"; };
  const unsigned most = limits::kPluginJsonDepthMax;
  const collet_host* h = &host.table;
  const auto structured = [&](CallId id, const std::string& json) {
    return h->set_structured(h, id, json.data(), json.size());
  };
  const Ending ending = host.answer(CallKind::tool, [&](CallId id) {
    CHECK(host.add_json(id, block(most)) == COLLET_OK);
    CHECK(structured(id, nested(most + 1)) == COLLET_OK);
  });
  CHECK(ending.how == Ending::How::completed);
  CHECK(json::is_valid(R"([{"jsonrpc":"2.0","result":{"content":[)" + ending.content + "]}}]"));
  CHECK(
      host.answer(CallKind::tool, [&](CallId id) { CHECK(host.add_json(id, block(most + 1)) == COLLET_E_INVALID); })
          .how == Ending::How::failed);
  CHECK(host.answer(CallKind::tool, [&](CallId id) { CHECK(structured(id, nested(most + 2)) == COLLET_E_INVALID); })
            .how == Ending::How::failed);
  CHECK(host.add_item("deep", R"({"x":)" + nested(most) + "}") == COLLET_OK);
  CHECK(host.add_item("deeper", R"({"x":)" + nested(most + 1) + "}") == COLLET_E_INVALID);
}

TEST_CASE("a result's _meta says nothing in the name of the host") {
  Host host;
  const std::string_view meta = R"({"a/b": 1,"io.modelcontextprotocol/serverInfo":1,)"
                                R"("io.modelcontextprotocol/related-task":{},"c":2})";
  CHECK(host.answer(CallKind::tool,
                    [&](CallId id) {
                      CHECK(host.table.set_meta(&host.table, id, meta.data(), meta.size()) == COLLET_OK);
                    })
            .meta == R"({"a/b":1,"c":2})");
}

TEST_CASE("bad progress and messages are refused and do not harm the call") {
  Host host;
  const collet_host* h = &host.table;
  const Ending ending = host.answer(CallKind::tool, [&](CallId id) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(h->progress(h, id, nan, 1, nullptr, 0) == COLLET_E_INVALID);
    CHECK(h->progress(h, id, 1, nan, nullptr, 0) == COLLET_E_INVALID);
    CHECK(h->progress(h, id, std::numeric_limits<double>::infinity(), 1, nullptr, 0) == COLLET_E_INVALID);
    CHECK(h->progress(h, id, 2, 0, nullptr, 0) == COLLET_OK);
    CHECK(h->progress(h, id, 1, 0, nullptr, 0) == COLLET_E_INVALID);
    CHECK(h->progress(h, id, 3, 0, "x", std::size_t{1} << 30) == COLLET_E_LIMIT);
    CHECK(h->log(h, id, 8, nullptr, 0, "1", 1) == COLLET_E_INVALID);
    CHECK(h->log(h, id, 1, nullptr, 0, "x", 1) == COLLET_E_INVALID);
    CHECK(h->log(h, id, 1, nullptr, 2, "1", 1) == COLLET_E_INVALID);
  });
  CHECK(ending.how == Ending::How::completed);
}

TEST_CASE("what the loop cannot yet send is bounded: the latest progress wins, messages are refused") {
  Host host;
  const collet_host* h = &host.table;
  Recorder recorder;
  const CallId id = host.begin(recorder);
  host.loop.run([&] {  // the loop is busy with this, so that nothing is sent
    for (unsigned i = 0; i < limits::kProgressQueueMax; ++i)
      CHECK(h->progress(h, id, i, 0, nullptr, 0) == COLLET_OK);
    CHECK(h->progress(h, id, 5'000, 0, nullptr, 0) == COLLET_OK);
    CHECK(h->log(h, id, 6, nullptr, 0, "1", 1) == COLLET_E_LIMIT);
  });
  h->complete(h, id, 0);
  recorder.wait_end();
  const auto notices = recorder.notices();
  REQUIRE(notices.size() == limits::kProgressQueueMax);
  CHECK(notices.back() == "progress 5000/0 ");
}

TEST_CASE("the bytes of what the loop cannot yet send are bounded") {
  Host host;
  const collet_host* h = &host.table;
  Recorder recorder;
  const CallId id = host.begin(recorder);
  std::string half(limits::kNoticeBytesMax / 2, 'x');
  half.front() = half.back() = '"';
  host.loop.run([&] {
    CHECK(h->log(h, id, 6, nullptr, 0, half.data(), half.size()) == COLLET_OK);
    CHECK(h->log(h, id, 6, nullptr, 0, half.data(), half.size()) == COLLET_OK);
    CHECK(h->log(h, id, 6, nullptr, 0, "1", 1) == COLLET_E_LIMIT);
  });
  h->complete(h, id, 0);
  recorder.wait_end();
  CHECK(recorder.notices().size() == 2);
}

TEST_CASE("what is known of the caller can be asked for while the call runs") {
  Host host;
  Recorder recorder;
  recorder.known["era"] = "modern";
  recorder.known["header:x-tenant"] = recorder.known["header:X-Tenant"] = "\"a\"";
  recorder.known["headers"] = R"({"x-tenant":"\"a\""})";
  const CallId id = host.begin(recorder);
  collet_str out{};
  CHECK(host.table.call_info(&host.table, id, "era", 3, &out) == COLLET_OK);
  CHECK(std::string_view(out.data, out.size) == "modern");
  CHECK(host.table.call_info(&host.table, id, "nothing", 7, &out) == COLLET_OK);
  CHECK_FALSE(out.data);
  CHECK(host.table.call_info(&host.table, id, "era", 3, nullptr) == COLLET_E_INVALID);
  for (const std::string_view key : {"header:x-tenant", "header:X-Tenant"}) {
    CHECK(host.table.call_info(&host.table, id, key.data(), key.size(), &out) == COLLET_OK);
    CHECK(std::string_view(out.data, out.size) == "\"a\"");
  }
  CHECK(host.table.call_info(&host.table, id, "header:other", 12, &out) == COLLET_OK);
  CHECK_FALSE(out.data);
  host.table.complete(&host.table, id, 0);
  recorder.wait_end();
}

TEST_CASE("blobs are zeroed, counted and bounded") {
  Host host;
  const collet_host* h = &host.table;
  collet_blob blob = 0;
  void* data = nullptr;
  CHECK(h->blob_new(h, limits::kBlobBytesMax + 1, &blob, &data) == COLLET_E_LIMIT);
  CHECK(h->blob_new(h, 1, nullptr, &data) == COLLET_E_INVALID);
  CHECK(h->blob_new(h, limits::kBlobBytesMax, &blob, &data) == COLLET_OK);
  CHECK(static_cast<const char*>(data)[limits::kBlobBytesMax - 1] == 0);
  std::vector<collet_blob> all{blob};
  while (h->blob_new(h, limits::kBlobBytesMax, &blob, &data) == COLLET_OK) all.push_back(blob);
  CHECK(all.size() == limits::kBlobsBytesMax / limits::kBlobBytesMax);
  for (const collet_blob one : all) CHECK(h->blob_drop(h, one) == COLLET_OK);
  CHECK(h->blob_drop(h, all.front()) == COLLET_E_STALE);
  for (unsigned i = 0; i < limits::kBlobsMax; ++i) REQUIRE(h->blob_new(h, 0, &blob, &data) == COLLET_OK);
  CHECK(data);
  CHECK(h->blob_new(h, 0, &blob, &data) == COLLET_E_LIMIT);
}

TEST_CASE("items are checked as they are added") {
  Host host;
  CHECK(host.add_item("t", "{}") == COLLET_OK);
  CHECK(host.add_item("t", "{}") == COLLET_E_DUPLICATE);
  CHECK(host.add_item("t", "{}", COLLET_PROMPT) == COLLET_OK);
  CHECK(host.add_item("u", "{}", 0) == COLLET_E_INVALID);
  CHECK(host.add_item("u", "{}", COLLET_COMPLETE) == COLLET_E_INVALID);
  CHECK(host.add_item("", "{}") == COLLET_E_INVALID);
  CHECK(host.add_item("\xff", "{}") == COLLET_E_INVALID);
  CHECK(host.add_item("u", "[]") == COLLET_E_INVALID);
  CHECK(host.add_item("u", "{") == COLLET_E_INVALID);
  CHECK(host.add_item("u", R"({"name":"v"})") == COLLET_E_INVALID);
  CHECK(host.items.last_error() ==
        "item \"u\": its definition has a member \"name\", which is registered as the item's name");
  CHECK(host.add_item("u://x", R"({"name":"v"})", COLLET_RESOURCE) == COLLET_OK);
  CHECK(host.add_item(std::string(limits::kUriBytesMax, 'u'), "{}") == COLLET_OK);
  CHECK(host.add_item(std::string(limits::kUriBytesMax + 1, 'u'), "{}") == COLLET_E_LIMIT);
  const std::string filled = "{\"a\":\"" + std::string(limits::kDefinitionBytesMax - 8, 'a') + "\"}";
  CHECK(host.add_item("large", filled) == COLLET_OK);
  CHECK(host.add_item("larger", filled + " ") == COLLET_E_LIMIT);
  CHECK(host.table.item_add(&host.table, nullptr, nullptr) == COLLET_E_INVALID);
  collet_item_def empty{};
  collet_item item = 0;
  CHECK(host.table.item_add(&host.table, &empty, &item) == COLLET_E_INVALID);  // struct_size 0
  CHECK(host.table.item_remove(&host.table, 99) == COLLET_E_STALE);
}

TEST_CASE("a generation registers as many items as the limit and not one more") {
  Host host;
  std::int32_t status = COLLET_OK;
  unsigned added = 0;
  while (status == COLLET_OK) {
    status = host.add_item("t" + std::to_string(added), "{}");
    if (status == COLLET_OK) ++added;
  }
  CHECK(status == COLLET_E_LIMIT);
  CHECK(added == limits::kItemsMax);
}

TEST_CASE("changes of items are seen when they are committed, and all at once") {
  Host host;
  std::vector<std::size_t> published;
  host.add_item("a", "{}");
  host.add_item("b", "{}");
  host.items.commit();
  {
    const Items::Pause pause = host.items.pause();
    published.push_back(host.items.current(pause).size());
    host.items.publish_by(
        pause, [&](std::vector<registry::ItemDef> items, Callback<void()>) { published.push_back(items.size()); });
  }
  CHECK(host.table.item_remove(&host.table, 1) == COLLET_OK);
  CHECK(host.table.item_remove(&host.table, 1) == COLLET_E_STALE);
  host.add_item("a", "{}");  // the name is free again
  host.add_item("c", "{}");
  CHECK(published == std::vector<std::size_t>{2});
  CHECK(host.table.items_commit(&host.table) == COLLET_OK);
  CHECK(published == std::vector<std::size_t>{2, 3});
  host.items.close();
  CHECK(host.add_item("d", "{}") == COLLET_E_STATE);
  CHECK(host.table.items_commit(&host.table) == COLLET_E_STATE);
}

TEST_CASE("what an item's author says of it reaches the registry") {
  Host host;
  host.item_flags = COLLET_ITEM_IDEMPOTENT | COLLET_ITEM_TASK_OPTIONAL | COLLET_ITEM_NEEDS_SAMPLING;
  host.add_item("a", "{\"title\":\n\"A\"}");
  host.item_flags = COLLET_ITEM_TASK_REQUIRED | COLLET_ITEM_TASK_AFTER_INPUT | COLLET_ITEM_NEEDS_ELICITATION |
                    COLLET_ITEM_NEEDS_ROOTS;
  host.add_item("b", "{}");
  host.items.commit();
  const std::vector<registry::ItemDef> defs = host.items.current(host.items.pause());
  REQUIRE(defs.size() == 2);
  CHECK(defs[0].definition == R"({"title": "A"})");  // on one line: framing by lines cannot carry a newline
  const registry::Traits& a = defs[0].traits;
  CHECK((a.idempotent && a.task_optional && a.needs_sampling));
  CHECK_FALSE((a.task_required || a.task_after_input || a.needs_elicitation || a.needs_roots));
  const registry::Traits& b = defs[1].traits;
  CHECK((b.task_required && b.task_after_input && b.needs_elicitation && b.needs_roots));
  CHECK_FALSE((b.idempotent || b.task_optional || b.needs_sampling || b.unchecked));
}

TEST_CASE("a resource's change is passed on") {
  Host host;
  const collet_host* h = &host.table;
  CHECK(h->resource_updated(h, "a://b", 5) == COLLET_OK);
  CHECK(h->resource_updated(h, nullptr, 0) == COLLET_E_INVALID);
  CHECK(h->resource_updated(h, "\xff", 1) == COLLET_E_INVALID);
  CHECK(h->resource_updated(h, "x", limits::kUriBytesMax + 1) == COLLET_E_LIMIT);
  CHECK(host.updated == std::vector<std::string>{"a://b"});
}

TEST_CASE("a function without its table does nothing") {
  Host host;
  CHECK(host.table.complete(nullptr, 1, 0) == COLLET_E_INVALID);
  CHECK(host.table.items_commit(nullptr) == COLLET_E_INVALID);
  CHECK(host.table.is_cancelled(nullptr, 1) == COLLET_E_INVALID);
  CHECK_FALSE(host.table.get_extension(&host.table, "collet.none/1", 13));
}

TEST_CASE("a result that there is no memory for fails its call, however the plugin ends it") {
  Host host;
  const Exhausted form;
  host.owner.form = &form;
  const auto ends = [&](auto end) {
    Recorder recorder;
    const CallId id = host.begin(recorder);
    end(id);
    const Ending ending = recorder.wait_end();
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.rpc_code == -32603);
    CHECK(ending.message == "The server is out of memory");
    CHECK(ending.content.empty());
  };
  ends([&](CallId id) {
    CHECK(host.add_text(id, "text") == COLLET_E_LIMIT);
    CHECK(host.table.complete(&host.table, id, 0) == COLLET_OK);
  });
  ends([&](CallId id) {
    CHECK(host.add_text(id, "text") == COLLET_E_LIMIT);
    CHECK(host.add_json(id, R"({"type":"text","text":"more"})") == COLLET_OK);
    CHECK(host.table.fail(&host.table, id, 1, "no", 2, nullptr, 0) == COLLET_OK);
  });
  ends([&](CallId id) {
    const auto* relay = static_cast<const collet_relay*>(
        host.table.get_extension(&host.table, COLLET_EXT_RELAY, sizeof COLLET_EXT_RELAY - 1));
    constexpr std::string_view kResult = R"({"content":[]})";
    CHECK(relay->complete_with(&host.table, id, kResult.data(), kResult.size()) == COLLET_E_LIMIT);
  });
  CHECK(host.owner.errors_left == 0);
}
