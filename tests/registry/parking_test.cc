// Calls of a plugin that is being replaced, and cannot exist twice: they wait, and go on with what is there then.
#include "registry/parking.h"

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "registry/ending.h"
#include "registry/principal.h"
#include "registry/rounds.h"
#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::registry;
namespace limits = collet::limits;

namespace {

constexpr std::uint64_t kLongMs = 1'000'000;  // however long the loop's turns take

ItemDef plain_tool(std::string name, std::string definition = "{}") {
  ItemDef def;
  def.name = std::move(name);
  def.definition = std::move(definition);
  return def;
}

// What a plugin is told of a call, as text.
std::string shown(const Call& call) {
  const auto text = [](std::optional<std::string_view> given) { return given ? std::string(*given) : "-"; };
  std::string all = fmt::format("{} {} {} {} handle {}", call.name, text(call.arguments), text(call.variables), call.depth, call.handle);
  if (call.principal && *call.principal) all += " for " + (*call.principal)->id;
  if (call.round > 0) all += fmt::format(" round {} {} {} {}", call.round, text(call.input_responses), call.state, call.state_version);
  if (call.web) all += fmt::format(" {} {}{}", call.web->method, call.web->body, call.web->is_streamed ? " streamed" : "");
  return all;
}

// A generation. It notes what it hears, and what ends at once it ends itself.
struct Plugin final : Provider {
  std::vector<std::string> heard;
  std::function<void(Listener&)> does = [](Listener&) {};
  std::function<void()> on_body;  // may be null
  std::uint64_t timeout_ms = 0;  // of the last call
  bool ends = false;

  CallId start(const Call& call, Listener& listener) override {
    heard.push_back(shown(call));
    timeout_ms = call.timeout_ms;
    does(listener);
    if (!ends) return 7;
    Ending ending;
    listener.on_end(ending);
    return 0;
  }
  void cancel(CallId id, CancelReason) override { heard.push_back(fmt::format("cancel {}", id)); }
  void body(CallId id, std::string_view bytes, bool last) override {
    heard.push_back(fmt::format("body {} {}{}", id, bytes, last ? "." : ""));
    if (on_body) on_body();
  }
  void taken(CallId id, std::size_t bytes) override { heard.push_back(fmt::format("taken {} {}", id, bytes)); }
  std::uint64_t generation() const override { return 2; }
};

struct CallLog final : CallObserver {
  std::vector<std::string> heard;
  void on_call_begun(const CallFacts& facts) override {
    heard.push_back(fmt::format("{} of {} {}", facts.name, facts.plugin, facts.generation));
  }
  void on_call_ended(const CallFacts& facts, const CallEnd& end) override {
    heard.push_back(fmt::format("end of {}: {} {}", facts.name, static_cast<int>(end.how), end.rpc_code));
  }
};

// The loop, and a registry in which the plugin "p" is being replaced.
class Street {
 public:
  Street() {
    registry.observe(log);
    registry.declare("p", {});
    registry.declare("q", {});
  }
  void park(std::vector<ItemDef> items) { registry.replace("p", &parking, std::move(items)); }
  // Those are there now, and calls go on.
  void release(std::vector<ItemDef> items, const char* source = "p") {
    if (std::string_view(source) != "p") registry.replace("p", nullptr, {});
    registry.replace(source, &plugin, std::move(items));
    bool released = false;
    parking.release(registry, [&] { released = true; });
    CHECK_FALSE(released);
    turn();
    CHECK(released);
  }
  void turn() {
    loop.post([this] { loop.stop(); });
    loop.run();
  }

  Registry registry;
  CallLog log;
  Plugin plugin;
  collet::loop::Loop loop;
  Parking parking{"p", {&loop}};
  Deadlines deadlines{loop};
  ManualTime time{loop};
};

// Who calls. When the call is over there are no rounds any more, as if it were destroyed.
class Caller final : public Listener {
 public:
  explicit Caller(Street& street, CallKind kind = CallKind::tool, Kind item = Kind::tool)
      : street_(street), kind_(kind), item_(item), rounds(std::make_unique<Rounds>(street.deadlines)) {}

  // Of the item under that name.
  void start(const char* name, RoundParams params = {}) {
    const SnapshotPtr snapshot = street_.registry.current();
    const Item& item = *snapshot->find(item_, name);
    rounds->aim(kind_, item);
    rounds->start(*snapshot, item, std::move(params), *this);
    end_if_over();
  }
  void start_anew() {
    rounds->start_anew(*street_.registry.current(), *this);
    end_if_over();
  }

