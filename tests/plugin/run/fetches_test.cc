// A plugin that is a client of HTTP, by the host's engine.
#include "house.h"
#include "plugin/abi/fetch_table.h"
#include "plugin/abi/structs.h"
#include "plugin/run/fetches.h"
#include "support/catch.h"
#include "support/held_lookups.h"
#include "support/scripted_server.h"
#include "table_host.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;
using registry::Kind;

namespace {

// Answers by its path.
struct FetchOrigin {
  std::atomic<int> begun{0};   // requests for what does not end
  std::atomic<int> closed{0};  // connections of those
  ScriptedServer server{[this](ScriptedServer::Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      const std::size_t slash = request.find('/');
      const std::string path = request.substr(slash, request.find(' ', slash) - slash);
      if (path.starts_with("/to?")) {
        peer.answer("", "302 Found", "Location: " + path.substr(4) + "\r\n");
      } else if (path == "/slow") {
        ++begun;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
        peer.wait_closed();
        ++closed;
        return;
      } else if (path == "/silent") {
        ++begun;
        peer.wait_closed();
        ++closed;
        return;
      } else if (path == "/large") {
        peer.answer(std::string(kLarge, 'x'));
      } else if (path == "/echo") {
        peer.answer(request);
      } else {
        peer.answer("hello", "200 OK", "X-Test: yes\r\n");
      }
    }
  }};
  static constexpr std::size_t kLarge = 3u << 20;
  std::string url(const std::string& path) const { return server.url(path); }
};

std::string fetch_order(const std::string& url, const std::string& more = "") { return R"({"url":")" + url + "\"" + more + "}"; }

struct FetchClient {
  // Without these grants it may go where it wants.
  explicit FetchClient(std::optional<std::vector<std::string>> hosts = std::nullopt, const char* module = "fetcher") {
    PluginSpec spec;
    spec.id = "f";
    spec.library = module_path(module);
    spec.placement = kTestPlacement;
    spec.permissions.network = !hosts;
    if (hosts) spec.permissions.hosts = *hosts;
    REQUIRE(house.loader.load({spec}).front().error == "");
  }

  // What the tool says.
  std::string call(const std::string& arguments, const char* tool = "fetch") { return text_of(house.call_tool(tool, arguments)); }
  static std::string text_of(const Ending& ending) {
    INFO(ending.message);
    json::Document block;
    if (json::parse(ending.content, block)) return "no text: " + ending.message;
    return std::string(json::find_string(block, "text").value_or(""));
  }
  CallId begin(const std::string& arguments, Recorder& recorder, const char* tool = "hold") {
    kept.push_back(arguments);
    return house.start_tool(tool, kept.back(), recorder);
  }
  std::uint64_t count(const char* member) {
    json::Document counts;
    const std::string text = call("{}", "count");
    return json::parse(text, counts) ? 0 : json::find(counts, member)->GetUint64();
  }
  bool shuts_down() { return house.ends(); }

  std::deque<std::string> kept;
  House house;
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a plugin fetches, and hears head, body and end") {
  FetchOrigin origin;
  FetchClient client;
  CHECK(client.call(fetch_order(origin.url("/"))) == "200 " + origin.url("/") + "\nyes\nhello\n0, 1: ");
  const std::string echo = client.call(fetch_order(origin.url("/echo"),
      R"(,"method":"POST","name":"X-Own","value":"v","content":"bytes")"));
  CHECK(says(echo, "POST /echo HTTP/1.1\r\n"));
  CHECK(says(echo, "X-Own: v\r\n"));
  CHECK(says(echo, "\r\n\r\nbytes\n0, 1: "));
  CHECK(client.call(fetch_order(origin.url("/to?/"))) == "302 " + origin.url("/to?/") + "\n\n0, 1: ");
  CHECK(says(client.call(fetch_order(origin.url("/to?/"), R"(,"redirects":1)")), "200 " + origin.url("/") + "\n"));
  CHECK(says(client.call(fetch_order(origin.url("/"), R"(,"as":"plugin")")), "hello\n0, 1: "));
  CHECK(becomes_true([&, ms = 25]() mutable {
    const std::string late = client.call(fetch_order(origin.url("/slow"), R"(,"timeout":)" + std::to_string(ms *= 2)));
    return late == "200 " + origin.url("/slow") + "\nsome\n1, 1: it has not ended in time";
  }));
  CHECK(says(client.call(fetch_order(origin.url("/"), R"(,"most":4)")), "1, 1: its answer is larger than 4 bytes"));
  CHECK(says(client.call(fetch_order("http://127.0.0.1:1/")), "\n1, 0: "));
}

