// A plugin that keeps records with its host, and tells others of events.
#include "house.h"
#include "plugin/abi/events_table.h"
#include "plugin/abi/store_table.h"
#include "plugin/abi/structs.h"
#include "plugin/run/host_records.h"
#include "plugin/run/host_streams.h"
#include "store/memory_records.h"
#include "store/memory_streams.h"
#include "support/catch.h"
#include "table_host.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

PluginSpec keeper(std::string id, std::vector<std::string> events = {}) {
  PluginSpec spec;
  spec.id = std::move(id);
  spec.rules.prefix = spec.id + "_";
  spec.library = module_path("keeper");
  spec.placement = kTestPlacement;
  spec.permissions.events = std::move(events);
  return spec;
}

// "p" and "q", which may read what p says in "news" and in streams that begin with "s".
struct Keepers {
  Keepers() {
    for (const LoadReport& report : house.loader.load({p, keeper("q", {"p/news", "p/s*"})})) REQUIRE(report.error == "");
  }

  // The text that a tool of p's, or the one of this name, answers.
  std::string ask(std::string tool, const std::string& arguments = "{}") {
    if (tool.find('_') == std::string::npos) tool = "p_" + tool;
    const Ending ending = house.call_tool(tool, arguments);
    json::Document block;
    if (json::parse(ending.content, block)) return ending.message;
    return std::string(json::find_string(block, "text").value_or(""));
  }
  std::string get(const std::string& key) { return ask("get", R"({"key":")" + key + "\"}"); }
  // The version of what is there then.
  std::string put(const std::string& members) {
    const std::string told = ask("put", "{" + members + "}");
    return told.substr(2, told.rfind(' ') - 2);
  }
  bool hears(const std::string& who, const std::string& what) {
    return becomes_true([&] { return ask(who + "_heard").find(what) != std::string::npos; });
  }
  void crash() {
    house.call_tool("p_crash");
    REQUIRE(becomes_true([&] { return ask("get", R"({"key":"x"})").substr(0, 1) == "0"; }));
  }

  const PluginSpec p = keeper("p");
  House house;
};

}  // namespace

TEST_CASE("a plugin puts records, gets them and removes them") {
  Keepers keepers;
  CHECK(keepers.get("a") == "0 0 none");
  const std::string version = keepers.put(R"("key":"a","value":"one")");
  CHECK(keepers.get("a") == "0 " + version + " one");
  CHECK(keepers.ask("q_get", R"({"key":"a"})") == "0 0 none");  // each has its own
  CHECK(keepers.ask("put", R"({"key":"e"})") == "0 2 none");
  CHECK(keepers.get("e") == "0 2 ");
  CHECK(keepers.ask("remove", R"({"key":"a"})") == "0 " + version + " none");
  CHECK(keepers.get("a") == "0 0 none");
}

TEST_CASE("a record that is not as expected is left as it is") {
  Keepers keepers;
  const std::string first = keepers.put(R"("key":"a","value":"one","version":0)");
  CHECK(keepers.ask("put", R"({"key":"a","value":"two","version":0})") == "-2 " + first + " none");
  const std::string second = keepers.put(R"("key":"a","value":"two","version":)" + first);
  CHECK(keepers.ask("remove", R"({"key":"a","version":)" + first + "}") == "-2 " + second + " none");
  CHECK(keepers.get("a") == "0 " + second + " two");
  CHECK(keepers.ask("get", R"({"key":"a","version":1})") == "refused -1");  // of get() there is no such flag
}

