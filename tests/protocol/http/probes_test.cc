#include "protocol/http/probes.h"

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

struct Probed : Harness {
  explicit Probed(protocol::AccessRules rules = {}) : Harness({}, std::move(rules)) {
    site.add(protocol::health_probe());
    site.add(protocol::readiness_probe([this] { return missing; }));
  }
  FakeReply& get(std::string path, std::string host = "10.1.2.3:8765", std::string method = "GET") {
    Post post{"", {}, std::move(method), std::move(path)};
    post.host = std::move(host);
    return send(post);
  }

  std::string missing;
};

}  // namespace

TEST_CASE("who looks after the process needs neither a token nor a Host of ours") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view) { return registry::PrincipalPtr(); });
  Probed h(rules);
  CHECK(h.get("/mcp").status == 403);
  CHECK(h.get("/healthz").status == 200);
  CHECK(h.get("/healthz/").body == "ok\n");
  CHECK(h.get("/readyz").body == "ok\n");
  CHECK(h.get("/readyz").headers["Cache-Control"] == "no-store");
}

TEST_CASE("a server that is not ready lives, and says what is amiss") {
  Probed h;
  h.missing = "it is ending";
  CHECK(h.get("/healthz").status == 200);
  CHECK(h.get("/readyz").status == 503);
  CHECK(h.get("/readyz").body == "it is ending\n");
  h.missing.clear();
  CHECK(h.get("/readyz").status == 200);
}

TEST_CASE("a probe can be looked at and nothing else, by no page") {
  Probed h;
  CHECK(h.get("/healthz", "localhost", "HEAD").status == 200);
  FakeReply& refused = h.get("/healthz", "localhost", "POST");
  CHECK(refused.status == 405);
  CHECK(refused.headers["Allow"] == "GET, HEAD");
  Post page{"", {{"Origin", "http://localhost"}}, "GET", "/healthz"};
  CHECK(h.send(page).headers.count("Access-Control-Allow-Origin") == 0);
}