TEST_CASE("a plugin in C++ waits for a whole answer, or hears of it as it comes") {
  FetchOrigin origin;
  FetchClient client(std::nullopt, "fetcher_cpp");
  CHECK(client.call(fetch_order(origin.url("/")), "get") == "200 yes hello");
  CHECK(client.call(fetch_order(origin.url("/to?/")), "get") == "302 - ");
  CHECK(client.call(fetch_order(origin.url("/to?/"), R"(,"redirects":1)"), "get") == "200 yes hello");
  CHECK(client.call(fetch_order(origin.url("/large")), "stream") == std::to_string(FetchOrigin::kLarge) + " 0");
  CHECK(client.call(fetch_order(origin.url("/large")), "stop") == "some 1it was cancelled");
  CHECK(client.call(fetch_order(origin.url("/")), "inside") == "a callback cannot wait for an answer: nobody else would bring it");
  CHECK(says(client.call(fetch_order("http://127.0.0.1:1/"), "get"), "cannot GET http://127.0.0.1:1/: "));
  CHECK(says(client.call(fetch_order("nonsense"), "get"), "cannot fetch nonsense: "));
}

TEST_CASE("what cannot be fetched is refused at once") {
  FetchClient client;
  const auto refused = std::to_string(COLLET_E_INVALID);
  for (const char* url : {"ftp://a/", "file:///etc/passwd", "", "http://u@a/", "nonsense"}) CHECK(client.call(fetch_order(url)) == refused);
  CHECK(client.call("{}") == refused);
  CHECK(client.call(fetch_order("http://a/", R"(,"name":"Host","value":"b")")) == refused);
  CHECK(client.call(fetch_order("http://a/", ",\"name\":\"X\",\"value\":\"a\x7f\"")) == refused);
  CHECK(client.call(fetch_order("http://a/", R"(,"method":"CONNECT")")) == refused);
  CHECK(client.call(fetch_order("http://a/", R"(,"redirects":21)")) == refused);
}

TEST_CASE("no more is told than the plugin takes") {
  FetchOrigin origin;
  FetchClient client;
  Recorder recorder;
  client.begin(fetch_order(origin.url("/large")), recorder);
  REQUIRE(becomes_true([&] { return client.count("bytes") >= limits::kFetchAheadBytesMax; }));
  std::uint64_t told = client.count("bytes");
  CHECK(client.call(R"({"bytes":4000000})", "take") == std::to_string(COLLET_E_INVALID));
  CHECK(client.call(R"({"bytes":0})", "take") == "0");
  CHECK(client.count("bytes") == told);
  CHECK(told <= limits::kFetchAheadBytesMax + (16u << 10));
  for (std::uint64_t taken = 0; told < FetchOrigin::kLarge;) {
    CHECK(client.call(R"({"bytes":)" + std::to_string(told - taken) + "}", "take") == "0");
    taken = told;
    REQUIRE(becomes_true([&] { return (told = client.count("bytes")) - taken >= std::min<std::uint64_t>(FetchOrigin::kLarge - taken,
        limits::kFetchAheadBytesMax); }));
    CHECK(told - taken <= limits::kFetchAheadBytesMax + (16u << 10));
  }
  recorder.wait_end();
  CHECK(client.count("bytes") == FetchOrigin::kLarge);
}

TEST_CASE("who does not want the body gets the end") {
  FetchOrigin origin;
  FetchClient client;
  CHECK(client.call(fetch_order(origin.url("/large")), "drop") == "200 " + origin.url("/large") + "\n\n0, 1: ");
  CHECK(says(client.call(fetch_order(origin.url("/large"))), "\n200 ") == false);
  CHECK(client.count("bytes") == FetchOrigin::kLarge);
}