TEST_CASE("keys are listed by prefix, page by page") {
  Keepers keepers;
  for (const char* key : {"b1", "a", "b2", "b3"}) keepers.put(std::string(R"("key":")") + key + R"(","value":"v")");
  CHECK(keepers.ask("list") == "0 a:2 b1:1 b2:3 b3:4");
  CHECK(keepers.ask("list", R"({"prefix":"b","max":2})") == "0 b1:1 b2:3 more");
  CHECK(keepers.ask("list", R"({"prefix":"b","after":"b2"})") == "0 b3:4");
  CHECK(keepers.ask("list", R"({"prefix":"c"})") == "0");
}

TEST_CASE("what one generation has put the next one gets, and a worker's next process") {
  Keepers keepers;
  CHECK(becomes_true([&] { return keepers.ask("began") == "0 none"; }));
  keepers.put(R"("key":"state","value":"kept")");
  REQUIRE(keepers.house.loader.reload("p").error == "");
  CHECK(becomes_true([&] { return keepers.ask("began") == "0 kept"; }));
  CHECK(keepers.get("state") == "0 1 kept");
  if (!in_worker()) return;
  keepers.put(R"("key":"state","value":"kept again")");
  keepers.crash();
  CHECK(becomes_true([&] { return keepers.ask("began") == "0 kept again"; }));
}

TEST_CASE("events are read from any number on, by their owner and by others") {
  Keepers keepers;
  CHECK(keepers.ask("read", R"({"stream":"news"})") == "0 0 1 0");
  CHECK(keepers.ask("append", R"({"stream":"news","bytes":"x"})") == "0 1");
  CHECK(keepers.ask("append", R"({"stream":"news","bytes":"y"})") == "0 2");
  CHECK(keepers.ask("append", R"({"stream":"other","bytes":"z"})") == "0 1");
  CHECK(keepers.ask("read", R"({"stream":"news"})") == "0 0 1 2 1:x 2:y");
  CHECK(keepers.ask("q_read", R"({"owner":"p","stream":"news","after":1})") == "0 1 1 2 2:y");
  CHECK(keepers.ask("q_read", R"({"owner":"p","stream":"news","max":1})") == "0 0 1 2 1:x");
  CHECK(keepers.ask("q_read", R"({"owner":"p","stream":"news","after":3})") == "-2 3 1 2");
  CHECK(keepers.ask("q_read", R"({"stream":"news"})") == "0 0 1 0");
  CHECK(keepers.ask("q_read", R"({"owner":"p","stream":"news","after":-1})") == "0 2 1 2");
}

TEST_CASE("a plugin in a worker reads its own streams and those that it is granted") {
  Keepers keepers;
  keepers.ask("append", R"({"stream":"private","bytes":"x"})");
  const std::string secret = keepers.ask("q_read", R"({"owner":"p","stream":"private"})");
  CHECK(secret == (in_worker() ? "-6 0 0 0" : "0 0 1 1 1:x"));
  const std::string followed = keepers.ask("q_follow", R"({"owner":"p","stream":"private"})");
  CHECK(followed == "2");
  CHECK(keepers.hears("q", in_worker() ? "-6 0 0 0;" : "0 0 1 1 1:x;"));
  CHECK(keepers.ask("p_read", R"({"owner":"q","stream":"any"})") == (in_worker() ? "-6 0 0 0" : "0 0 1 0"));
}

TEST_CASE("who follows a stream is told each event once, in order, until it does not follow it any more") {
  Keepers keepers;
  keepers.ask("append", R"({"stream":"news","bytes":"a"})");
  REQUIRE(keepers.ask("q_follow", R"({"owner":"p","stream":"news","max":1})") == "2");
  keepers.ask("append", R"({"stream":"news","bytes":"b"})");
  keepers.ask("append", R"({"stream":"news","bytes":"c"})");
  CHECK(keepers.hears("q", " 3:c;"));
  const std::string heard = keepers.ask("q_heard");
  const auto at = [&](const char* event) { return heard.find(event); };
  CHECK(at(" 1:a;") < at(" 2:b;"));
  CHECK(at(" 2:b;") < at(" 3:c;"));
  CHECK(std::count(heard.begin(), heard.end(), ';') == 3);
  CHECK(keepers.ask("q_unfollow", R"({"follow":2})") == "0");
  CHECK(keepers.ask("q_unfollow", R"({"follow":2})") == "-2");
  keepers.ask("append", R"({"stream":"news","bytes":"d"})");
  // What is followed later is told, and so the first would have been.
  REQUIRE(keepers.ask("q_follow", R"({"owner":"p","stream":"news","after":3})") == "3");
  CHECK(keepers.hears("q", "0 3 1 4 4:d;"));
  CHECK(std::count(heard.begin(), heard.end(), ';') + 1 == [&] {
    const std::string now = keepers.ask("q_heard");
    return std::count(now.begin(), now.end(), ';');
  }());
}

TEST_CASE("what is followed in create() is told, and follows a stream that comes later") {
  Keepers keepers;
  keepers.ask("append", R"({"stream":"early","bytes":"a"})");
  CHECK(keepers.hears("p", "0 0 1 1 1:a;"));
}

TEST_CASE("who follows from the newest on hears of nothing that was before") {
  Keepers keepers;
  keepers.ask("append", R"({"stream":"news","bytes":"a"})");
  keepers.ask("q_follow", R"({"owner":"p","stream":"news","after":-1})");
  if (in_worker()) keepers.ask("q_get", R"({"key":"a"})");  // the host has what came before
  keepers.ask("append", R"({"stream":"news","bytes":"b"})");
  CHECK(keepers.hears("q", "0 1 1 2 2:b;"));
  CHECK(keepers.ask("q_heard").find("1:a") == std::string::npos);
}

TEST_CASE("who follows from a number that the stream has not come to is told so, and no more") {
  Keepers keepers;
  keepers.ask("append", R"({"stream":"news","bytes":"a"})");
  keepers.ask("q_follow", R"({"owner":"p","stream":"news","after":9})");
  CHECK(keepers.hears("q", "-2 9 1 1;"));
  CHECK(keepers.ask("q_unfollow", R"({"follow":2})") == "-2");
}

TEST_CASE("a reader that comes too late hears which event is the first kept") {
  Keepers keepers;
  const std::string large(limits::kStreamEventBytesMax, 'x');
  for (std::size_t i = 0; i <= limits::kStreamBytesMax / limits::kStreamEventBytesMax; ++i) {
    keepers.ask("append", R"({"stream":"news","bytes":")" + large + "\"}");
  }
  CHECK(keepers.ask("q_read", R"({"owner":"p","stream":"news","max":1})") == "0 0 2 65 2:xxxxxxxx");
  keepers.ask("q_follow", R"({"owner":"p","stream":"news"})");
  CHECK(keepers.hears("q", " 65:xxxxxxxx;"));
  CHECK(keepers.ask("q_heard").starts_with("0 0 2 65 2:xxxxxxxx 3:"));
}

