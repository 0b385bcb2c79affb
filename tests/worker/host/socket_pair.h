// Two ends of a socket, for tests of what writes to one.
#pragma once

#include <sys/socket.h>

#include <string>

#include "base/descriptor.h"
#include "support/catch.h"

struct SocketPair {
  SocketPair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    ours = collet::Descriptor(ends[0]);
    theirs = collet::Descriptor(ends[1]);
  }
  // All that has come to the other end.
  std::string read() const {
    std::string all;
    char bytes[4096];
    for (ssize_t size; (size = recv(theirs.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
      all.append(bytes, static_cast<std::size_t>(size));
    }
    return all;
  }

  collet::Descriptor ours;
  collet::Descriptor theirs;
};