TEST_CASE("an exchange is cancelled by the plugin") {
  FetchOrigin origin;
  FetchClient client;
  const std::string path = GENERATE("/slow", "/silent");
  Recorder recorder;
  client.begin(fetch_order(origin.url(path)), recorder);
  REQUIRE(becomes_true([&] { return origin.begun > 0; }));
  CHECK(client.call("{}", "cancel") == "0");
  CHECK(says(FetchClient::text_of(recorder.wait_end()), "\n1, 1: it was cancelled"));
  CHECK(client.call("{}", "cancel") == std::to_string(COLLET_E_STALE));
  CHECK(client.call(R"({"bytes":1})", "take") == std::to_string(COLLET_E_STALE));
  CHECK(becomes_true([&] { return origin.closed == 1; }));
}

TEST_CASE("what was begun inside of a call ends with it") {
  FetchOrigin origin;
  FetchClient client;
  const bool cancelled = GENERATE(true, false);
  Recorder recorder;
  if (cancelled) {
    const CallId id = client.begin(fetch_order(origin.url("/slow")), recorder);
    REQUIRE(becomes_true([&] { return origin.begun > 0; }));
    client.house.cancel("hold", id, registry::CancelReason::client);
    CHECK(says(FetchClient::text_of(recorder.wait_end()), "it was cancelled"));
  } else {
    client.begin(fetch_order(origin.url("/slow")), recorder, "leave");
    recorder.wait_end();
  }
  CHECK(becomes_true([&] { return client.count("ended") == 1; }));
  // It may have ended before it had begun.
  CHECK(becomes_true([&] { return origin.closed == origin.begun; }));
  // What is the plugin's own goes on.
  Recorder own;
  const int before = origin.begun;
  client.begin(fetch_order(origin.url("/slow"), R"(,"as":"plugin")"), own, "leave");
  own.wait_end();
  CHECK(becomes_true([&] { return origin.begun == before + 1; }));
  CHECK(client.count("ended") == 1);
}

TEST_CASE("a plugin in a worker fetches from where it is granted, and from nowhere without that") {
  FetchOrigin origin;
  const std::string port = std::to_string(origin.server.port()), place = origin.server.place();
  const auto denied = [&](const std::string& where) {
    return "\n2, 0: fetching from " + where + " was denied: add \"" + where + "\" to plugin.f.permissions.network";
  };
  const std::string by_name = origin.server.url("/", "localhost");
  for (const auto& granted : std::vector<std::vector<std::string>>{{}, {"localhost:1"}, {"192.0.2.1:" + port}}) {
    FetchClient client(granted);
    const unsigned before = origin.server.accepted();
    const std::string address = client.call(fetch_order(origin.url("/"))), name = client.call(fetch_order(by_name));
    if (in_worker()) {
      CHECK(address == denied(place));
      CHECK(name == denied("localhost:" + port));
      CHECK(origin.server.accepted() == before);
    } else {
      CHECK(says(address, "hello\n0, 1: "));
      CHECK(says(name, "hello\n0, 1: "));
    }
  }
  FetchClient named({{"localhost:" + port}});
  CHECK(says(named.call(fetch_order(by_name)), "hello\n0, 1: "));
  if (in_worker()) CHECK(named.call(fetch_order(origin.url("/"))) == denied(place));
  FetchClient addressed({{place}});
  CHECK(says(addressed.call(fetch_order(by_name)), "hello\n0, 1: "));
  CHECK(says(addressed.call(fetch_order(origin.url("/"))), "hello\n0, 1: "));
}

TEST_CASE("a plugin in a worker is not led to where it is not granted") {
  FetchOrigin origin, other;
  FetchClient client({{origin.server.place()}});
  const std::string led = client.call(fetch_order(origin.url("/to?" + other.url("/")), R"(,"redirects":5)"));
  if (in_worker()) {
    CHECK(led == "\n2, 1: fetching from " + other.server.place() + " was denied: add \"" + other.server.place() +
                     "\" to plugin.f.permissions.network");
    CHECK(other.server.accepted() == 0);
    CHECK(says(client.call(fetch_order(origin.url("/to?http://169.254.169.254/"), R"(,"redirects":5)")),
        "fetching from 169.254.169.254:80 was denied"));
  } else {
    CHECK(says(led, "hello\n0, 1: "));
  }
}

