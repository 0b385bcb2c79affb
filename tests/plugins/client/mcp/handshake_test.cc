#include "client/mcp/handshake.h"

#include "client/limits.h"
#include "plugins/client/scripted_transport.h"
#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::client;
using Catch::Contains;

namespace {

using Methods = std::vector<std::string>;

const std::string kDiscovery =
    R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true}},"instructions":"be kind",)"
    R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"3"}}})";
const std::string kInitialization =
    R"({"protocolVersion":"2025-06-18","capabilities":{"prompts":{}},"serverInfo":{"name":"old","version":"1"}})";

struct Greeting final : ConnectionListener {
  Loop loop;
  ManualTime time{loop};
  Wire wire;
  Connection connection{loop, R"({"name":"test"})", *this};
  std::optional<Peer> peer;
  std::optional<Handshake::Failed> failed;
  std::optional<Handshake> handshake;

  explicit Greeting(Handshake::Options options = {}) {
    connection.use(wire.transport());
    handshake.emplace(
        loop, connection, options, [this](Peer found) { peer = std::move(found); },
        [this](Handshake::Failed why) { failed = std::move(why); });
  }
  void comes(const std::string& text) { connection.transport_listener().on_text(text, 0); }
  void lose(RequestId id, int status, const std::string& message, std::uint64_t retry_after_ms = 0) {
    connection.transport_listener().on_lost(
        id, {.http_status = status, .message = message, .retry_after_ms = retry_after_ms});
  }

  void on_notification(const Message&) override {}
  bool on_request(const Message&) override { return false; }
  void on_garbage(const std::string&) override {}
  void on_unreachable(const std::string&) override {}
  void on_down(const std::string&) override {}
};

}  // namespace

