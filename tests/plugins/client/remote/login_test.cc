#include "client/remote/login.h"

#include "plugins/client/auth/memory_token_store.h"
#include "plugins/client/noting_host.h"
#include "support/catch.h"

using namespace collet::client;
using Catch::Contains;

namespace {

constexpr std::uint64_t kLogInKey = 0;

// What is fetched waits for the test to answer it.
struct AnsweredFetcher final : Fetcher {
  struct Fetched {
    FetchRequest request;
    std::function<void(Result<FetchResponse>)> done;
  };
  std::vector<Fetched> fetched;

  void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override {
    fetched.push_back({std::move(request), std::move(done)});
  }
  void answer(std::size_t number, Result<FetchResponse> response) {
    const auto done = fetched.at(number).done;
    done(std::move(response));
  }
  // Everything that is asked, and will be.
  void answer_all(int status, int later_status) {
    for (std::size_t number = 0; number < fetched.size(); ++number) {
      answer(number, FetchResponse{.status = number == 0 ? status : later_status});
    }
  }
};

// The calls of `collet login` for one remote.
struct LoggingIn {
  NotingHost noting;
  Host host{&noting.table};
  Loop loop;
  AnsweredFetcher fetcher;
  RemoteConfig remote;
  MemoryTokenStore tokens;
  std::optional<Login> login;

  LoggingIn() {
    remote.name = "r";
    remote.url = "https://h.example/mcp";
  }
  Login& begin(collet_call call = 1) {
    if (!login) login.emplace(loop, fetcher, host, remote, tokens);
    login->begin(call, kLogInKey);
    return *login;
  }
};

}  // namespace

TEST_CASE("a remote that is used by a login offers two tools, and nothing else") {
  LoggingIn logging;
  offer_login(logging.host, logging.remote);
  logging.host.commit();
  CHECK(logging.noting.fake.names() == std::vector<std::string>{"login", "logout"});
  CHECK_THAT(logging.noting.fake.item("logout").definition, Contains("Log out of r"));
}

TEST_CASE("a login asks the remote as a client of it would, with what is configured for it") {
  LoggingIn logging;
  logging.remote.headers = {{"X-Key", "k"}};
  logging.begin();
  REQUIRE(logging.fetcher.fetched.size() == 1);
  const FetchRequest& asked = logging.fetcher.fetched[0].request;
  CHECK(asked.method == "POST");
  CHECK(asked.url == "https://h.example/mcp");
  CHECK(find_header(asked.headers, "x-key") == "k");
  CHECK(find_header(asked.headers, "mcp-method") == "server/discover");
  CHECK(find_header(asked.headers, "mcp-protocol-version") == "2026-07-28");
  CHECK_THAT(asked.body, Contains(R"("method":"server/discover")"));
}

TEST_CASE("a remote that lets everybody in needs no login, and one that fails does not say how") {
  for (const int status : {200, 400, 404, 405, 406}) {
    LoggingIn logging;
    logging.begin();
    logging.fetcher.answer_all(status, 404);
    INFO(status);
    CHECK_THAT(logging.noting.end_of(1), Contains("result") && Contains("r needs no login"));
  }
  LoggingIn logging;
  logging.begin();
  logging.fetcher.answer_all(500, 404);
  CHECK_THAT(logging.noting.end_of(1), Contains("HTTP status 500") && Contains("does not say how to log in"));
}

TEST_CASE("where there is nothing to log in to a login says so at once") {
  LoggingIn child;
  child.remote.url.clear();
  child.remote.command = "true";
  child.begin();
  CHECK_THAT(child.noting.end_of(1), Contains("-32603 there is nothing to log in to"));
  LoggingIn configured;
  configured.remote.headers = {{"Authorization", "Bearer x"}};
  configured.begin();
  CHECK_THAT(configured.noting.end_of(1), Contains("-32603 there is nothing to log in to"));
  CHECK(configured.fetcher.fetched.empty());
}

TEST_CASE("a remote that cannot be reached is told without what its URL keeps secret") {
  LoggingIn logging;
  logging.begin();
  logging.fetcher.answer(0, Error{"cannot POST https://h.example/mcp?token=sesame failed"});
  CHECK(logging.noting.end_of(1) == "-32603 cannot POST https://h.example/mcp?token=*** failed");
}

TEST_CASE("there is one login at a time") {
  LoggingIn logging;
  Login& login = logging.begin(1);
  login.begin(2, kLogInKey);
  CHECK_THAT(logging.noting.end_of(2), Contains("another login is under way"));
  CHECK(logging.noting.end_of(1).empty());
  logging.fetcher.answer_all(200, 404);
  CHECK_THAT(logging.noting.end_of(1), Contains("needs no login"));
  login.begin(3, kLogInKey);
  CHECK(logging.noting.end_of(3).empty());
}

TEST_CASE("a login that is given up ends once, whatever comes then") {
  LoggingIn logging;
  Login& login = logging.begin();
  CHECK_FALSE(login.cancel(2));
  CHECK(login.cancel(1));
  CHECK_FALSE(login.cancel(1));
  CHECK(logging.noting.end_of(1) == "-32603 it was given up");
  login.begin(2, kLogInKey);
  logging.fetcher.answer(0, FetchResponse{.status = 200});  // of the first
  CHECK(logging.noting.end_of(1) == "-32603 it was given up");
  CHECK(logging.noting.end_of(2).empty());
  logging.login.reset();
  CHECK(logging.noting.end_of(2) == "-32603 it was given up");
  logging.fetcher.answer(1, FetchResponse{.status = 200});
  CHECK(logging.noting.end_of(2) == "-32603 it was given up");
}

TEST_CASE("what comes of a login that was given up does not end the next one") {
  LoggingIn logging;
  Login& login = logging.begin(1);
  logging.fetcher.answer(0, FetchResponse{.status = 401});
  REQUIRE(logging.fetcher.fetched.size() == 2);  // how to be authorized
  CHECK(login.cancel(1));
  login.begin(2, kLogInKey);
  REQUIRE(logging.fetcher.fetched.size() == 3);
  logging.fetcher.answer(1, FetchResponse{.status = 404});
  for (std::size_t next = 3; next < logging.fetcher.fetched.size(); ++next) {
    logging.fetcher.answer(next, FetchResponse{.status = 404});
  }
  CHECK(logging.noting.end_of(1) == "-32603 it was given up");
  CHECK(logging.noting.end_of(2).empty());
  std::size_t next = logging.fetcher.fetched.size();
  logging.fetcher.answer(2, FetchResponse{.status = 200});
  for (; next < logging.fetcher.fetched.size(); ++next) logging.fetcher.answer(next, FetchResponse{.status = 404});
  CHECK_THAT(logging.noting.end_of(2), Contains("r needs no login"));
}