TEST_CASE("a plugin has as many exchanges under way as the limit allows, and no more; they end with its generation") {
  FetchOrigin origin;
  FetchClient client;
  std::deque<Recorder> recorders(limits::kFetchesMax);
  for (Recorder& recorder : recorders) client.begin(fetch_order(origin.url("/slow"), R"(,"as":"plugin")"), recorder);
  REQUIRE(becomes_true([&] { return origin.begun == static_cast<int>(limits::kFetchesMax); }));
  CHECK(client.call(fetch_order(origin.url("/"))) == std::to_string(COLLET_E_LIMIT));
  CHECK(client.shuts_down());
  for (Recorder& recorder : recorders) recorder.wait_end();
  CHECK(becomes_true([&] { return origin.closed == static_cast<int>(limits::kFetchesMax); }));
}

TEST_CASE("what ends while its name is being looked up keeps its place: a lookup is a thread of the host's") {
  const HeldLookups lookups;
  FetchOrigin origin;
  FetchClient client;
  std::string ended;
  CHECK(becomes_true([&] {  // one whose time is over before it begins looks nothing up
    ended = client.call(fetch_order("http://held.test/", R"(,"timeout":5)"));
    return !says(ended, "it has not ended in time");
  }));
  CHECK((in_worker() ? says(ended, "LIMIT") : ended == std::to_string(COLLET_E_LIMIT)));
  CHECK(becomes_true([&] { return HeldLookups::count == static_cast<int>(limits::kFetchesMax); }));
  CHECK(client.call(fetch_order(origin.url("/"))) == ended);
  CHECK(client.shuts_down());
}

TEST_CASE("a plugin is replaced while what it fetches does not end") {
  FetchOrigin origin;
  FetchClient client;
  Recorder own;
  client.begin(fetch_order(origin.url("/slow"), R"(,"as":"plugin")"), own, "leave");
  own.wait_end();
  REQUIRE(becomes_true([&] { return origin.begun == 1; }));
  REQUIRE(client.house.loader.reload("f").error == "");
  CHECK(becomes_true([&] { return origin.closed == 1; }));
  CHECK(says(client.call(fetch_order(origin.url("/"))), "hello\n0, 1: "));
  CHECK(client.shuts_down());
}

TEST_CASE("what a worker has under way when it dies ends, and its next process begins anew") {
  if (!in_worker()) return;
  FetchOrigin origin;
  FetchClient client;
  Recorder waits, paused;
  client.begin(fetch_order(origin.url("/silent")), waits);
  client.begin(fetch_order(origin.url("/large")), paused);
  REQUIRE(becomes_true([&] { return origin.begun == 1 && client.count("bytes") >= limits::kFetchAheadBytesMax; }));
  client.call("{}", "crash");
  CHECK(waits.wait_end().how == Ending::How::failed);
  CHECK(paused.wait_end().how == Ending::How::failed);
  CHECK(becomes_true([&] { return origin.closed == 1; }));
  CHECK(becomes_true([&] { return says(client.call(fetch_order(origin.url("/"))), "hello\n0, 1: "); }));
  CHECK(client.count("ended") >= 1);
}

namespace {

// What the table takes, without anybody who would fetch.
struct TakingFetches final : Fetches {
  using Fetches::Fetches;
  std::int32_t start(std::uint64_t, LockedCall&, fetch::Request request) override {
    last = std::move(request);
    return COLLET_OK;
  }
  void stop(std::uint64_t) override {}
  void give(std::uint64_t, std::size_t) override {}
  void detach() override {}
  fetch::Request last;
};

struct FetchTable {
  FetchTable() {
    fetches.open();
    host.side.fetches = &fetches;
    params.struct_size = sizeof params;
    params.flags = COLLET_FETCH_AS_PLUGIN;
    params.url = to_str("http://a/");
    params.ended = [](void*, const collet_fetch_end*) {};
  }
  ~FetchTable() {
    fetches.end_all();
    CHECK(answers.close(Clock::time_point::max()));
  }
  std::int32_t fetch() const { return kFetchTable.fetch(&host.table, &params, nullptr); }
  std::int32_t fetch_with(std::size_t name_bytes, std::size_t value_bytes, std::size_t count) {
    const std::string name(name_bytes, 'n'), value(value_bytes, 'v');
    const std::vector<collet_http_field> fields(count, {to_str(name), to_str(value)});
    params.fields = fields.data();
    params.field_count = fields.size();
    const std::int32_t status = fetch();
    params.fields = nullptr;
    params.field_count = 0;
    return status;
  }

