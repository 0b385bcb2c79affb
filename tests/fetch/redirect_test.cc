#include "base/limits.h"
#include "fetching.h"

using namespace collet;
using namespace collet::fetch;
using Peer = ScriptedServer::Peer;

namespace {

// Leads each request to the same path elsewhere.
struct Leading {
  explicit Leading(std::string to, std::string status = "302 Found", std::string body = "")
      : server([=](Peer& peer) {
          while (!peer.read_request().empty()) peer.answer(body, status, "Location: " + to + "\r\n");
        }) {}
  ScriptedServer server;
};

// Keeps the requests that it answers.
struct Keeping {
  std::mutex mutex;
  std::vector<std::string> requests;
  ScriptedServer server{[this](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty(); peer.answer("here")) {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
    }
  }};
  std::string last() {
    const std::lock_guard lock(mutex);
    return requests.empty() ? "" : requests.back();
  }
};

}  // namespace

TEST_CASE("a redirect is an answer like any other, unless it is to be followed") {
  Keeping there;
  Leading leading(there.server.url("/x"), "302 Found", "moved");
  Fetching fetching;
  const Heard heard = fetching.get(leading.server.url());
  CHECK(heard.head.status == 302);
  CHECK(heard.body == "moved");
  CHECK(there.last().empty());
  Heard followed;
  fetching.run({.url = leading.server.url(), .redirects_max = 1}, followed);
  CHECK(followed.heads == 1);
  CHECK(followed.head.status == 200);
  CHECK(followed.head.url == there.server.url("/x"));
  CHECK(followed.body == "here");
}

TEST_CASE("what is followed to another origin has no credentials any more") {
  Keeping there;
  Leading leading(there.server.url("/x"), "307 Temporary Redirect");
  ScriptedServer same([](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      if (has(request, "GET /a ")) peer.answer("", "302 Found", "Location: b\r\n");
      else peer.answer(request);
    }
  });
  Fetching fetching;
  const Fields secrets = {{"authorization", "Bearer x"}, {"Cookie", "a=b"}, {"X-Own", "1"}};
  Heard heard;
  fetching.run({.url = leading.server.url(), .fields = secrets, .redirects_max = 5}, heard);
  CHECK(heard.end.whole);
  CHECK_FALSE(has(there.last(), "Bearer"));
  CHECK_FALSE(has(there.last(), "a=b"));
  CHECK(has(there.last(), "X-Own: 1"));
  Heard stays;
  fetching.run({.url = same.url("/a"), .fields = secrets, .redirects_max = 5}, stays);
  CHECK(has(stays.body, "GET /b HTTP"));
  CHECK(has(stays.body, "Bearer x"));
  CHECK(has(stays.body, "a=b"));
}

TEST_CASE("a redirect keeps method and body, or becomes a GET") {
  Keeping there;
  const auto [status, method, kept] = GENERATE(table<std::string, std::string, bool>({{"301 M", "POST", false},
                                                                                       {"302 F", "PUT", false},
                                                                                       {"303 S", "DELETE", false},
                                                                                       {"303 S", "HEAD", true},
                                                                                       {"307 T", "POST", true},
                                                                                       {"308 P", "PATCH", true}}));
  Leading leading(there.server.url(), status);
  Fetching fetching;
  Heard heard;
  const std::string body = method == "HEAD" ? "" : "payload";
  fetching.run({.method = method, .url = leading.server.url(), .fields = {{"Content-Type", "text/x"}}, .body = body, .redirects_max = 3},
      heard);
  CHECK(heard.end.whole);
  CHECK(there.last().starts_with((kept ? method : "GET") + " "));
  CHECK(has(there.last(), "payload") == (kept && !body.empty()));
  CHECK(has(there.last(), "Content-Type") == kept);
}

TEST_CASE("redirects are followed as often as they may be, and no more") {
  ScriptedServer server([](Peer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      const int left = std::atoi(request.c_str() + 5);
      if (left > 0) peer.answer("", "302 Found", "Location: /" + std::to_string(left - 1) + "\r\n");
      else peer.answer("arrived");
    }
  });
  Fetching fetching;
  Heard most, more;
  fetching.run({.url = server.url("/5"), .redirects_max = 5}, most);
  CHECK(most.body == "arrived");
  fetching.run({.url = server.url("/6"), .redirects_max = 5}, more);
  CHECK_FALSE(more.end.whole);
  CHECK(more.heads == 0);
  CHECK(more.end.message == "it leads on more than 5 times");
}

TEST_CASE("a redirect with a long body is followed all the same") {
  Keeping there;
  for (const std::size_t size : {limits::kFetchPassedBytesMax, limits::kFetchPassedBytesMax + 1, std::size_t{4u << 20}}) {
    Leading leading(there.server.url(), "302 Found", std::string(size, 'x'));
    Heard heard;
    Fetching fetching;
    fetching.run({.url = leading.server.url(), .redirects_max = 1}, heard);
    CHECK(heard.end.whole);
    CHECK(heard.body == "here");
  }
}

TEST_CASE("nobody is led to where nobody can be fetched from") {
  Fetching fetching;
  for (const char* to : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://u:p@127.0.0.1/", "http://127.0.0.1:99999/", "//",
      "http://a b/"}) {
    Leading leading(to);
    Heard heard;
    fetching.run({.url = leading.server.url(), .redirects_max = 5}, heard);
    INFO(to);
    CHECK_FALSE(heard.end.whole);
    CHECK(has(heard.end.message, "it leads on to where nobody can follow"));
    CHECK(heard.heads == 0);
  }
}