TEST_CASE("events go on over the generations of who appends and who follows") {
  Keepers keepers;
  keepers.ask("q_follow", R"({"owner":"p","stream":"news"})");
  keepers.ask("append", R"({"stream":"news","bytes":"a"})");
  CHECK(keepers.hears("q", "1:a;"));
  REQUIRE(keepers.house.loader.reload("p").error == "");
  CHECK(keepers.ask("append", R"({"stream":"news","bytes":"b"})") == "0 2");
  CHECK(keepers.hears("q", "0 1 1 2 2:b;"));
  REQUIRE(keepers.house.loader.reload("q").error == "");
  CHECK(keepers.ask("q_read", R"({"owner":"p","stream":"news","after":1})") == "0 1 1 2 2:b");
  if (!in_worker()) return;
  keepers.crash();
  CHECK(keepers.ask("append", R"({"stream":"news","bytes":"c"})") == "0 3");
}

TEST_CASE("a generation ends while it follows and asks, and each is told before it is destroyed") {
  Keepers keepers;
  keepers.ask("q_follow", R"({"owner":"p","stream":"news"})");
  keepers.ask("q_follow", R"({"owner":"p","stream":"s1"})");
  for (int i = 0; i < 3; ++i) {
    keepers.ask("flood", R"({"count":200})");
    REQUIRE(keepers.house.loader.reload(i % 2 ? "p" : "q").error == "");  // destroy() looks whether it was told
  }
  CHECK(keepers.house.ends());
}

TEST_CASE("a generation that does not come to be is told of what it has asked") {
  Keepers keepers;
  PluginSpec failing = keepers.p;
  failing.config = R"({"fails":true})";
  const auto reports = keepers.house.loader.apply({failing, keeper("q", {"p/news", "p/s*"})}, false);
  REQUIRE(reports.size() == 1);
  CHECK_THAT(reports[0].error, Catch::Contains("create() returned"));
  CHECK(keepers.get("a") == "0 0 none");
}

