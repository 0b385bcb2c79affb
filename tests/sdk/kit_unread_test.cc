#include <collet/kit/unread.hpp>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "support/catch.h"
#include "support/tcp_pair.h"

using collet::kit::ended_unread;

namespace {

constexpr std::string_view kRequest = "POST / HTTP/1.1\r\n\r\n";

struct Ends : collet::test::TcpPair {
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
