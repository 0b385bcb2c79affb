// A socket that listens on a port of 127.0.0.1 that the system picks.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

class LoopbackListener {
 public:
  LoopbackListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (bind(socket_, address, size) != 0 || listen(socket_, 16) != 0 || getsockname(socket_, address, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(at.sin_port);
  }
  ~LoopbackListener() { close(socket_); }
  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  std::uint16_t port() const { return port_; }
  // The next connection, which its caller closes; negative once stop() has been called, on any thread.
  int accept() const { return accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }
  void stop() const { shutdown(socket_, SHUT_RDWR); }

 private:
  const int socket_;
  std::uint16_t port_ = 0;
};