  Street& street_;
  const CallKind kind_;
  const Kind item_;
  std::unique_ptr<Rounds> rounds;
  std::string heard;
  std::optional<std::string> misfit;
  bool keeps_rounds = false;

 private:
  void end_if_over() {
    if (over_ && !keeps_rounds) rounds.reset();
  }
  void on_progress(const Progress& progress) override { heard += fmt::format("progress:{} ", progress.done); }
  void on_log(const LogMessage&) override {}
  void on_deadline() override { heard += "deadline "; }
  void on_end(Ending& ending) override {
    over_ = true;
    misfit = rounds->misfit(ending);
    rounds->ended();
    heard += "end:" + (ending.how == Ending::How::failed ? fmt::format("{} {}", ending.rpc_code, ending.message) : ending.content);
    if (!rounds->starting()) end_if_over();
  }
  std::optional<std::string_view> info(std::string_view) const override { return std::nullopt; }

  bool over_ = false;
};

using Lines = std::vector<std::string>;

PrincipalPtr principal(std::string id, ViewRules rules = {}) {
  return std::make_shared<Principal>(Principal{.id = std::move(id), .view = std::make_shared<View>(rules)});
}

}  // namespace

TEST_CASE("a call waits while its plugin is replaced, and begins with what came with it where the plugin is then") {
  Street street;
  Caller caller(street);
  const PrincipalPtr alice = principal("alice");
  street.park({plain_tool("t")});
  {
    const std::string arguments = R"({"n":1})";
    caller.start("t", {.arguments = arguments, .principal = &alice, .depth = 3});
  }
  CHECK(street.log.heard == Lines{"t of p 0"});
  caller.rounds->taken(5);
  street.turn();
  CHECK(caller.heard.empty());
  ItemDef there = plain_tool("t");
  there.handle = 9;
  street.plugin.does = [](Listener& listener) { listener.on_progress({.done = 1}); };
  street.release({there});
  CHECK(street.plugin.heard == Lines{R"(t {"n":1} - 3 handle 9 for alice)"});
  CHECK(caller.heard == "progress:1 ");
  caller.rounds->taken(5);
  caller.rounds->cancel(CancelReason::client);
  CHECK(street.plugin.heard.size() == 3);
  CHECK(street.plugin.heard[1] == "taken 7 5");
  CHECK(street.plugin.heard[2] == "cancel 7");
  CHECK(street.log.heard == Lines{"t of p 0"});
}

TEST_CASE("of a call that has waited observers hear once that it begins, and once that it has ended") {
  Street street;
  Caller caller(street);
  street.park({plain_tool("t")});
  caller.start("t");
  street.plugin.ends = true;
  street.release({plain_tool("t")});
  CHECK(caller.heard == "end:");
  CHECK_FALSE(caller.rounds);
  CHECK(street.log.heard == Lines{"t of p 0", "end of t: 0 0"});
}

TEST_CASE("a loop has as many calls wait as it may, and refuses one more") {
  Street street;
  street.park({plain_tool("t")});
  std::deque<Caller> callers;
  for (unsigned i = 0; i < limits::kParkedCallsMax; ++i) callers.emplace_back(street).start("t");
  Caller refused(street);
  refused.start("t");
  CHECK(refused.heard == "end:-32603 plugin p: it is being replaced, and more than 4096 calls wait for that");
  callers.pop_front();  // who waits no more makes room
  Caller late(street);
  late.start("t");
  CHECK(late.heard.empty());
  street.plugin.ends = true;
  street.release({plain_tool("t")});
  CHECK(street.plugin.heard.size() == limits::kParkedCallsMax);
  for (const Caller& caller : callers) CHECK(caller.heard == "end:");
  CHECK(late.heard == "end:");
}

TEST_CASE("a call that is cancelled while it waits ends in another turn of the loop, and never begins") {
  Street street;
  Caller caller(street);
  street.park({plain_tool("t")});
  caller.start("t", {.timeout_ms = kLongMs});
  caller.rounds->cancel(CancelReason::client);
  caller.rounds->cancel(CancelReason::shutdown);
  caller.rounds->lift_deadline();
  CHECK(caller.heard.empty());
  street.release({plain_tool("t")});
  CHECK(street.plugin.heard.empty());
  street.time.pass(0);
  CHECK(caller.heard == "end:-32603 the call was cancelled before it began");
  CHECK(street.log.heard == Lines{"t of p 0", "end of t: 1 -32603"});
}

