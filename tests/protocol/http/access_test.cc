#include "protocol/http/access.h"

#include "protocol/principals.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::protocol;

namespace {

int status(const Verdict& verdict) {
  const auto* refused = std::get_if<Refusal>(&verdict);
  return refused ? refused->status : 200;
}

int status(const Access& access, std::string_view host, std::string_view origin = {}, std::string_view token = {}) {
  std::vector<transport::Header> headers;
  if (origin.data()) headers.push_back({"Origin", origin});
  if (token.data()) headers.push_back({"Authorization", token});
  transport::HttpRequest request;
  request.host = host;
  request.headers = headers;
  return status(*access.check(request));
}

}  // namespace

TEST_CASE("only loopback names and allowed hosts reach us") {
  const Access access({.allowed_hosts = {"tools.example.com", "exact.example.com:81"}});
  for (const char* good : {"localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]", "[::1]:9", "tools.example.com",
                           "Tools.Example.com:443", "exact.example.com:81"}) {
    INFO(good);
    CHECK(status(access, good) == 200);
  }
  for (const char* bad :
       {"", "evil.example.com", "evil.example.com:8765", "localhost.evil.com", "127.0.0.1.evil.com",
        "localhost:80:80", "exact.example.com:82", "[::1", "127.0.0.2", "localhost:http"}) {
    INFO(bad);
    CHECK(status(access, bad) == 403);
  }
  CHECK(status(Access({.check_host = false}), "anything.example.com") == 200);
}

TEST_CASE("a client of HTTP/1.0 on this machine needs no Host, others do") {
  const auto status_of = [](bool loopback, std::vector<transport::Header> headers) {
    transport::HttpRequest request;
    request.headers = headers;
    request.loopback = loopback;
    return status(*Access({}).check(request));
  };
  CHECK(status_of(true, {}) == 200);
  CHECK(status_of(false, {}) == 403);
  CHECK(status_of(true, {{"Host", ""}}) == 403);
  CHECK(status_of(true, {{"Origin", "http://evil.example.com"}}) == 403);
}

TEST_CASE("an Origin must be one of loopback or allowed, if it is there at all") {
  const Access access({.allowed_origins = {"https://app.example.com"}});
  for (const char* good :
       {"http://localhost:6274", "https://127.0.0.1", "http://[::1]:80", "https://app.example.com"}) {
    CHECK(status(access, "localhost", good) == 200);
  }
  for (const char* bad : {"", "null", "http://evil.example.com", "https://app.example.com:8443", "ftp://localhost",
                          "http://localhost.evil.com"}) {
    CHECK(status(access, "localhost", bad) == 403);
  }
}

TEST_CASE("credentials that come twice must be the same") {
  AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) { return test::named(token); });
  const auto check = [&](const Access& access, std::string_view first, std::string_view second) {
    const transport::Header headers[] = {{"Authorization", first}, {"authorization", second}};
    transport::HttpRequest request;
    request.host = "localhost";
    request.headers = headers;
    const Verdict verdict = *access.check(request);
    const auto* refused = std::get_if<Refusal>(&verdict);
    if (refused && refused->status == 400) CHECK(refused->challenge.find("invalid_request") != std::string::npos);
    return refused ? std::to_string(refused->status) : registry::id_of(std::get<registry::PrincipalPtr>(verdict));
  };
  CHECK(check(Access(rules), "Bearer a", "Bearer a") == "a");
  CHECK(check(Access(rules), "Bearer a", "Bearer b") == "400");
  CHECK(check(Access(rules), "Bearer a", "Basic b") == "400");
  CHECK(check(Access(rules), "Basic b", "Bearer a") == "400");
  CHECK(check(Access({}), "Bearer a", "Bearer b") == "400");
  CHECK(check(Access({}), "Basic b", "Bearer a") == "400");
}

TEST_CASE("a bearer token names the principal") {
  AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) { return test::named(token == "good" ? "alice" : ""); });
  const Access access(rules);
  CHECK(status(access, "localhost") == 401);
  CHECK(status(access, "localhost", {}, "Bearer good") == 200);
  CHECK(status(access, "localhost", {}, "bearer good") == 200);
  CHECK(status(access, "localhost", {}, "Bearer   good") == 200);
  for (const char* twice : {"Bearer good, Bearer bad", "Bearer good,bad", "Bearer bad, Bearer good"}) {
    CHECK(status(access, "localhost", {}, twice) == 400);
    CHECK(status(Access({}), "localhost", {}, twice) == 400);
  }
  CHECK(status(access, "localhost", {}, "Bearer good, Bearer good") == 200);
  CHECK(status(access, "localhost", {}, "Digest username=\"a\", realm=\"b\"") == 401);
  CHECK(status(Access({}), "localhost", {}, "Digest username=\"a\", realm=\"b\"") == 200);
  for (const char* bad : {"", "Bearer", "Bearer ", "Bearer bad", "Basic good", "good", "Bearer good "}) {
    CHECK(status(access, "localhost", {}, bad) == 401);
  }
}
