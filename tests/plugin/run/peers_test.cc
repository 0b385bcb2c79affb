// A plugin that lists and calls what others offer, as its caller and as itself.
#include "house.h"
#include "plugin/abi/peers_table.h"
#include "plugin/abi/structs.h"
#include "registry/principal.h"
#include "support/catch.h"
#include "table_host.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;
using registry::Kind;

namespace {

PluginSpec spec_of(std::string id, const char* module) {
  PluginSpec spec;
  spec.id = std::move(id);
  spec.library = module_path(module);
  spec.placement = kTestPlacement;
  spec.permissions.items = {"*"};
  return spec;
}

// "sample" offers tools, "caller" calls them.
struct Neighbours {
  explicit Neighbours(std::vector<std::string> items = {"*"}, registry::CallObserver* observer = nullptr) {
    if (observer) house.registry.observe(*observer);
    PluginSpec caller = spec_of("caller", "caller");
    caller.permissions.items = std::move(items);
    PluginSpec more = spec_of("caller2", "caller");
    more.rules.prefix = "two_";
    for (const LoadReport& report : house.loader.load({caller, spec_of("sample", "sample"), more})) REQUIRE(report.error == "");
  }

  Ending call(const std::string& arguments, const registry::PrincipalPtr& principal = {}, const char* tool = "call") {
    Recorder recorder;
    begin(arguments, recorder, principal, tool);
    return recorder.wait_end();
  }
  CallId begin(const std::string& arguments, Recorder& recorder, const registry::PrincipalPtr& principal = {},
               const char* tool = "call") {
    principals.push_back(principal);  // until the call ends
    registry::Call call;
    call.arguments = arguments;
    call.principal = &principals.back();
    return house.start(Kind::tool, tool, call, recorder);
  }
  json::Document list(const std::string& arguments, const registry::PrincipalPtr& principal = {}) {
    json::Document block, page;
    REQUIRE_FALSE(json::parse(call(arguments, principal, "list").content, block));
    REQUIRE_FALSE(json::parse(json::find_string(block, "text").value_or(""), page));
    return page;
  }
  std::uint64_t heard(const char* member) {
    json::Document block, text;
    REQUIRE_FALSE(json::parse(house.call_tool("heard").content, block));
    REQUIRE_FALSE(json::parse(json::find_string(block, "text").value_or(""), text));
    return json::find(text, member)->GetUint64();
  }

  std::deque<registry::PrincipalPtr> principals;
  House house;
};

registry::PrincipalPtr somebody(registry::ViewRules rules) {
  registry::Principal principal{.id = "alice", .kind = registry::Principal::Kind::token};
  principal.view = std::make_shared<registry::View>(rules);
  return std::make_shared<registry::Principal>(std::move(principal));
}

std::vector<std::string> names_in(const json::Document& page) {
  std::vector<std::string> names;
  for (const json::Value& item : json::find(page, "items")->GetArray()) names.emplace_back(*json::find_string(item, "name"));
  return names;
}

constexpr const char* kUnknown = "Invalid params: unknown tool echo";

}  // namespace

TEST_CASE("a plugin calls another's tool, and hands on what that answers") {
  Neighbours all;
  CHECK(all.call(R"({"name":"echo","arguments":{"a":1}})").content == R"({"type":"text","text":"{\"a\":1}"})");
  CHECK(all.call(R"({"name":"queued_echo","arguments":{"a":1}})").content == R"({"type":"text","text":"{\"a\":1}"})");
  CHECK(all.call(R"({"name":"picture"})").content == R"({"type":"image","mimeType":"image/png","data":"YWJj"})");
  CHECK(all.call(R"({"name":"thread_id"})").fields.find("inMain") != std::string::npos);
  CHECK(all.call(R"({"name":"echo","arguments":{"a":1},"as":"plugin"})").content == R"({"type":"text","text":"{\"a\":1}"})");
}