TEST_CASE("a plugin waits for as many answers as the limit allows, and for no more") {
  Keepers keepers;
  REQUIRE(becomes_true([&] { return keepers.ask("began") == "0 none"; }));  // what it has asked itself is answered
  // The first one is just being told, and waits; it does not count any more in this process. A worker's answers are told over there.
  const std::string told = keepers.ask("flood", R"({"count":1000})");
  CHECK((told == std::to_string(limits::kAskedMax + 1) + " 0" || told == std::to_string(limits::kAskedMax) + " 0"));
  CHECK(becomes_true([&] { return keepers.get("a") == "0 0 none"; }));  // once it has heard enough of them
}

TEST_CASE("a plugin follows as many streams as the limit allows, and no more") {
  Keepers keepers;
  for (unsigned i = 2; i <= limits::kFollowsMax; ++i) {
    CHECK(keepers.ask("q_follow", R"({"owner":"p","stream":"s)" + std::to_string(i) + "\"}") == std::to_string(i));
  }
  CHECK(keepers.ask("q_follow", R"({"owner":"p","stream":"s"})") == "refused -3");
  CHECK(keepers.ask("q_unfollow", R"({"follow":9})") == "0");
  CHECK(keepers.ask("q_follow", R"({"owner":"p","stream":"s"})") == std::to_string(limits::kFollowsMax + 1));
  keepers.ask("append", R"({"stream":"s","bytes":"a"})");
  CHECK(keepers.hears("q", "0 0 1 1 1:a;"));
}

TEST_CASE("a plugin has as many streams as the limit allows, and no more") {
  Keepers keepers;
  for (unsigned i = 0; i < limits::kStreamsMax; ++i) {
    CHECK(keepers.ask("append", R"({"stream":"s)" + std::to_string(i) + R"(","bytes":"a"})") == "0 1");
  }
  CHECK(keepers.ask("append", R"({"stream":"s","bytes":"a"})") == "-3 0");
}

namespace {

// What the tables take, without anybody who would answer.
struct TakingRecords final : OwnRecords {
  using OwnRecords::OwnRecords;
  void start(std::uint64_t, RecordOrder) override {}
};
struct TakingStreams final : OwnStreams {
  using OwnStreams::OwnStreams;
  void start(std::uint64_t, StreamOrder) override {}
  void start_next(std::uint64_t, const StreamRead&) override {}
  void stop_next(std::uint64_t) override {}
};

struct KeepingHost : TableHost {
  KeepingHost() {
    records.open();
    streams.open();
    side.records = &records;
    side.streams = &streams;
  }
  ~KeepingHost() {
    records.end_all();
    streams.end_all();
    CHECK(answers.close(Clock::time_point::max()));
  }

  const std::shared_ptr<OwnThreads> threads = std::make_shared<OwnThreads>();
  Answers answers{owner.name, *threads};
  TakingRecords records{answers};
  TakingStreams streams{answers};
};

}  // namespace

TEST_CASE("keys, values and times are taken up to their limits, and not past them") {
  KeepingHost host;
  const auto put = [&](std::size_t key_bytes, std::size_t value_bytes = 0, std::uint64_t ttl_ms = 0) {
    const std::string key(key_bytes, 'k'), value(value_bytes, 'v');
    collet_store_params params{};
    params.struct_size = sizeof params;
    params.key = to_str(key);
    params.value = to_str(value);
    params.ttl_ms = ttl_ms;
    params.answered = [](void*, const collet_stored*) {};
    return kStoreTable.put(&host.table, &params);
  };
  CHECK(put(0) == COLLET_E_INVALID);
  CHECK(put(limits::kRecordKeyBytesMax) == COLLET_OK);
  CHECK(put(limits::kRecordKeyBytesMax + 1) == COLLET_E_LIMIT);
  CHECK(put(1, limits::kRecordValueBytesMax) == COLLET_OK);
  CHECK(put(1, limits::kRecordValueBytesMax + 1) == COLLET_E_LIMIT);
  CHECK(put(1, 1, limits::kRecordTtlMsMax) == COLLET_OK);
  CHECK(put(1, 1, limits::kRecordTtlMsMax + 1) == COLLET_E_LIMIT);
}

