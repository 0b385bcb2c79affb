#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using Catch::Matchers::Contains;
using test::get;
using test::Served;
using test::TcpClient;
using transport::Address;
using transport::ListenSocket;

namespace {

bool has_ipv6() {
  const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has = socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (socket >= 0) ::close(socket);
  if (!has) WARN("this machine has no IPv6: skipped");
  return has;
}

struct Folder {
  Folder() { REQUIRE(mkdtemp(path)); }
  ~Folder() { rmdir(path); }
  std::string socket() const { return std::string(path) + "/s"; }
  char path[32] = "/tmp/collet_unix_XXXXXX";
};

Result<std::unique_ptr<ListenSocket>> listen_on(const std::string& url) {
  return ListenSocket::bind(Address::parse(url).value(), 1, nullptr);
}

}  // namespace

TEST_CASE("addresses are read and written") {
  const auto [url, again, loopback] = GENERATE(table<std::string, std::string, bool>({
      {"http://127.0.0.1:8765", "http://127.0.0.1:8765", true},
      {"http://127.9.9.9:1/", "http://127.9.9.9:1", true},
      {"http://[::1]:0", "http://[::1]:0", true},
      {"https://localhost", "https://localhost:443", true},
      {"http://0.0.0.0", "http://0.0.0.0:80", false},
      {"http://[::]:65535", "http://[::]:65535", false},
      {"http://example.org:80", "http://example.org:80", false},
      {"http://128.0.0.1:80", "http://128.0.0.1:80", false},
      {"unix:/run/collet.sock", "unix:/run/collet.sock", true},
  }));
  const auto address = Address::parse(url);
  REQUIRE(address);
  CHECK(address.value().url() == again);
  CHECK(address.value().is_loopback() == loopback);
}

TEST_CASE("what is no address is refused with the reason") {
  const auto [url, why] = GENERATE(table<std::string, std::string>({
      {"", "scheme"},
      {"127.0.0.1:80", "scheme"},
      {"ftp://a", "scheme"},
      {"http://", "host is missing"},
      {"http://:80", "host is missing"},
      {"http://a:", "port"},
      {"http://a:65536", "port"},
      {"http://a:8x", "port"},
      {"http://a:-1", "port"},
      {"http://a/mcp", "only a host"},
      {"http://u@a", "only a host"},
      {"http://[::1", "IPv6"},
      {"http://[127.0.0.1]:80", "IPv6"},
      {"http://::1:80", "brackets"},
      {"http://[::1]80", "colon"},
      {"unix:", "path"},
  }));
  const auto address = Address::parse(url);
  REQUIRE_FALSE(address);
  CHECK_THAT(address.message(), Contains(why));
}

TEST_CASE("localhost is served in both families on one port") {
  if (!has_ipv6()) return;
  Served served({}, "http://localhost:0");
  for (const char* host : {"127.0.0.1", "::1"}) {
    TcpClient client(served.port(), host);
    client.send(get("/head?x"));
    CHECK(client.read_answer().body == "GET x localhost");
  }
}

TEST_CASE("IPv6 is served") {
  if (!has_ipv6()) return;
  Served served({}, "http://[::1]:0");
  TcpClient client(served.port(), "::1");
  client.send(get("/head"));
  CHECK(client.read_answer().status == 200);
  CHECK(served.address().url() == "http://[::1]:" + std::to_string(served.port()));
}

TEST_CASE("a port that is in use is an error, though sockets of ours share theirs") {
  auto first = ListenSocket::bind(Address::parse("http://127.0.0.1:0").value(), 4, nullptr);
  REQUIRE(first);
  const auto second = listen_on(first.value()->address().url());
  REQUIRE_FALSE(second);
  CHECK_THAT(second.message(),
             Contains("cannot listen on " + first.value()->address().url()) && Contains("in use"));
}

TEST_CASE("an address that this machine lacks is an error") {
  const auto bound = listen_on("http://192.0.2.1:0");
  REQUIRE_FALSE(bound);
  CHECK_THAT(bound.message(), Contains("cannot listen on http://192.0.2.1:0: this machine has no such address"));
}

TEST_CASE("a unix socket is served, private, and gone at the end") {
  const Folder folder;
  {
    Served served({}, "unix:" + folder.socket());
    struct stat file;
    REQUIRE(stat(folder.socket().c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);
    TcpClient client(folder.socket());
    client.send(get("/head"));
    CHECK(client.read_answer().body == "GET  localhost local");
    const auto second = listen_on("unix:" + folder.socket());
    REQUIRE_FALSE(second);
    CHECK_THAT(second.message(), Contains("another server"));
  }
  CHECK(access(folder.socket().c_str(), F_OK) != 0);
}

TEST_CASE("the socket of a dead server is replaced, another file is not") {
  const Folder folder;
  const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, folder.socket().c_str());
  REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  ::close(dead);
  CHECK(listen_on("unix:" + folder.socket()));

  std::fclose(std::fopen(folder.socket().c_str(), "w"));
  const auto blocked = listen_on("unix:" + folder.socket());
  REQUIRE_FALSE(blocked);
  CHECK_THAT(blocked.message(), Contains("no socket"));
  unlink(folder.socket().c_str());
  CHECK_FALSE(listen_on("unix:/tmp/" + std::string(200, 'x')));
}
