#include "client/remote/lane_gate.h"

#include <netinet/in.h>

#include "support/catch.h"

using namespace collet::client;

namespace {

std::string preamble(const std::string& url, const RemoteConfig& config = {}, const std::string& ip = "127.0.0.1") {
  static const TlsContextPtr tls = TlsContext::make(Tls(), "a.example", false);
  const auto route = make_route(config, url, {ip, 80}, "collet/1", tls);
  if (route) CHECK((route->tls == tls) == url.starts_with("https:"));
  return route ? route->preamble : "none";
}

std::string request(const std::string& path, const std::string& host) {
  return "POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: collet/1\r\n";
}

}  // namespace

TEST_CASE("a route to a URL says what a request begins with") {
  CHECK(preamble("http://a.example/mcp?x=1#part") == request("/mcp?x=1", "a.example"));
  CHECK(preamble("HTTP://A.example:80") == request("/", "a.example"));
  CHECK(preamble("http://a.example:8080?x") == request("/?x", "a.example:8080"));
  CHECK(preamble("http://[::1]:81/mcp", {}, "::1") == request("/mcp", "[::1]:81"));
  CHECK(preamble("https://A.example:443/mcp") == request("/mcp", "a.example"));
  CHECK(preamble("https://a.example:444") == request("/", "a.example:444"));
}

TEST_CASE("what libcurl does better has no route") {
  for (const char* url : {"https://user@a.example/mcp", "https://a.example/../mcp", "http://user:word@a.example/mcp", "http://a.example/../mcp",
                          "http://a.example/a b", "http://a.example/a\r\nX: y", "ftp://a.example/mcp"}) {
    CAPTURE(url);
    CHECK(preamble(url) == "none");
  }
  CHECK(preamble("http://a.example/mcp", {}, "") == "none");
  CHECK_FALSE(make_route({}, "https://a.example/mcp", {"127.0.0.1", 443}, "collet/1", nullptr));
  RemoteConfig config;
  config.headers["X-Key"] = "1";
  config.forward_headers = {"X-Other"};
  CHECK(preamble("http://a.example/mcp", config) != "none");
  config.headers["connection"] = "close";
  CHECK(preamble("http://a.example/mcp", config) == "none");
  config.headers.erase("connection");
  config.forward_headers.push_back("user-agent");
  CHECK(preamble("http://a.example/mcp", config) == "none");
}

TEST_CASE("a proxy is libcurl's work, and so is a list of exceptions that is more than names") {
  const char* const http = "http://a.example/mcp";
  const char* const https = "https://a.example/mcp";
  const auto with = [](const char* name, const char* url) {
    setenv(name, "http://127.0.0.1:1", 1);
    const bool routed = preamble(url) != "none";
    CHECK(preamble("http://127.0.0.1/mcp") != "none");  // libcurl has none for this machine
    unsetenv(name);
    return routed;
  };
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) CHECK_FALSE(with(name, http));
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) CHECK_FALSE(with(name, https));
  for (const char* name : {"http_proxy", "HTTP_PROXY"}) CHECK(with(name, https));
  for (const char* name : {"https_proxy", "HTTPS_PROXY"}) CHECK(with(name, http));
  for (const auto& [list, spared] : {std::pair("*", true), {"a.example", true}, {"b.example,.EXAMPLE", true}, {"b c, example", true},
                                     {"x.a.example", false}, {"ample", false}, {"b.example, , c", false}, {"*,b", false}}) {
    CAPTURE(list);
    setenv("no_proxy", list, 1);
    CHECK(with("https_proxy", https) == spared);
    unsetenv("no_proxy");
  }
  CHECK(preamble(http) != "none");
  CHECK(preamble(https) != "none");
}

TEST_CASE("the address is the one that has answered before") {
  const auto route = make_route({}, "http://a.example/mcp", {"10.1.2.3", 8080}, "");
  REQUIRE(route);
  const auto& address = reinterpret_cast<const sockaddr_in&>(route->address);
  CHECK(address.sin_port == htons(8080));
  CHECK(address.sin_addr.s_addr == htonl(0x0a010203));
  CHECK(route->address_size == sizeof address);
}

TEST_CASE("a gate that is shut lets out, and says when the last one has left") {
  unsigned emptied = 0;
  LaneGate gate(2, [&] { ++emptied; });
  CHECK(gate.enter(0) == nullptr);
  LaneRoute route;
  route.preamble = "POST";
  gate.open(std::make_shared<const LaneRoute>(route));
  REQUIRE(gate.enter(0));
  CHECK(gate.enter(0)->preamble == "POST");
  CHECK(gate.enter(1) != gate.enter(0));
  CHECK(gate.calls() == 4);
  gate.leave(0);
  gate.leave(0);
  gate.leave(0);
  CHECK(emptied == 0);
  gate.shut();
  CHECK(gate.enter(0) == nullptr);
  CHECK(gate.calls() == 1);
  gate.leave(1);
  CHECK(emptied == 1);
  CHECK(gate.calls() == 0);
}

TEST_CASE("no call takes a route whose time is over, and those that have taken it leave as ever") {
  std::int64_t now = 100;
  LaneGate gate(1, [] {}, [&] { return now; });
  LaneRoute route;
  route.good_until = 101;
  gate.open(std::make_shared<const LaneRoute>(route));
  REQUIRE(gate.enter(0));
  now = 101;
  CHECK(gate.enter(0) == nullptr);
  CHECK(gate.calls() == 1);
  gate.leave(0);
  route.good_until = 102;
  gate.open(std::make_shared<const LaneRoute>(route));
  CHECK(gate.enter(0));
  route.good_until = 0;
  gate.open(std::make_shared<const LaneRoute>(route));
  now = INT64_MAX;
  CHECK(gate.enter(0));
}

TEST_CASE("what a call has met on an earlier route does not shut the gate for the present one") {
  LaneGate gate(2, [] {});
  gate.open(std::make_shared<const LaneRoute>());
  const auto first = gate.enter(0)->opening;
  CHECK(gate.enter(1)->opening == first);
  gate.open(std::make_shared<const LaneRoute>());
  CHECK_FALSE(gate.shut_after(first));
  REQUIRE(gate.enter(0));
  const auto second = gate.enter(0)->opening;
  CHECK(gate.shut_after(second));
  CHECK(gate.enter(0) == nullptr);
  CHECK(gate.enter(1) == nullptr);
  CHECK_FALSE(gate.shut_after(second));
}

TEST_CASE("a route carries what the authorizer gives, instead of a configured header of that name") {
  LaneRoute route;
  route.sender.headers = {{"X-Key", "1"}, {"authorization", "Bearer old"}};
  REQUIRE(authorize(route, {{{"Authorization", "Bearer new"}}, 7}));
  REQUIRE(route.sender.headers.size() == 2);
  CHECK(route.sender.headers[0].name == "X-Key");
  CHECK(route.sender.headers[1].value == "Bearer new");
  CHECK(route.good_until == 7);
}

TEST_CASE("where callers may send such a header themselves, no route carries one") {
  const LastingHeaders token{{{"Authorization", "Bearer t"}}, 0};
  LaneRoute forwarding, naming, composing;
  forwarding.config.forward_token = true;
  CHECK_FALSE(authorize(forwarding, token));
  CHECK(authorize(forwarding, {}));
  naming.config.forward_headers = {"authorization"};
  CHECK_FALSE(authorize(naming, token));
  composing.config.headers["authorization"] = "Bearer ${principal}";
  CHECK_FALSE(authorize(composing, token));
  composing.config.headers["authorization"] = "Bearer k";
  CHECK(authorize(composing, token));
}