TEST_CASE("a plugin reads another's resource and asks for its prompt") {
  Neighbours all;
  CHECK_THAT(all.call(R"({"name":"sample://data","kind":"resource"})").content,
             Catch::Contains(R"({\"contents\":[{\"uri\":\"sample://data\",\"text\":\"\"}]})"));
  CHECK(all.call(R"({"name":"sample://gone","kind":"resource"})").message == "Invalid params: unknown resource sample://gone");
  CHECK_THAT(all.call(R"({"name":"greet","kind":"prompt","arguments":{"a":"x"}})").content,
             Catch::Contains(R"({\"messages\":[{\"role\":\"user\")"));
  const Ending prompt = all.call(R"({"name":"greet","kind":"prompt","arguments":{"a":1}})");
  CHECK(prompt.message == "Invalid params: arguments must be an object of strings");
}

TEST_CASE("what a plugin calls and is not there, or does not fit, is told as a client is told") {
  Neighbours all;
  const Ending unknown = all.call(R"({"name":"nothing"})");
  CHECK(unknown.how == Ending::How::failed);
  CHECK(unknown.rpc_code == mcp::kInvalidParams);
  CHECK(unknown.message == "Invalid params: unknown tool nothing");
  CHECK(all.call(R"({"name":"echo","arguments":[]})").message == "Invalid params: arguments must be an object");
  const Ending wrong = all.call(R"({"name":"refuse","arguments":{"a":1}})");
  CHECK(wrong.is_error);
  CHECK_THAT(wrong.content, Catch::Contains("Invalid arguments for refuse"));
  CHECK_THAT(all.call(R"({"name":"refuse"})").message, Catch::Contains("COLLET_E_UNSUPPORTED"));
}

TEST_CASE("a plugin calls with its caller's eyes") {
  Neighbours all;
  const auto blind = somebody({.allow = {}, .deny = {"echo"}, .unlisted = {}});
  CHECK(all.call(R"({"name":"echo"})", blind).message == kUnknown);
  CHECK(all.call(R"({"name":"queued_echo","arguments":{}})", blind).how == Ending::How::completed);
  const auto names = names_in(all.list("{}", blind));
  CHECK(std::find(names.begin(), names.end(), "echo") == names.end());
  CHECK(std::find(names.begin(), names.end(), "queued_echo") != names.end());
  // Its own are as good as its permissions.
  CHECK(all.call(R"({"name":"echo","arguments":{},"as":"plugin"})", blind).how == Ending::How::completed);
}

TEST_CASE("a list has its items in the order of their names, page by page") {
  Neighbours all;
  std::vector<std::string> names;
  std::string after;
  for (;;) {
    const json::Document page = all.list(R"({"max":5)" + (after.empty() ? "" : R"(,"after":")" + after + "\"") + "}");
    for (std::string& name : names_in(page)) names.push_back(std::move(name));
    CHECK(json::find(page, "items")->Size() <= 5);
    if (!json::find(page, "more")->GetBool()) break;
    after = names.back();
  }
  std::vector<std::string> expected;
  for (const registry::Item& item : all.house.registry.current()->items(Kind::tool)) expected.push_back(item.name);
  CHECK(names == expected);
  const json::Document first = all.list(R"({"after":"ech","max":1})");
  const json::Value& echo = (*json::find(first, "items"))[0];
  CHECK(json::to_text(echo) == R"({"name":"echo","plugin":"sample","definition":{"description":"Echo"}})");
  CHECK(json::find(first, "revision")->GetUint64() == all.house.registry.current()->version());
}

TEST_CASE("what is unlisted for its caller is named as that") {
  Neighbours all;
  const auto shy = somebody({.allow = {"echo"}, .deny = {}, .unlisted = {"echo"}});
  CHECK_THAT(json::to_text(all.list("{}", shy)), Catch::Contains(R"("name":"echo","plugin":"sample","unlisted":true)"));
  CHECK(all.call(R"({"name":"echo","arguments":{}})", shy).how == Ending::How::completed);
}

TEST_CASE("a plugin in a worker reaches what it is granted, and nothing without that") {
  const std::vector<std::vector<std::string>> grants = {{}, {"queued_echo"}};
  for (const auto& granted : grants) {
    Neighbours all(granted);
    const bool confined = in_worker();
    CAPTURE(granted.size());
    for (const char* as : {"", R"(,"as":"plugin")"}) {
      const Ending echo = all.call(std::string(R"({"name":"echo","arguments":{})") + as + "}");
      CHECK((echo.how == Ending::How::failed) == confined);
      if (confined) CHECK(echo.message == kUnknown);
      const Ending queued = all.call(std::string(R"({"name":"queued_echo","arguments":{})") + as + "}");
      CHECK((queued.how == Ending::How::failed) == (confined && granted.empty()));
      if (confined) CHECK(names_in(all.list(std::string("{") + (*as ? as + 1 : "") + "}")).size() == granted.size());
    }
  }
}

TEST_CASE("what a called tool says of its progress reaches the plugin, and what it logs the outer caller") {
  Neighbours all;
  Recorder recorder;
  all.begin(R"({"name":"report"})", recorder);
  recorder.wait_end();
  const auto notices = recorder.notices();
  CHECK(std::find(notices.begin(), notices.end(), "progress 2/2 ") != notices.end());
  CHECK(std::find(notices.begin(), notices.end(), "log 5 sample {\"a\": 1}") != notices.end());
}

TEST_CASE("what a called tool asks for is asked of the outer caller, and its answers are checked on the way") {
  Neighbours all;
  const Ending asks = all.call(R"({"name":"ask"})");
  REQUIRE(asks.how == Ending::How::suspended);
  REQUIRE(asks.input_requests.size() == 1);
  CHECK(asks.input_requests[0].key == "name");
  const auto answer = [&](std::string_view arguments, std::string_view responses, const std::string& state) {
    registry::Call call;
    call.arguments = arguments;
    call.input_responses = responses;
    call.state = state;
    call.round = 1;
    Recorder recorder;
    all.house.start(Kind::tool, "call", call, recorder);
    return recorder.wait_end();
  };
  constexpr std::string_view kAsk = R"({"name":"ask"})";
  const Ending answered = answer(kAsk, R"({"name":{"action":"accept","content":{}}})", asks.state);
  CHECK(answered.content == R"({"type":"text","text":"{\"name\":{\"action\":\"accept\",\"content\":{}}}"})");
  CHECK(answer(kAsk, R"({"name":{"action":"nonsense"}})", asks.state).how == Ending::How::failed);
  CHECK(answer(kAsk, "{}", asks.state).how == Ending::How::suspended);  // it is asked again
  std::string forged = asks.state;
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& state : {forged, std::string("asked")}) {
    CHECK_THAT(answer(kAsk, R"({"name":{"action":"accept"}})", state).message, Catch::Contains("the state is not valid"));
  }
  CHECK_THAT(answer(R"({"name":"ask","arguments":{"b":1}})", "{}", asks.state).message, Catch::Contains("the state is not valid"));
}

TEST_CASE("calls inside of calls are as deep as the limit allows, and no deeper") {
  Neighbours all;
  // "call" of one and "two_call" of the other call each other, as neither runs two calls at a time.
  const auto nested = [](unsigned depth) {
    std::string arguments = R"({"name":"echo","arguments":{}})";
    for (unsigned i = 1; i < depth; ++i) {
      arguments = std::string(R"({"name":")") + (i % 2 ? "two_call" : "call") + R"(","arguments":)" + arguments + "}";
    }
    return arguments;
  };
  const Ending deepest = all.call(nested(limits::kCallDepthMax), {}, limits::kCallDepthMax % 2 ? "call" : "two_call");
  CHECK_FALSE(deepest.is_error);
  CHECK(deepest.content == R"({"type":"text","text":"{}"})");
  const Ending past = all.call(nested(limits::kCallDepthMax + 1), {}, limits::kCallDepthMax % 2 ? "two_call" : "call");
  CHECK(past.is_error);
  CHECK_THAT(past.content, Catch::Contains("nested more than"));
}

TEST_CASE("a called tool that does not answer in time is a failure of that call, and asked to end") {
  Neighbours all;
  const Ending late = all.call(R"({"name":"hold","timeout":50})");
  CHECK(late.is_error);
  CHECK_THAT(late.content, Catch::Contains("did not answer within 50 ms"));
}

TEST_CASE("what was begun inside of a call is cancelled with that call, and with its end") {
  Neighbours all;
  Recorder cancelled;
  const CallId id = all.begin(R"({"name":"hold"})", cancelled);
  cancelled.wait_notices(1);  // hold has it
  all.house.cancel("call", id, registry::CancelReason::deadline);
  const Ending ending = cancelled.wait_end();
  CHECK(ending.is_error);
  CHECK(ending.content == R"({"type":"text","text":"2"})");  // COLLET_CANCEL_DEADLINE
  const std::uint64_t before = all.heard("ended");
  all.call(R"({"name":"hold"})", {}, "leave");
  CHECK(becomes_true([&] { return all.heard("ended") == before + 1; }));
}

TEST_CASE("a called tool that does not heed its cancellation keeps nobody waiting") {
  Neighbours all;
  Recorder recorder;
  const CallId id = all.begin(R"({"name":"never"})", recorder);
  all.call(R"({"name":"echo","arguments":{}})");  // "never" has it by now
  all.house.cancel("call", id, registry::CancelReason::client);
  const Ending ending = recorder.wait_end();
  CHECK(ending.is_error);
  CHECK_THAT(ending.content, Catch::Contains("was cancelled, and has not ended"));
}

TEST_CASE("what a plugin in a worker is granted is all that others do for it, too") {
  Neighbours all({"two_call"});
  const std::string by_another = R"({"name":"two_call","arguments":{"name":"echo","arguments":{}},"as":"plugin"})";
  const Ending ending = all.call(by_another);
  if (in_worker()) {
    CHECK(ending.message == kUnknown);
  } else {
    CHECK(ending.content == R"({"type":"text","text":"{}"})");
  }
}

TEST_CASE("a plugin waits for as many calls as the limit allows, and for no more") {
  Neighbours all;
  std::deque<Recorder> recorders(limits::kInvocationsMax);
  for (Recorder& recorder : recorders) all.begin(R"({"name":"never"})", recorder);
  // Each has begun before the next: its plugin runs one call at a time.
  const Ending past = all.call(R"({"name":"echo","arguments":{}})");
  CHECK_THAT(past.message, Catch::Contains("COLLET_E_LIMIT"));
  CHECK(all.house.ends());
  for (Recorder& recorder : recorders) {
    const Ending ending = recorder.wait_end();
    CHECK((ending.is_error || ending.how == Ending::How::failed));
  }
}

TEST_CASE("what a plugin has given to calls that run has a bound, all together") {
  Neighbours all;
  const auto with = [](const std::string& tool, std::size_t bytes) {
    return R"({"name":")" + tool + R"(","arguments":{"s":")" + std::string(bytes, 'x') + R"("}})";
  };
  constexpr std::size_t kEach = limits::kMessageBytesMax - 64;  // with the name and the rest of the text, less than a message
  constexpr std::size_t kFit = limits::kInvocationBytesMax / limits::kMessageBytesMax;
  std::deque<Recorder> recorders(kFit);
  for (Recorder& recorder : recorders) all.begin(with("never", kEach), recorder);
  CHECK_THAT(all.call(with("echo", kEach)).message, Catch::Contains("COLLET_E_LIMIT"));
  CHECK(all.call(with("echo", 1)).how == Ending::How::completed);  // for which there is room
  CHECK(all.house.ends());
  for (Recorder& recorder : recorders) recorder.wait_end();
}

namespace {

// What the tables take, without anybody who would answer.
struct Taking final : Peers {
  using Peers::Peers;
  std::int32_t start(std::uint64_t, LockedCall&, registry::Order) override { return COLLET_OK; }
  std::int32_t start_list(std::uint64_t, LockedCall&, ListOrder) override { return COLLET_OK; }
  void stop(std::uint64_t, registry::CancelReason) override {}
  void start_watch() override {}
  void detach() override {}
};

}  // namespace

TEST_CASE("a call's texts and a list's names are taken up to their limits, and not past them") {
  TableHost host;
  const auto threads = std::make_shared<OwnThreads>();
  Answers answers(host.owner.name, *threads);
  Taking peers(host.calls, host.owner, answers);
  peers.open();
  host.side.peers = &peers;
  const auto invoke = [&](std::size_t name_bytes, std::size_t argument_bytes) {
    const std::string name(name_bytes, 'n'), arguments(argument_bytes, ' ');
    collet_invoke_params params{};
    params.struct_size = sizeof params;
    params.kind = COLLET_TOOL;
    params.flags = COLLET_INVOKE_AS_PLUGIN;
    params.name = to_str(name);
    params.arguments = to_str(arguments);
    params.ended = [](void*, const collet_outcome*) {};
    return kToolsTable.invoke(&host.table, &params, nullptr);
  };
  CHECK(invoke(limits::kUriBytesMax, 0) == COLLET_OK);
  CHECK(invoke(limits::kUriBytesMax + 1, 0) == COLLET_E_LIMIT);
  CHECK(invoke(1, limits::kMessageBytesMax - 1) == COLLET_OK);
  CHECK(invoke(1, limits::kMessageBytesMax) == COLLET_E_LIMIT);
  const auto list = [&](std::size_t count) {
    const std::vector<collet_str> names(count, to_str("n"));
    collet_list_params params{};
    params.struct_size = sizeof params;
    params.kind = COLLET_TOOL;
    params.flags = COLLET_INVOKE_AS_PLUGIN;
    params.names = names.data();
    params.name_count = names.size();
    params.listed = [](void*, std::int32_t, const char*, std::size_t) {};
    return kRegistryTable.list(&host.table, &params);
  };
  CHECK(list(limits::kListedNamesMax) == COLLET_OK);
  CHECK(list(limits::kListedNamesMax + 1) == COLLET_E_LIMIT);
  peers.end_all();
  CHECK(answers.close(Clock::time_point::max()));
}

TEST_CASE("a page is no longer than its limit, but for its last item") {
  Neighbours all;
  struct Silent final : registry::Provider {
    registry::CallId start(const registry::Call&, registry::Listener&) override { return 1; }
    void cancel(registry::CallId, registry::CancelReason) override {}
  } silent;
  std::vector<registry::ItemDef> items(3);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].name = "zz" + std::to_string(i);
    items[i].definition = R"({"description":")" + std::string(limits::kListPageBytesMax / 2, 'x') + "\"}";
  }
  all.house.registry.declare("big", {});
  all.house.registry.replace("big", &silent, items);
  CHECK(names_in(all.list(R"({"after":"zz"})")) == std::vector<std::string>{"zz0", "zz1"});
  CHECK(names_in(all.list(R"({"after":"zz1"})")) == std::vector<std::string>{"zz2"});
  all.house.registry.replace("big", nullptr, {});
}

