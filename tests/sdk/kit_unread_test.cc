#include <collet/kit/unread.hpp>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "support/catch.h"

using collet::kit::ended_unread;

namespace {

constexpr std::string_view kRequest = "POST / HTTP/1.1\r\n\r\n";

// The two ends of a TCP connection.
struct Ends {
  int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int theirs = -1;

  Ends() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(bind(listener, address, size) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(getsockname(listener, address, &size) == 0);
    REQUIRE(connect(ours, address, size) == 0);
    theirs = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    close(listener);
  }
  ~Ends() {
    close(ours);
    they_close();
  }

  void send_request() const {
    REQUIRE(send(ours, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kRequest.size()));
  }
  void they_read(std::size_t bytes = kRequest.size()) const {
    char into[64];
    REQUIRE(recv(theirs, into, bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes));
  }
  void they_close() {
    if (theirs >= 0) close(std::exchange(theirs, -1));
  }
  void they_reset() {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    they_close();
  }
  void await(short events) const {
    pollfd waiting = {.fd = ours, .events = events, .revents = 0};
    REQUIRE(poll(&waiting, 1, 10'000) == 1);
  }
  bool unread() const { return ended_unread(ours, kRequest.size()); }
};

}  // namespace

TEST_CASE("a request is unread if its connection had been closed before") {
  Ends ends;
  ends.they_close();
  ends.await(POLLIN);
  ends.send_request();
  ends.await(POLLHUP);  // the reset that answers it
  CHECK(ends.unread());
}

TEST_CASE("a request may have been read by a peer that has read it, or some of it, whichever way it ends") {
  for (const std::size_t bytes : {std::size_t{1}, kRequest.size()}) {
    for (const bool resets : {false, true}) {
      CAPTURE(bytes, resets);
      Ends ends;
      ends.send_request();
      ends.they_read(bytes);
      resets ? ends.they_reset() : ends.they_close();
      ends.await(POLLIN);
      CHECK_FALSE(ends.unread());
    }
  }
}

TEST_CASE("a request may have been read by a peer that has ended only its own side") {
  Ends ends;
  shutdown(ends.theirs, SHUT_WR);
  ends.await(POLLIN);
  ends.send_request();
  ends.they_read();
  for (int left = 1; left > 0;) REQUIRE(ioctl(ends.ours, SIOCOUTQ, &left) == 0);  // until it is acknowledged
  CHECK_FALSE(ends.unread());
}

TEST_CASE("a request on a connection that stands may have been read") {
  Ends ends;
  ends.send_request();
  CHECK_FALSE(ends.unread());
}