TEST_CASE("names of streams and events are taken up to their limits, and not past them") {
  KeepingHost host;
  const auto append = [&](std::size_t name_bytes, std::size_t bytes = 0) {
    const std::string name(name_bytes, 's'), event(bytes, 'e');
    collet_append_params params{};
    params.struct_size = sizeof params;
    params.stream = to_str(name);
    params.bytes = to_str(event);
    params.appended = [](void*, std::int32_t, std::uint64_t) {};
    return kEventsTable.append(&host.table, &params);
  };
  const auto read = [&](std::size_t owner_bytes, std::size_t name_bytes) {
    const std::string owner(owner_bytes, 'p'), name(name_bytes, 's');
    collet_events_params params{};
    params.struct_size = sizeof params;
    params.owner = to_str(owner);
    params.stream = to_str(name);
    params.told = [](void*, const collet_events_page*) {};
    return kEventsTable.read(&host.table, &params);
  };
  CHECK(append(0) == COLLET_E_INVALID);
  CHECK(append(limits::kStreamNameBytesMax) == COLLET_OK);
  CHECK(append(limits::kStreamNameBytesMax + 1) == COLLET_E_LIMIT);
  CHECK(append(1, limits::kStreamEventBytesMax) == COLLET_OK);
  CHECK(append(1, limits::kStreamEventBytesMax + 1) == COLLET_E_LIMIT);
  CHECK(read(0, 1) == COLLET_E_INVALID);
  CHECK(read(limits::kPluginIdBytesMax, 1) == COLLET_OK);
  CHECK(read(limits::kPluginIdBytesMax + 1, 1) == COLLET_E_LIMIT);
  CHECK(read(1, limits::kStreamNameBytesMax + 1) == COLLET_E_LIMIT);
}

TEST_CASE("what is malformed is refused, and nobody is told") {
  KeepingHost host;
  const collet_str bad_text = to_str("\xff"), null{nullptr, 1};
  collet_store_params store{};
  store.struct_size = sizeof store;
  store.key = to_str("k");
  CHECK(kStoreTable.get(&host.table, &store) == COLLET_E_INVALID);  // for nobody
  store.answered = [](void*, const collet_stored*) {};
  for (const collet_str& key : {bad_text, null, collet_str{}}) {
    store.key = key;
    for (const auto function : {kStoreTable.get, kStoreTable.put, kStoreTable.remove}) {
      CHECK(function(&host.table, &store) == COLLET_E_INVALID);
    }
  }
  store.key = to_str("k");
  store.value = null;
  CHECK(kStoreTable.put(&host.table, &store) == COLLET_E_INVALID);
  store.value = {};
  store.flags = 2;
  CHECK(kStoreTable.put(&host.table, &store) == COLLET_E_INVALID);
  store.struct_size = 3;
  CHECK(kStoreTable.put(&host.table, &store) == COLLET_E_INVALID);
  CHECK(kStoreTable.put(&host.table, nullptr) == COLLET_E_INVALID);
  CHECK(kStoreTable.list(&host.table, nullptr) == COLLET_E_INVALID);
  collet_events_params events{};
  events.struct_size = sizeof events;
  events.stream = to_str("s");
  CHECK(kEventsTable.follow(&host.table, &events, nullptr) == COLLET_E_INVALID);
  events.told = [](void*, const collet_events_page*) {};
  for (const collet_str& name : {bad_text, null, collet_str{}}) {
    events.stream = name;
    CHECK(kEventsTable.read(&host.table, &events) == COLLET_E_INVALID);
    CHECK(kEventsTable.follow(&host.table, &events, nullptr) == COLLET_E_INVALID);
  }
  CHECK(kEventsTable.unfollow(&host.table, 1) == COLLET_E_STALE);
  CHECK(kEventsTable.append(&host.table, nullptr) == COLLET_E_INVALID);
}

