// An HTTP server that answers the requests in turn with the bytes that a test gives, each on a connection of its
// own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "plugins/client/loopback_listener.h"

class RawServer {
 public:
  enum class End : std::uint8_t { closes, resets };

  // `respond` gets the number of the request, from 0, and what has come of it; on the server's thread.
  explicit RawServer(std::function<std::string(unsigned, const std::string&)> respond, End end = End::closes)
      : respond_(std::move(respond)), end_(end) { thread_ = std::thread([this] { run(); }); }
  ~RawServer() {
    listener_.stop();
    thread_.join();
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()) + "/mcp"; }

 private:
  void run() {
    for (unsigned number = 0;; ++number) {
      const int peer = listener_.accept();
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
  const LoopbackListener listener_;
  std::thread thread_;
};
