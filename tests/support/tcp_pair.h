// The two ends of a TCP connection within this machine.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.h"

namespace collet::test {

// Whoever closes an end sets it to -1.
struct TcpPair {
  int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int theirs = -1;

  TcpPair() {
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
    REQUIRE(theirs >= 0);
    close(listener);
  }
  ~TcpPair() {
    if (ours >= 0) close(ours);
    if (theirs >= 0) close(theirs);
  }
  TcpPair(const TcpPair&) = delete;
  TcpPair& operator=(const TcpPair&) = delete;
};

}  // namespace collet::test
