// Where a request may go, by name and by the address that is really connected to.
#include "fetching.h"

using namespace collet;
using namespace collet::fetch;
using Peer = ScriptedServer::Peer;

namespace {

GrantsPtr grants(std::vector<std::string> hosts) { return std::make_shared<Grants>(hosts); }

struct World {
  ScriptedServer server{[](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      const std::size_t to = request.find("/to?");
      if (to != std::string::npos) {
        peer.answer("", "302 Found", "Location: " + request.substr(to + 4, request.find(' ', to) - to - 4) + "\r\n");
      } else {
        peer.answer("hello");
      }
    }
  }};
  Fetching fetching;
  std::string port = std::to_string(server.port());

  End get(const std::string& url, GrantsPtr given) {
    Heard heard;
    fetching.run({.url = url, .redirects_max = 3, .grants = std::move(given)}, heard);
    CHECK((heard.heads == 1) == heard.end.whole);
    return heard.end;
  }
};

}  // namespace

TEST_CASE("what is granted by its name is fetched from, whatever is not is not") {
  World world;
  const std::string by_name = world.server.url("/", "localhost"), by_address = world.server.url();
  CHECK(world.get(by_address, nullptr).whole);
  CHECK(world.get(by_name, grants({"localhost:" + world.port})).whole);
  CHECK(world.get(world.server.url("/", "LocalHost"), grants({"LOCALHOST:" + world.port})).whole);
  CHECK(world.get(by_address, grants({world.server.place()})).whole);
  CHECK(world.get(world.server.url("/", "0x7f.1"), grants({world.server.place()})).whole);
  for (const auto& hosts : std::vector<std::vector<std::string>>{{}, {"localhost:1"}, {"example.org:" + world.port}, {"nonsense"}}) {
    const unsigned before = world.server.accepted();
    const End end = world.get(by_name, grants(hosts));
    CHECK_FALSE(end.whole);
    CHECK_FALSE(end.sent);
    CHECK(end.denied == "localhost:" + world.port);
    CHECK(world.server.accepted() == before);
  }
  CHECK(world.get(by_address, grants({"localhost:" + world.port})).denied == world.server.place());
}

TEST_CASE("a name that is not granted is good where the address that it leads to is") {
  World world;
  CHECK(world.get(world.server.url("/", "localhost"), grants({world.server.place()})).whole);
  // It leads to where it was not expected: nothing is sent there.
  const unsigned before = world.server.accepted();
  const End end = world.get(world.server.url("/", "localhost"), grants({"192.0.2.1:" + world.port}));
  CHECK_FALSE(end.whole);
  CHECK_FALSE(end.sent);
  CHECK(end.denied == "localhost:" + world.port);
  CHECK(world.server.accepted() == before);
}

TEST_CASE("a connection that was made for another is as good as the address that it leads to") {
  World world;
  const std::string url = world.server.url("/", "localhost");
  CHECK(world.get(url, nullptr).whole);
  const End end = world.get(url, grants({"192.0.2.1:" + world.port}));
  CHECK_FALSE(end.whole);
  CHECK_FALSE(end.sent);
  CHECK(end.denied == "localhost:" + world.port);
  CHECK(world.get(url, grants({world.server.place()})).whole);
}

TEST_CASE("each redirect is held against what is granted") {
  World world;
  ScriptedServer other([](Peer& peer) {
    while (!peer.read_request().empty()) peer.answer("secret");
  });
  const End denied = world.get(world.server.url("/to?" + other.url("/")), grants({world.server.place()}));
  CHECK_FALSE(denied.whole);
  CHECK(denied.sent);
  CHECK(denied.denied == other.place());
  CHECK(other.accepted() == 0);
  CHECK(world.get(world.server.url("/to?" + other.url("/")), grants({world.server.place(), other.place()})).whole);
  const End metadata = world.get(world.server.url("/to?http://169.254.169.254/latest"), grants({world.server.place()}));
  CHECK(metadata.denied == "169.254.169.254:80");
}