  TableHost host;
  const std::shared_ptr<OwnThreads> threads = std::make_shared<OwnThreads>();
  Answers answers{host.owner.name, *threads};
  TakingFetches fetches{host.calls, host.owner, answers};
  collet_fetch_params params{};
};

}  // namespace

TEST_CASE("URL, fields and content of a request are taken up to their limits, and not past them") {
  FetchTable table;
  CHECK(table.fetch_with(4, 4, limits::kFetchFieldsMax) == COLLET_OK);
  CHECK(table.fetch_with(4, 4, limits::kFetchFieldsMax + 1) == COLLET_E_LIMIT);
  CHECK(table.fetch_with(4, limits::kFetchFieldBytesMax - 4, 1) == COLLET_OK);
  CHECK(table.fetch_with(4, limits::kFetchFieldBytesMax - 3, 1) == COLLET_E_LIMIT);
  const std::string url = "http://a/" + std::string(limits::kFetchUrlBytesMax - 9, 'x'), longer = url + "x";
  table.params.url = to_str(url);
  CHECK(table.fetch() == COLLET_OK);
  table.params.url = to_str(longer);
  CHECK(table.fetch() == COLLET_E_LIMIT);
  table.params.url = to_str("http://a/");
  const std::string content(limits::kFetchBytesMax, 'x'), more = content + "x";
  table.params.content = to_str(more);
  CHECK(table.fetch() == COLLET_E_LIMIT);
  table.params.content = to_str(content);
  for (std::size_t all = 0; all < limits::kFetchesBytesMax; all += limits::kFetchBytesMax) CHECK(table.fetch() == COLLET_OK);
  table.params.content = to_str("x");
  CHECK(table.fetch() == COLLET_E_LIMIT);
}

TEST_CASE("a table is given nothing that makes no sense") {
  FetchTable table;
  const auto with = [&](auto change) {
    collet_fetch_params params = table.params;
    change(params);
    return kFetchTable.fetch(&table.host.table, &params, nullptr);
  };
  CHECK(with([](auto&) {}) == COLLET_OK);
  CHECK(kFetchTable.fetch(&table.host.table, nullptr, nullptr) == COLLET_E_INVALID);
  CHECK(kFetchTable.fetch(nullptr, &table.params, nullptr) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.struct_size = 0; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.struct_size = 3; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.struct_size = 16; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.flags = 0; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.flags |= 2; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.reserved = 1; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.reserved_pointer = &p; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.ended = nullptr; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.url = {nullptr, 5}; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.content = {nullptr, 5}; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.field_count = 1; }) == COLLET_E_INVALID);
  CHECK(with([](auto& p) { p.timeout_ms = ~0ull; p.connect_timeout_ms = ~0ull; p.bytes_max = ~0ull; }) == COLLET_OK);
  CHECK(table.fetches.last.timeout_ms == limits::kTimeoutMsMax);
  CHECK(with([](auto& p) { p.redirects_max = limits::kFetchRedirectsMax; }) == COLLET_OK);
  CHECK(with([](auto& p) { p.redirects_max = limits::kFetchRedirectsMax + 1; }) == COLLET_E_INVALID);
  static const collet_http_field kHole{{nullptr, 1}, {nullptr, 0}};
  CHECK(with([](auto& p) { p.fields = &kHole; p.field_count = 1; }) == COLLET_E_INVALID);
  TableHost without;
  CHECK(kFetchTable.fetch(&without.table, &table.params, nullptr) == COLLET_E_UNSUPPORTED);
}