TEST_CASE("a call whose time is over while it waits is told so, and ends") {
  Street street;
  Caller caller(street);
  street.park({plain_tool("t")});
  caller.start("t", {.timeout_ms = 10});
  street.time.pass(9);
  CHECK(caller.heard.empty());
  street.time.pass(1);
  CHECK(caller.heard == "deadline end:-32603 the call was cancelled before it began");
  CHECK(street.log.heard == Lines{"t of p 0", "end of t: 1 -32603"});
  street.release({plain_tool("t")});
  CHECK(street.plugin.heard.empty());
}

TEST_CASE("a call's time runs on while it waits") {
  Street street;
  Caller caller(street);
  street.park({plain_tool("t")});
  caller.start("t", {.timeout_ms = kLongMs});
  const std::uint64_t began = street.loop.now_ms();
  while (street.loop.now_ms() < began + 2) street.turn();
  std::uint64_t left = 0;
  street.plugin.does = [&](Listener&) { left = began + kLongMs - street.loop.now_ms(); };
  street.release({plain_tool("t")});
  CHECK(street.plugin.timeout_ms < kLongMs);
  CHECK(street.plugin.timeout_ms == left);
  street.time.pass(began + kLongMs - street.loop.now_ms() - 1);
  CHECK(caller.heard.empty());
  street.time.pass(1);
  CHECK(caller.heard == "deadline ");
  CHECK(street.plugin.heard.back() == "cancel 7");
}

TEST_CASE("a call without a timeout, or with one that was lifted while it waits, has none when it begins") {
  Street street;
  Caller one(street), other(street);
  street.park({plain_tool("t")});
  one.start("t");
  other.start("t", {.timeout_ms = kLongMs});
  other.rounds->lift_deadline();
  street.plugin.timeout_ms = 1;
  street.plugin.does = [&](Listener&) {
    CHECK(street.plugin.timeout_ms == 0);
    street.plugin.timeout_ms = 1;
  };
  street.release({plain_tool("t")});
  CHECK(street.plugin.heard.size() == 2);
  street.time.pass(2 * kLongMs);
  CHECK(one.heard + other.heard == "");
}

TEST_CASE("what was called and is gone meanwhile, hidden or another plugin's is no longer there for a call that waits") {
  const std::string gone = "What was called is gone; it was replaced meanwhile";
  SECTION("gone") {
    Street street;
    Caller caller(street);
    street.park({plain_tool("t")});
    caller.start("t");
    street.release({plain_tool("u")});
    CHECK(caller.heard.find(gone) != std::string::npos);
    CHECK(street.plugin.heard.empty());
    CHECK(street.log.heard == Lines{"t of p 0", "end of t: 0 0"});
  }
  SECTION("another plugin's") {
    Street street;
    Caller caller(street);
    street.park({plain_tool("t")});
    caller.start("t");
    street.release({plain_tool("t")}, "q");
    CHECK(caller.heard.find(gone) != std::string::npos);
    CHECK(street.plugin.heard.empty());
  }
  SECTION("hidden from the principal, or beyond the reach of who calls") {
    Street street;
    Caller caller(street), reaching(street);
    const std::string safe = R"({"annotations":{"readOnlyHint":true}})";
    const View reach({.allow = {"@read-only"}});
    const PrincipalPtr reader = principal("reader", {.allow = {"@read-only"}}), anyone = principal("anyone");
    street.park({plain_tool("t", safe)});
    caller.start("t", {.principal = &reader});
    reaching.start("t", {.principal = &anyone, .reach = &reach});
    street.release({plain_tool("t")});
    CHECK(caller.heard.find(gone) != std::string::npos);
    CHECK(reaching.heard.find(gone) != std::string::npos);
    CHECK(street.plugin.heard.empty());
  }
  SECTION("what is no tool") {
    Street street;
    Caller caller(street, CallKind::prompt, Kind::prompt);
    ItemDef prompt = plain_tool("t");
    prompt.kind = Kind::prompt;
    street.park({prompt});
    caller.start("t");
    street.release({plain_tool("t")});
    CHECK(caller.heard == "end:-32603 " + gone);
  }
}

