#include "client/remote/authorization.h"

#include <cstdlib>

#include "plugins/client/auth/memory_token_store.h"
#include "support/catch.h"

using namespace collet::client;
using Catch::Contains;

namespace {

RemoteConfig remote(std::string auth = {}) {
  RemoteConfig out;
  out.name = "r";
  out.url = "https://h/mcp";
  if (!auth.empty()) out.auth = collet::Json{std::move(auth)};
  return out;
}

// A variable of the environment as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    const char* const before = std::getenv(name);
    if (before) before_ = before;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

// Nobody is reached.
class NoNetwork final : public Fetcher {
 public:
  void fetch(FetchRequest, std::function<void(Result<FetchResponse>)> done) override {
    done(Error{"no network"});
  }
};

}  // namespace

TEST_CASE("variables are expanded in every text of auth, and nothing else is changed") {
  const Variable secret("COLLET_TEST_SECRET", "with \"quotes\"");
  CHECK(*expanded_auth(remote(R"({"client_secret": "${env:COLLET_TEST_SECRET}", "scopes": ["a", "${env:NONE:-b}"],
                                  "dpop": true, "redirect_port": 80})")) ==
        R"({"client_secret":"with \"quotes\"","scopes":["a","b"],"dpop":true,"redirect_port":80})");
  CHECK(*expanded_auth(remote()) == "{}");
  CHECK_THAT(expanded_auth(remote(R"({"scopes":["a","${env:COLLET_TEST_NONE}"]})")).message(),
             Contains("auth/scopes/1") && Contains("COLLET_TEST_NONE is not set"));
}

TEST_CASE("tokens are kept where the user's state is") {
  const Variable home("HOME", "/home/ada");
  {
    const Variable state("XDG_STATE_HOME", nullptr);
    CHECK(token_file() == "/home/ada/.local/state/collet/tokens.json");
  }
  {
    const Variable state("XDG_STATE_HOME", "/var/state");
    CHECK(token_file() == "/var/state/collet/tokens.json");
  }
  const Variable state("XDG_STATE_HOME", "relative");  // which the XDG specification has ignored
  CHECK(token_file() == "/home/ada/.local/state/collet/tokens.json");
}

TEST_CASE("only remotes that could want it have an authorizer, and what is wrong in its configuration is said") {
  NoNetwork network;
  auth::NoUserAgent nobody("r");
  MemoryTokenStore store;
  const collet_host table = [] {
    collet_host out{};
    out.get_extension = [](const collet_host*, const char*, std::size_t) -> const void* { return nullptr; };
    return out;
  }();
  const Host host(&table);
  const auto made = [&](const RemoteConfig& config) {
    return make_authorizer(config, network, host, nobody, store);
  };
  CHECK(*made(remote()) != nullptr);
  RemoteConfig child = remote();
  child.url.clear();
  child.command = "true";
  CHECK(*made(child) == nullptr);
  RemoteConfig with_header = remote();
  with_header.headers["authorization"] = "Bearer x";
  CHECK(*made(with_header) == nullptr);
  with_header.auth = collet::Json{"{}"};  // both are configured: OAuth takes over once the server refuses
  CHECK(*made(with_header) != nullptr);
  RemoteConfig forwarding = remote();
  forwarding.forward_token = true;
  CHECK(*made(forwarding) == nullptr);
  RemoteConfig with_user = remote();
  with_user.url = "https://user:password@mcp.example/mcp";
  CHECK(*made(with_user) == nullptr);
  with_user.url = "https://mcp.example/@user/mcp?q=@";
  CHECK(*made(with_user) != nullptr);
  RemoteConfig with_certificate = remote();
  with_certificate.client_certificate = "/nonexistent.pem";  // fetches in a way of its own
  CHECK(*made(with_certificate) != nullptr);
  CHECK_THAT(made(remote(R"({"clientid":"x"})")).message(), Contains("/clientid: no such key"));
}
