// A server on a port of 127.0.0.1 that does with each connection what a test says, on a thread of that connection's.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace collet {

class ScriptedServer {
 public:
  // One connection. Of its thread.
  class Peer {
   public:
    Peer(int socket, unsigned count) : number(count), socket_(socket) {}

    // Head and body of the next request; empty once the client has closed its side.
    std::string read_request() {
      std::size_t end;
      while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
        if (!read_more()) return {};
      }
      end += 4;
      std::size_t body = 0;
      const std::size_t length = rest_.find("Content-Length: ");
      if (length != std::string::npos && length < end) body = std::strtoul(rest_.c_str() + length + 16, nullptr, 10);
      while (rest_.size() < end + body) {
        if (!read_more()) return {};
      }
      std::string request = rest_.substr(0, end + body);
      rest_.erase(0, end + body);
      return request;
    }
    // False: the client takes no more.
    bool send(const std::string& bytes) {
      for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t now = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (now <= 0) return false;
        sent += static_cast<std::size_t>(now);
      }
      return true;
    }
    // As much as it takes until it has taken nothing for `ms`.
    std::size_t send_until_full(const std::string& piece, std::size_t most, int ms) {
      std::size_t sent = 0;
      while (sent < most) {
        pollfd room{socket_, POLLOUT, 0};
        if (poll(&room, 1, ms) <= 0) break;
        const ssize_t now = ::send(socket_, piece.data(), std::min(piece.size(), most - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (now <= 0) break;
        sent += static_cast<std::size_t>(now);
      }
      return sent;
    }
    bool answer(const std::string& body, const std::string& status = "200 OK", const std::string& fields = "") {
      return send("HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    void reset() {
      const linger at_once = {.l_onoff = 1, .l_linger = 0};
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    void wait_closed() {
      while (read_more()) rest_.clear();
    }
    int socket() const { return socket_; }

    const unsigned number;  // of the connection, from 0

   private:
    bool read_more() {
      char bytes[16384];
      const ssize_t got = read(socket_, bytes, sizeof bytes);
      if (got <= 0) return false;
      rest_.append(bytes, static_cast<std::size_t>(got));
      return true;
    }
    const int socket_;
    std::string rest_;
  };
  using Script = std::function<void(Peer&)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (bind(socket_, address, size) != 0 || listen(socket_, 64) != 0 || getsockname(socket_, address, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int peer : open_) shutdown(peer, SHUT_RDWR);
    }
    for (std::thread& each : threads_) each.join();
    close(socket_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }
  // Connections so far.
  unsigned accepted() const { return accepted_; }

 private:
  void accept_all() {
    for (;;) {
      const int peer = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      const unsigned number = accepted_++;
      const std::lock_guard lock(mutex_);
      open_.push_back(peer);
      threads_.emplace_back([this, peer, number] {
        Peer own(peer, number);
        script_(own);
        const std::lock_guard inside(mutex_);
        open_.remove(peer);
        close(peer);
      });
    }
  }

  const Script script_;
  const int socket_;
  std::uint16_t port_ = 0;
  std::atomic<unsigned> accepted_{0};
  std::mutex mutex_;  // guards the two below
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread thread_;
};

}  // namespace collet