TEST_CASE("a call that has waited is held against the schemas that are there then") {
  Street street;
  Caller caller(street), other(street);
  street.park({plain_tool("t")});
  caller.start("t", {.arguments = R"({"n":"x"})"});
  other.start("t", {.arguments = R"({"n":1})"});
  street.plugin.does = [](Listener& listener) {
    Ending ending;
    ending.structured = R"({"m":"x"})";
    listener.on_end(ending);
  };
  const auto numbers = [](const char* name) { return fmt::format(R"({{"type":"object","properties":{{"{}":{{"type":"integer"}}}}}})", name); };
  street.release({plain_tool("t", fmt::format(R"({{"inputSchema":{},"outputSchema":{}}})", numbers("n"), numbers("m")))});
  CHECK(caller.heard.find("end:{\"type\":\"text\"") == 0);
  CHECK(caller.heard.find("integer") != std::string::npos);
  CHECK(street.plugin.heard == Lines{R"(t {"n":1} - 0 handle 0)"});
  CHECK(other.misfit.value_or("").find("integer") != std::string::npos);
}

TEST_CASE("a prompt that needs other arguments when the call has waited says so") {
  Street street;
  Caller caller(street, CallKind::prompt, Kind::prompt);
  ItemDef prompt = plain_tool("greet");
  prompt.kind = Kind::prompt;
  street.park({prompt});
  caller.start("greet");
  prompt.definition = R"({"arguments":[{"name":"who","required":true}]})";
  street.release({prompt});
  CHECK(caller.heard.find("end:-32602 Invalid params: ") == 0);
  CHECK(street.plugin.heard.empty());
}

TEST_CASE("what is read after a wait is found by its URI, as it is spelt there, or by a template that is there now") {
  Street street;
  Caller plain(street, CallKind::resource, Kind::resource), templated(street, CallKind::resource, Kind::resource);
  ItemDef one = plain_tool("x:/a%2db", R"({"name":"one"})"), two = plain_tool("x:/two", R"({"name":"two"})");
  one.kind = two.kind = Kind::resource;
  street.park({one, two});
  plain.start("x:/a%2db", {.name = "x:/a%2db"});
  templated.start("x:/two", {.name = "x:/two"});
  one.name = "x:/a-b";
  ItemDef any = plain_tool("x:/{which}", R"({"name":"any"})");
  any.kind = Kind::resource_template;
  street.release({one, any});
  CHECK(street.plugin.heard == Lines{"x:/a-b - - 0 handle 0", R"(x:/two - {"which":"two"} 0 handle 0)"});
}

TEST_CASE("a completion waits for its prompt or template") {
  Street street;
  Caller caller(street, CallKind::complete, Kind::resource_template);
  ItemDef any = plain_tool("x:/{which}", R"({"name":"any"})");
  any.kind = Kind::resource_template;
  street.park({any});
  caller.start("x:/{which}", {.arguments = R"({"argument":{}})"});
  street.release({any});
  CHECK(street.plugin.heard == Lines{R"(x:/{which} {"argument":{}} - 0 handle 0)"});
}

TEST_CASE("a request to a route waits with its body, and is refused by a route that takes others then") {
  Street street;
  Caller caller(street, CallKind::route, Kind::route), other(street, CallKind::route, Kind::route);
  ItemDef route = plain_tool("/a/*", R"({"methods":["POST","GET"]})");
  route.kind = Kind::route;
  street.park({route});
  const auto request = [](const char* method) {
    return std::make_shared<const WebRequest>(WebRequest{.method = method, .body = "body"});
  };
  caller.start("/plugins/p/a/*", {.name = "/a/b", .web = request("POST")});
  other.start("/plugins/p/a/*", {.name = "/a/c", .web = request("GET")});
  CHECK(street.log.heard == Lines{"/plugins/p/a/b of p 0", "/plugins/p/a/c of p 0"});
  route.definition = R"({"methods":["PUT", "POST"]})";
  street.release({route});
  CHECK(street.plugin.heard == Lines{"/a/b - - 0 handle 0 POST body"});
  CHECK(other.heard == "end:-32602 Here only PUT, POST is served");
}

