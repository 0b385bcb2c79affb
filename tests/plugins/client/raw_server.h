// An HTTP server that answers the requests in turn with the bytes that a test gives, each on a connection of its
// own.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

class RawServer {
 public:
  enum class End : std::uint8_t { closes, resets };

  // `respond` gets the number of the request, from 0, and what has come of it; on the server's thread.
  explicit RawServer(std::function<std::string(unsigned, const std::string&)> respond, End end = End::closes)
      : respond_(std::move(respond)), end_(end), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (bind(listener_, address, size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, address, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }

 private:
  void run() {
    for (unsigned number = 0;; ++number) {
      const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      char request[16384];
      const ssize_t got = read(peer, request, sizeof request);
      const std::string response =
          respond_(number, std::string(request, got > 0 ? static_cast<std::size_t>(got) : 0));
      for (std::size_t sent = 0; sent < response.size();) {
        const ssize_t now = send(peer, response.data() + sent, response.size() - sent, MSG_NOSIGNAL);
        if (now <= 0) break;
        sent += static_cast<std::size_t>(now);
      }
      if (end_ == End::resets) {
        const linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      } else {
        shutdown(peer, SHUT_WR);
        while (read(peer, request, sizeof request) > 0) {
        }
      }
      close(peer);
    }
  }

  const std::function<std::string(unsigned, const std::string&)> respond_;
  const End end_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};
