#include "client/auth/loopback_agent.h"

#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "client/auth/limits.h"
#include "client/net/url.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;
using collet::client::Result;

namespace {

// A browser of blocking sockets; what it is sent is read between turns of the loop.
class Browser {
 public:
  explicit Browser(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Browser() { ::close(fd_); }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) { REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0); }
  // True once the other side has closed.
  bool read() {
    char buffer[4'096];
    while (true) {
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n <= 0) return n == 0 || errno != EAGAIN;
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }

  std::string answer;

 private:
  int fd_;
  bool connected_ = false;
};

struct Login {
  uv_loop_t loop;
  std::string shown;
  std::optional<Result<std::string>> result;
  std::unique_ptr<LoopbackAgent> agent;
  std::optional<Result<void>> outcome = Result<void>();  // known as soon as there is an answer; nothing: later

  Login() {
    uv_loop_init(&loop);
    agent = std::make_unique<LoopbackAgent>(&loop, [this](const std::string& url) { shown = url; });
  }
  ~Login() {
    agent.reset();
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
  }

  std::string listen(std::string_view preferred = {}, std::uint16_t port = 0) {
    const auto uri = agent->redirect_uri(preferred, port);
    REQUIRE(uri);
    return *uri;
  }
  void authorize(const std::string& uri, const std::string& state = "s1") {
    agent->authorize("https://as.example/authorize?state=" + state, uri, [this](auto r) {
      result = std::move(r);
      if (agent && outcome) agent->conclude(*outcome);
    });
  }
  // What a browser is told that asks for `target`.
  std::string get(std::uint16_t port, const std::string& target, const std::string& method = "GET") {
    Browser browser(port);
    REQUIRE(browser.connected());
    browser.send(method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    while (!browser.read()) uv_run(&loop, UV_RUN_ONCE);
    return browser.answer;
  }
};

std::uint16_t port_of(const std::string& uri) { return parse_url(uri)->port; }

}  // namespace

TEST_CASE("the answer of the browser reaches the one who waits, and the port is free again") {
  Login login;
  const std::string uri = login.listen();
  CHECK(uri == "http://127.0.0.1:" + std::to_string(port_of(uri)) + "/callback");
  CHECK(login.listen() == uri);
  login.authorize(uri);
  CHECK(login.shown == "https://as.example/authorize?state=s1");
  CHECK_THAT(login.get(port_of(uri), "/callback?code=c%20d&state=s1"),
             Contains("200 OK") && Contains("close this window"));
  REQUIRE(login.result);
  CHECK(**login.result == "code=c%20d&state=s1");
  uv_run(&login.loop, UV_RUN_DEFAULT);
  CHECK_FALSE(Browser(port_of(uri)).connected());
  CHECK(login.listen(uri) == uri);  // the registration's port is taken again if it can be
}

TEST_CASE("the browser is shown how the login has ended, and nothing before") {
  Login login;
  login.outcome.reset();
  const std::string uri = login.listen();
  login.authorize(uri);
  Browser browser(port_of(uri));
  browser.send("GET /callback?code=c&state=s1 HTTP/1.1\r\n\r\n");
  while (!login.result) uv_run(&login.loop, UV_RUN_ONCE);
  CHECK_FALSE(browser.read());
  std::string told = "given up";
  SECTION("well") {
    login.agent->conclude({});
    told = "You are logged in.";
  }
  SECTION("not well: what the server says is text") {
    login.agent->conclude(collet::client::Error{"it says <script> & \"no\""});
    told = "The login has failed: it says &lt;script> &amp; \"no\"";
  }
  SECTION("not at all") { login.agent.reset(); }
  while (!browser.read()) uv_run(&login.loop, UV_RUN_ONCE);
  CHECK_THAT(browser.answer, Contains("200 OK") && Contains(told));
  if (login.agent) login.agent->conclude({});  // has no effect: nobody waits
}

TEST_CASE("what is not the awaited answer changes nothing") {
  Login login;
  const std::string uri = login.listen();
  CHECK_THAT(login.get(port_of(uri), "/callback?code=c&state=s1"),
             Contains("400 Bad Request"));  // nobody waits yet
  login.authorize(uri);
  CHECK_THAT(login.get(port_of(uri), "/callback?code=c&state=forged"), Contains("400 Bad Request"));
  CHECK_THAT(login.get(port_of(uri), "/callback?code=c"), Contains("400 Bad Request"));
  CHECK_THAT(login.get(port_of(uri), "/callback"), Contains("404"));
  CHECK_THAT(login.get(port_of(uri), "/favicon.ico"), Contains("404"));
  CHECK_THAT(login.get(port_of(uri), "/callback?code=c&state=s1", "POST"), Contains("404"));
  CHECK_FALSE(login.result);
  login.get(port_of(uri), "/callback?code=c&state=s1");
  CHECK(login.result);
}

TEST_CASE("a request in pieces is put together, and one without end is cut off at the limit") {
  Login login;
  const std::string uri = login.listen();
  login.authorize(uri);
  SECTION("pieces") {
    Browser browser(port_of(uri));
    for (const char c : std::string("GET /callback?code=c&state=s1 HTTP/1.1\r\n\r\n")) {
      browser.send({&c, 1});
      uv_run(&login.loop, UV_RUN_NOWAIT);
    }
    while (!browser.read()) uv_run(&login.loop, UV_RUN_ONCE);
    CHECK(login.result);
  }
  SECTION("the limit") {
    const std::string start = "GET /callback?code=c&state=s1 HTTP/1.1\r\nX: ";
    const std::string fits = start + std::string(auth::limits::kCallbackBytesMax - start.size(), 'x');
    Browser browser(port_of(uri));
    browser.send(fits + "x");
    while (!browser.read()) uv_run(&login.loop, UV_RUN_ONCE);
    CHECK(browser.answer.empty());
    CHECK_FALSE(login.result);
    Browser patient(port_of(uri));
    patient.send(fits.substr(0, fits.size() - 4) + "\r\n\r\n");
    while (!patient.read()) uv_run(&login.loop, UV_RUN_ONCE);
    CHECK(login.result);
  }
}

TEST_CASE("a connection beyond the limit takes the place of the one that has been silent for longest") {
  Login login;
  const std::string uri = login.listen();
  login.authorize(uri);
  std::vector<std::unique_ptr<Browser>> idle;
  for (unsigned i = 0; i < auth::limits::kCallbackConnectionsMax; ++i) {
    idle.push_back(std::make_unique<Browser>(port_of(uri)));
    uv_run(&login.loop, UV_RUN_NOWAIT);
  }
  Browser late(port_of(uri));
  while (!idle.front()->read()) uv_run(&login.loop, UV_RUN_ONCE);
  CHECK(idle.front()->answer.empty());
  CHECK_FALSE(idle.back()->read());
  late.send("GET /callback?code=c&state=s1 HTTP/1.1\r\n\r\n");
  while (!late.read()) uv_run(&login.loop, UV_RUN_ONCE);
  CHECK(login.result);
}

TEST_CASE("nobody agrees in time") {
  Login login;
  login.agent->set_timeout_ms(1);
  login.authorize(login.listen());
  while (!login.result) uv_run(&login.loop, UV_RUN_ONCE);
  CHECK_THAT(login.result->message(), Contains("nobody agreed in the browser"));
}

TEST_CASE("one login at a time, and the end of the agent is the end of the login") {
  Login login;
  const std::string uri = login.listen();
  login.authorize(uri);
  std::optional<Result<std::string>> second;
  login.agent->authorize("https://as.example/?state=s2", uri, [&](auto r) { second = std::move(r); });
  CHECK_THAT(second->message(), Contains("another login is under way"));
  CHECK_FALSE(login.result);
  login.agent.reset();
  CHECK_THAT(login.result->message(), Contains("given up"));
}

TEST_CASE("a configured port is taken or the failure names it; a preferred one gives way") {
  Login first, second;
  const std::string uri = first.listen();
  CHECK_THAT(second.agent->redirect_uri({}, port_of(uri)).message(),
             Contains(std::to_string(port_of(uri))) && Contains("auth.redirect_port"));
  CHECK(second.listen(uri) != uri);
}
