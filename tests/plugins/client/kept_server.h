// An HTTP server, perhaps under TLS, that keeps its connections, and answers each request with the bytes that a test gives.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

class KeptServer {
 public:
  // Gets a request with its body, and is to give the bytes to send, or none to close the connection; on a thread of
  // that connection.
  using Respond = std::function<std::string(const std::string& request)>;

  explicit KeptServer(Respond respond, std::shared_ptr<SSL_CTX> tls = nullptr)
      : respond_(std::move(respond)), tls_(std::move(tls)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (bind(listener_, address, size) != 0 || listen(listener_, 512) != 0 ||
        getsockname(listener_, address, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~KeptServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    hang_up();
    for (std::thread& peer : peers_) peer.join();
    close(listener_);
  }
  KeptServer(const KeptServer&) = delete;
  KeptServer& operator=(const KeptServer&) = delete;

  std::string url() const { return (tls_ ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port_) + "/mcp"; }
  std::uint16_t port() const { return port_; }
  // How the connection of the next request ends.
  struct Fate {
    static constexpr std::size_t kAll = SIZE_MAX;
    std::size_t reads = kAll;  // so many bytes of the request are read; all: it is answered
    std::size_t says = kAll;   // so many bytes of the answer are sent; all: the connection is kept
    bool resets = false;       // it is reset, not closed
    bool silent = false;       // under TLS: its end is not announced
  };
  void foredoom(Fate fate) {
    const std::lock_guard lock(mutex_);
    fate_ = fate;
  }
  unsigned accepted() const { return accepted_; }
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  // Closes all connections, as far as the other side can see.
  void hang_up() {
    const std::lock_guard lock(mutex_);
    for (const int peer : open_) shutdown(peer, SHUT_RDWR);
  }

  static std::string json(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }

 private:
  void run() {
    for (;;) {
      const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      ++accepted_;
      {
        const std::lock_guard lock(mutex_);
        open_.insert(peer);
      }
      peers_.emplace_back([this, peer] {
        std::string bytes;
        Fate fate;
        {
          const Wire wire(peer, tls_.get());
          while (serve(wire, bytes, fate)) {
          }
          if (!fate.resets && !fate.silent) wire.finish();
        }
        const linger at_once = {.l_onoff = 1, .l_linger = 0};
        if (fate.resets) setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        const std::lock_guard lock(mutex_);
        open_.erase(peer);
        close(peer);
      });
    }
  }

  // One connection, as it is or under TLS.
  class Wire {
   public:
    Wire(int peer, SSL_CTX* tls) : peer_(peer), session_(tls ? SSL_new(tls) : nullptr) {
      if (!session_) return;
      sigset_t broken_pipe;
      sigemptyset(&broken_pipe);
      sigaddset(&broken_pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);  // of this thread, which SSL_write() may send it to
      SSL_set_fd(session_, peer);
      SSL_accept(session_);
    }
    ~Wire() { SSL_free(session_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    bool waits_for_bytes() const {
      char byte;
      return session_ ? SSL_peek(session_, &byte, 1) > 0 : recv(peer_, &byte, 1, MSG_PEEK) > 0;
    }
    ssize_t read(char* to, std::size_t size) const {
      return session_ ? SSL_read(session_, to, static_cast<int>(size)) : ::read(peer_, to, size);
    }
    ssize_t send(const char* bytes, std::size_t size) const {
      return session_ ? SSL_write(session_, bytes, static_cast<int>(size)) : ::send(peer_, bytes, size, MSG_NOSIGNAL);
    }
    void finish() const {
      if (session_ && SSL_is_init_finished(session_)) SSL_shutdown(session_);
    }

   private:
    const int peer_;
    SSL* const session_;
  };

  bool serve(const Wire& wire, std::string& bytes, Fate& fate) {
    char more[16384];
    if (!wire.waits_for_bytes()) return false;
    {
      const std::lock_guard lock(mutex_);
      fate = std::exchange(fate_, Fate());
    }
    std::size_t whole = 0;
    while ((whole = size_of_request(bytes)) == 0 || bytes.size() < whole) {
      if (bytes.size() >= fate.reads) return false;
      const ssize_t got = wire.read(more, std::min(sizeof more, fate.reads - bytes.size()));
      if (got <= 0) return false;
      bytes.append(more, static_cast<std::size_t>(got));
    }
    const std::string response = respond_(bytes.substr(0, whole)).substr(0, fate.says);
    bytes.erase(0, whole);
    for (std::size_t sent = 0; sent < response.size();) {
      const ssize_t now = wire.send(response.data() + sent, response.size() - sent);
      if (now <= 0) return false;
      sent += static_cast<std::size_t>(now);
    }
    return !response.empty() && fate.says == Fate::kAll;
  }

  static std::size_t size_of_request(const std::string& bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    const std::size_t length = bytes.find("Content-Length: ");
    if (end == std::string::npos) return 0;
    return end + 4 + (length < end ? std::stoul(bytes.substr(length + 16)) : 0);
  }

  const Respond respond_;
  const std::shared_ptr<SSL_CTX> tls_;  // null: none
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<unsigned> accepted_{0};
  mutable std::mutex mutex_;  // guards the two below
  Fate fate_;
  std::set<int> open_;
  std::vector<std::thread> peers_;  // the accepting thread's, then the destructor's
  std::thread thread_;
};