TEST_CASE("a modern server is known by its discovery") {
  Greeting greeting;
  greeting.comes(result_text(1, kDiscovery));
  REQUIRE(greeting.peer);
  CHECK(greeting.peer->era == Era::modern);
  CHECK(greeting.peer->version == "2026-07-28");
  CHECK(greeting.peer->name == "shop 3");
  CHECK(greeting.peer->instructions == "be kind");
  CHECK(greeting.peer->can("tools", "listChanged"));
  CHECK_FALSE(greeting.peer->can("prompts"));
  greeting.time.pass(60'000);
  CHECK(greeting.wire.methods() == Methods{"server/discover"});
  CHECK(greeting.wire.era == Era::modern);
}

TEST_CASE("a server that is silent is asked to initialize after so long, and the first answer counts") {
  SECTION("to initialize") {
    Greeting greeting;
    greeting.time.pass(limits::kProbeMs - 1);
    CHECK(greeting.wire.methods() == Methods{"server/discover"});
    greeting.time.pass(1);
    CHECK(greeting.wire.methods() == Methods{"server/discover", "initialize"});
    greeting.comes(result_text(2, kInitialization));
    REQUIRE(greeting.peer);
    CHECK(greeting.peer->era == Era::legacy);
    CHECK(greeting.peer->version == "2025-06-18");
    CHECK(greeting.wire.version == "2025-06-18");
    CHECK(greeting.wire.last().method == "notifications/initialized");
    CHECK(greeting.connection.in_flight() == 0);
  }
  SECTION("to server/discover") {
    Greeting greeting;
    greeting.time.pass(limits::kProbeMs);
    greeting.comes(result_text(1, kDiscovery));
    REQUIRE(greeting.peer);
    CHECK(greeting.peer->era == Era::modern);
    CHECK(greeting.wire.era == Era::modern);
    CHECK(greeting.wire.count("notifications/initialized") == 0);
    CHECK(greeting.connection.in_flight() == 0);
  }
}

TEST_CASE("a server that refuses our version but names it is asked once more, and then no more") {
  const auto refusal = [](RequestId id, const std::string& versions) {
    return error_text(id, kUnsupportedVersion, "no such version", R"({"supported":)" + versions + "}");
  };
  Greeting greeting;
  greeting.comes(refusal(1, R"(["2026-07-28"])"));
  CHECK(greeting.wire.methods() == Methods{"server/discover", "server/discover"});
  CHECK_FALSE(greeting.failed);
  greeting.comes(refusal(2, R"(["2026-07-28"])"));
  CHECK(greeting.wire.sent.size() == 2);
  REQUIRE(greeting.failed);
  CHECK_THAT(greeting.failed->message, Contains("no such version"));

  Greeting other;
  other.comes(refusal(1, R"(["2025-11-25"])"));
  CHECK(other.wire.methods() == Methods{"server/discover", "initialize"});
}

TEST_CASE("a server that refuses the version of initialize is asked in the one that it names, once") {
  Greeting greeting({.known_era = Era::legacy});
  CHECK(greeting.wire.methods() == Methods{"initialize"});
  greeting.comes(error_text(1, kInvalidParams, "I speak 2024-11-05 and 2025-03-26"));
  REQUIRE(greeting.wire.sent.size() == 2);
  CHECK_THAT(greeting.wire.last().text, Contains(R"("protocolVersion":"2025-03-26")"));
  greeting.comes(error_text(2, kInvalidParams, "I speak 2024-11-05"));
  CHECK(greeting.wire.sent.size() == 2);
  REQUIRE(greeting.failed);
  CHECK_THAT(greeting.failed->message, Contains("does not understand initialize") && Contains("2024-11-05"));
  CHECK_FALSE(greeting.failed->unknown_endpoint);
}

TEST_CASE("an endpoint that knows neither request may speak an older transport") {
  for (const int status : {400, 404, 405, 500}) {
    Greeting greeting;
    greeting.lose(1, status, "HTTP status");
    greeting.lose(2, status, "HTTP status");
    REQUIRE(greeting.failed);
    CHECK(greeting.failed->unknown_endpoint == (status != 500));
    CHECK_THAT(greeting.failed->message, Contains("neither server/discover") && Contains("nor initialize"));
  }
}

TEST_CASE("who is not let in, or asked to come later, does not try initialize") {
  for (const int status : {401, 403, 302}) {
    Greeting greeting;
    greeting.lose(1, status, "go away");
    CHECK(greeting.wire.sent.size() == 1);
    REQUIRE(greeting.failed);
    CHECK(greeting.failed->message == "go away");
    CHECK_FALSE(greeting.failed->unknown_endpoint);
  }
  Greeting busy;
  busy.lose(1, 503, "busy", 7'000);
  REQUIRE(busy.failed);
  CHECK(busy.failed->retry_after_ms == 7'000);
}

TEST_CASE("a version that is configured is the only one") {
  Greeting modern({.version = "2026-07-28"});
  modern.time.pass(limits::kProbeMs * 2);
  modern.comes(error_text(1, kMethodNotFound, "what?"));
  CHECK(modern.wire.methods() == Methods{"server/discover"});
  REQUIRE(modern.failed);
  CHECK_THAT(modern.failed->message, Contains("does not speak 2026-07-28"));

  Greeting legacy({.known_era = Era::modern, .version = "2025-11-25"});
  CHECK(legacy.wire.methods() == Methods{"initialize"});
  legacy.comes(result_text(1, kInitialization));
  CHECK_FALSE(legacy.peer);
  REQUIRE(legacy.failed);
  CHECK_THAT(legacy.failed->message, Contains("2025-06-18 instead of 2025-11-25"));
}

TEST_CASE("a discovery that does not name our version is none, and initialize decides") {
  Greeting greeting;
  greeting.comes(result_text(1, R"({"supportedVersions":["2027-01-01"]})"));
  CHECK(greeting.wire.methods() == Methods{"server/discover", "initialize"});
  greeting.comes(result_text(2, R"({"protocolVersion":"2099-01-01"})"));
  CHECK_FALSE(greeting.peer);
  REQUIRE(greeting.failed);
  CHECK_THAT(greeting.failed->message, Contains("2099-01-01") && Contains("none of ours"));
}