TEST_CASE("a plugin hears when items change") {
  Neighbours all;
  all.house.call_tool("grow");
  CHECK(becomes_true([&] { return all.heard("revision") == all.house.registry.current()->version(); }));
  CHECK(all.call(R"({"name":"grown","arguments":{}})").how == Ending::How::completed);
}

TEST_CASE("a generation ends while what it has called does not") {
  Recorder recorder;
  {
    Neighbours all;
    all.begin(R"({"name":"never"})", recorder);
    // Before the caller is told that what it has cancelled does not end.
    constexpr std::chrono::milliseconds kSoon(100);
    CHECK(all.house.loader.shutdown(Patience{kSoon, kSoon, kPatience}, Loader::Loops::running).empty());
  }
  CHECK(recorder.wait_end().how == Ending::How::failed);
}

TEST_CASE("a caller and what it calls are replaced while a call runs through both") {
  Neighbours all;
  Recorder recorder;
  const CallId id = all.begin(R"({"name":"hold"})", recorder);
  recorder.wait_notices(1);
  REQUIRE(all.house.loader.reload("caller").error == "");
  REQUIRE(all.house.loader.reload("sample").error == "");
  CHECK(recorder.ends() == 0);
  static_cast<void>(id);
  CHECK(all.call(R"({"name":"echo","arguments":{}})").how == Ending::How::completed);
  CHECK(all.house.ends());
  CHECK(recorder.wait_end().how != Ending::How::suspended);
}

TEST_CASE("an observer hears of a call that a plugin makes, for whom and how deep it is") {
  struct Observer final : registry::CallObserver {
    void on_call_begun(const registry::CallFacts& facts) override {
      heard = fmt::format("{} of {}, generation {}, for {}, depth {}, {} bytes", facts.name, facts.plugin, facts.generation,
                          facts.principal ? facts.principal->id : "", facts.depth, facts.bytes);
    }
    void on_call_ended(const registry::CallFacts&, const registry::CallEnd& end) override {
      heard += fmt::format("; {} {}", static_cast<int>(end.how), end.is_error);
      ++ends;
    }
    std::string heard;
    std::atomic<int> ends{0};
  } observer;
  Neighbours neighbours({"*"}, &observer);
  const std::string arguments = R"({"name":"echo","arguments":{"text":"hi"}})";
  CHECK(neighbours.call(arguments, somebody({.allow = {"*"}, .deny = {}, .unlisted = {}})).how == Ending::How::completed);
  CHECK(observer.ends == 1);
  CHECK(observer.heard == "echo of sample, generation 1, for alice, depth 1, 13 bytes; 0 false");
}