TEST_CASE("what comes of a body while its request waits is handed over with it, unless bodies are taken whole then") {
  const auto route_of = [](const char* definition) {
    ItemDef route = plain_tool("/a", definition);
    route.kind = Kind::route;
    return std::vector{route};
  };
  const char* const streamed = R"({"methods":["POST"],"streamed":true})";
  const char* const whole = R"({"methods":["POST"]})";
  const auto request = [](bool is_whole) {
    return std::make_shared<const WebRequest>(
        WebRequest{.method = "POST", .body = "b", .is_streamed = !is_whole, .is_whole = is_whole});
  };
  SECTION("handed over, in order, and then it goes on coming") {
    Street street;
    Caller caller(street, CallKind::route, Kind::route);
    street.park(route_of(streamed));
    caller.start("/plugins/p/a", {.name = "/a", .web = request(false)});
    caller.rounds->body("12", false);
    caller.rounds->body("3", false);
    street.release(route_of(streamed));
    caller.rounds->body("4", true);
    CHECK(street.plugin.heard == Lines{"/a - - 0 handle 0 POST b streamed", "body 7 123", "body 7 4."});
  }
  SECTION("its end, too, and the plugin may end the call when it hears of the first bytes") {
    for (const bool ends : {false, true}) {
      CAPTURE(ends);
      Street street;
      Caller caller(street, CallKind::route, Kind::route);
      Listener* listener = nullptr;
      street.plugin.does = [&](Listener& told) { listener = &told; };
      street.plugin.on_body = [&] {
        if (!ends) return;
        Ending ending;
        listener->on_end(ending);
      };
      street.park(route_of(streamed));
      caller.start("/plugins/p/a", {.name = "/a", .web = request(false)});
      caller.rounds->body("12", true);
      street.release(route_of(streamed));
      CHECK(street.plugin.heard.size() == (ends ? 2 : 3));
      CHECK(street.plugin.heard[1] == "body 7 12");
      CHECK((caller.rounds == nullptr) == ends);
      if (!ends) CHECK(street.plugin.heard[2] == "body 7 .");
    }
  }
  SECTION("bodies are taken whole then") {
    Street street;
    Caller caller(street, CallKind::route, Kind::route);
    street.park(route_of(streamed));
    caller.start("/plugins/p/a", {.name = "/a", .web = request(false)});
    caller.rounds->body("12", true);
    street.release(route_of(whole));
    CHECK(street.plugin.heard.empty());
    CHECK(caller.heard == "end:-32603 It was replaced meanwhile, and takes bodies whole now");
  }
  SECTION("a whole body is taken by either") {
    Street street;
    Caller caller(street, CallKind::route, Kind::route);
    street.park(route_of(whole));
    caller.start("/plugins/p/a", {.name = "/a", .web = request(true)});
    street.release(route_of(streamed));
    CHECK(street.plugin.heard == Lines{"/a - - 0 handle 0 POST b streamed"});
  }
}

TEST_CASE("a later round waits as the first one, with its answers and its plugin's state") {
  Street street;
  Caller caller(street);
  caller.keeps_rounds = true;
  street.plugin.does = [](Listener& listener) {
    Ending ending;
    ending.how = Ending::How::suspended;
    listener.on_end(ending);
  };
  street.registry.replace("p", &street.plugin, {plain_tool("t")});
  RoundParams params{.arguments = R"({"n":1})", .timeout_ms = kLongMs};
  caller.start("t", params);
  caller.rounds->remember(*street.registry.current()->find(Kind::tool, "t"), params);
  caller.rounds->take_up({.round = 0, .version = 4, .state = "state", .answers = R"({"a":2})"});
  street.park({plain_tool("t")});
  caller.start_anew();
  street.plugin.does = [](Listener&) {};
  street.plugin.heard.clear();
  street.log.heard.clear();
  street.release({plain_tool("t")});
  CHECK(street.plugin.heard == Lines{R"(t {"n":1} - 0 handle 0 round 1 {"a":2} state 4)"});
  CHECK(street.plugin.timeout_ms > 0);
}

TEST_CASE("a call that waits again is still one call") {
  Street street;
  Caller caller(street);
  street.park({plain_tool("t")});
  caller.start("t");
  Parking next("p", {&street.loop});
  street.registry.replace("p", &next, {plain_tool("t")});
  street.parking.release(street.registry, [] {});
  street.turn();
  CHECK(caller.rounds);
  street.plugin.ends = true;
  street.registry.replace("p", &street.plugin, {plain_tool("t")});
  next.release(street.registry, [] {});
  street.turn();
  CHECK(caller.heard == "end:");
  CHECK(street.log.heard == Lines{"t of p 0", "end of t: 0 0"});
}
