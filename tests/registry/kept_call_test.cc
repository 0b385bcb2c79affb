#include "registry/kept_call.h"

#include "support/catch.h"

using namespace collet::registry;
using namespace std::chrono_literals;

TEST_CASE("a kept call is what it was when what its caller lent is gone") {
  const KeptCall::Clock::time_point now;
  const PrincipalPtr principal;
  const auto web = std::make_shared<const WebRequest>(WebRequest{.method = "GET"});
  const auto kept = [&] {
    const std::string name = "x:a", arguments = R"({"a":1})", variables, state = "s";
    Call call;
    call.handle = 5;
    call.kind = CallKind::route;
    call.loop = 1;
    call.name = name;
    call.arguments = arguments;
    call.variables = variables;
    call.state = state;
    call.state_version = 2;
    call.round = 3;
    call.principal = &principal;
    call.depth = 4;
    call.web = web;
    return std::make_unique<KeptCall>(call, now);
  }();
  const Call call = kept->borrowed(now + 1h);
  CHECK(call.handle == 5);
  CHECK(call.kind == CallKind::route);
  CHECK(call.loop == 1);
  CHECK(call.name == "x:a");
  CHECK(call.arguments == R"({"a":1})");
  CHECK(call.variables == "");
  CHECK_FALSE(call.input_responses);
  CHECK(call.state == "s");
  CHECK(call.state_version == 2);
  CHECK(call.round == 3);
  CHECK(call.timeout_ms == 0);
  CHECK(call.principal == &principal);
  CHECK(call.depth == 4);
  CHECK(call.web == web);
}

TEST_CASE("a kept call has the time that is left, and never none at all") {
  const KeptCall::Clock::time_point now;
  Call call;
  call.timeout_ms = 100;
  const KeptCall kept(call, now);
  CHECK(kept.borrowed(now).timeout_ms == 100);
  CHECK(kept.borrowed(now + 99ms).timeout_ms == 1);
  CHECK(kept.borrowed(now + 100ms).timeout_ms == 1);
  CHECK(kept.borrowed(now + 1h).timeout_ms == 1);
}