TEST_CASE("a plugin in C++ keeps notes, and follows what is said of them") {
  House house;
  const PluginSpec spec{.id = "notes", .library = module_path("notes"), .placement = kTestPlacement};
  REQUIRE(house.loader.load({spec}).front().error == "");
  const auto ask = [&](const std::string& tool, const std::string& arguments = "{}") {
    const Ending ending = house.call_tool(tool, arguments);
    json::Document block;
    if (json::parse(ending.content, block)) return ending.message;
    return std::string(json::find_string(block, "text").value_or(""));
  };
  const auto hears = [&](const std::string& what) {
    return becomes_true([&] { return ask("heard").find(what) != std::string::npos; });
  };
  CHECK(hears("kept nothing;"));
  CHECK(ask("write", R"({"name":"a","text":"one","version":0})") == "1");
  CHECK(ask("write", R"({"name":"a","text":"two","version":0})") == "no");
  CHECK(ask("write", R"({"name":"kept","text":"x"})") == "2");
  CHECK(ask("read", R"({"name":"a"})") == "one 1");
  CHECK(ask("read", R"({"name":"b"})") == "none");
  CHECK(ask("later", R"({"name":"a"})") == "one");
  CHECK(ask("names", R"({"name":""})") == "a kept ");
  CHECK(ask("names", R"({"name":"k"})") == "kept ");
  CHECK(hears("1 a;"));
  CHECK(hears("2 kept;"));
  CHECK(ask("changes") == "1 a;2 kept;");
  CHECK(ask("erase", R"({"name":"a","text":"","version":7})") == "false");
  CHECK(ask("erase", R"({"name":"a","text":""})") == "true");
  CHECK_THAT(ask("stuck"), Catch::Contains("a callback cannot wait"));
  CHECK_THAT(ask("read", R"({"name":""})"), Catch::Contains("malformed"));
  ask("stale");
  CHECK(hears("status -2;"));
  ask("deaf");
  ask("read", R"({"name":"a"})");  // the host has what came before
  ask("write", R"({"name":"c","text":"3"})");
  CHECK(hears("once 3 c;"));
  CHECK(hears("3 c;"));
  ask("stop");
  ask("write", R"({"name":"d","text":"4"})");
  CHECK(ask("changes") == "1 a;2 kept;3 c;4 d;");
  CHECK(ask("heard").find("4 d;") == std::string::npos);

  REQUIRE(house.loader.reload("notes").error == "");
  CHECK(hears("kept x;"));
  CHECK(hears("4 d;"));
  PluginSpec failing = spec;
  failing.config = R"({"fails":true})";
  CHECK_THAT(house.loader.apply({failing}, false).at(0).error, Catch::Contains("create() returned"));
  CHECK(ask("read", R"({"name":"c"})") == "3 3");
}

namespace {

// Where a plugin's answers go, without a plugin.
template <class KeptRecords, class KeptStreams>
struct AskerOf {
  ~AskerOf() {
    records.end_all();
    streams.end_all();
    CHECK(answers.close(Clock::time_point::max()));
  }
  std::int32_t follow(std::uint64_t after, OwnStreams::Followed told, std::uint64_t& id) {
    return streams.follow({{"p", "s"}, after, 0}, std::move(told), id);
  }

  const std::string name = "p";
  const std::shared_ptr<OwnThreads> threads = std::make_shared<OwnThreads>();
  KeptRecords kept_records;
  KeptStreams kept_streams;
  Answers answers{name, *threads};
  HostRecords records{answers, kept_records, "p"};
  HostStreams streams{answers, kept_streams, "p", std::nullopt};
};

struct FailingRecords final : store::Records {
  void get(const std::string&, const std::string&, Answered then) override { then({.status = Status::failed}); }
  void put(const std::string&, Put, Answered then) override { then({.status = Status::failed}); }
  void remove(const std::string&, const std::string&, Expected, Answered then) override { then({.status = Status::failed}); }
  void list(const std::string&, const List&, Listed then) override { then({.status = Status::failed}); }
};
struct FailingStreams final : store::Streams {
  void append(const store::StreamName&, std::string, Appended then) override { then({.status = Status::failed}); }
  void read(const store::StreamName&, std::uint64_t, std::uint32_t, Read then) override { then({.status = Status::failed}); }
  std::uint64_t watch(const store::StreamName&, std::function<void()>) override { return 1; }
  void unwatch(const store::StreamName&, std::uint64_t) override {}
};
using Asker = AskerOf<store::MemoryRecords, store::MemoryStreams>;
using FailingAsker = AskerOf<FailingRecords, FailingStreams>;

}  // namespace

TEST_CASE("what is followed and ends with an error leaves nothing behind") {
  Asker asker;
  asker.streams.open();
  std::atomic<unsigned> ended = 0;
  for (unsigned i = 0; i < 3 * limits::kFollowsMax; ++i) {
    std::uint64_t id = 0;
    REQUIRE(asker.follow(1u << 20, [&](std::uint64_t, const StreamAnswer& answer) { ended += answer.status == COLLET_E_STALE; }, id) == COLLET_OK);
    REQUIRE(becomes_true([&] { return ended == i + 1; }));
    CHECK(becomes_true([&] { return asker.kept_streams.watches() == 0; }));
    CHECK(asker.streams.unfollow(id) == COLLET_E_STALE);
  }
}

TEST_CASE("a plugin hears that the store has failed, and what it follows ends") {
  FailingAsker asker;
  asker.records.open();
  asker.streams.open();
  std::vector<std::int32_t> heard;
  std::atomic<unsigned> told = 0;
  const auto hear = [&](const auto& answer) {
    heard.push_back(answer.status);
    ++told;
  };
  CHECK(asker.records.ask(RecordGet{"k"}, hear) == COLLET_OK);
  CHECK(asker.records.ask(store::Records::Put{.key = "k", .value = "v"}, hear) == COLLET_OK);
  CHECK(asker.records.ask(store::Records::List{}, hear) == COLLET_OK);
  CHECK(asker.streams.ask(StreamAppend{"s", "event"}, hear) == COLLET_OK);
  CHECK(asker.streams.ask(StreamRead{{"p", "s"}, 0, 0}, hear) == COLLET_OK);
  std::uint64_t id = 0;
  CHECK(asker.streams.follow({{"p", "s"}, 0, 0}, [&](std::uint64_t, const StreamAnswer& answer) { hear(answer); }, id) == COLLET_OK);
  CHECK(becomes_true([&] { return told == 6; }));
  CHECK(heard == std::vector<std::int32_t>(6, COLLET_E_INTERNAL));
  CHECK(becomes_true([&] { return asker.streams.unfollow(id) == COLLET_E_STALE; }));
}

TEST_CASE("pages that were to be told of what is not followed any more have a bound") {
  Asker asker;
  asker.streams.open();
  asker.kept_streams.append({"p", "s"}, "event", [](store::Streams::Answer) {});
  std::atomic<bool> holds = true;
  std::atomic<unsigned> told = 0;
  std::uint64_t first = 0, id = 0;
  REQUIRE(asker.follow(0, [&](std::uint64_t, const StreamAnswer&) { ++told; holds.wait(true); }, first) == COLLET_OK);
  REQUIRE(becomes_true([&] { return told == 1; }));
  std::int32_t status = COLLET_OK;
  unsigned count = 0;
  for (; count < 1000 && (status = asker.follow(0, [&](std::uint64_t, const StreamAnswer&) { ++told; }, id)) == COLLET_OK; ++count) {
    CHECK(asker.streams.unfollow(id) == COLLET_OK);
  }
  CHECK(status == COLLET_E_LIMIT);
  CHECK(count == 2 * limits::kFollowsMax);
  holds = false;
  holds.notify_all();
  CHECK(becomes_true([&] { return asker.follow(0, [&](std::uint64_t, const StreamAnswer&) { ++told; }, id) == COLLET_OK; }));
  CHECK(becomes_true([&] { return told == 2; }));
  CHECK(asker.streams.unfollow(first) == COLLET_OK);
}

TEST_CASE("what is asked and not answered has a bound in bytes") {
  Asker asker;
  std::atomic<unsigned> answered = 0;
  const auto put = [&](std::size_t bytes) {
    return asker.records.ask(store::Records::Put{.key = "k", .value = std::string(bytes, 'x')}, [&](const RecordAnswer&) { ++answered; });
  };
  unsigned count = 0;
  for (std::size_t left = limits::kAskedBytesMax; left > 0; ++count) {
    const std::size_t bytes = std::min(left, limits::kRecordValueBytesMax);
    REQUIRE(put(bytes - 1) == COLLET_OK);
    left -= bytes;
  }
  CHECK(put(0) == COLLET_E_LIMIT);
  asker.records.open();
  CHECK(put(0) == COLLET_OK);
  CHECK(becomes_true([&] { return answered == count + 1; }));
}
