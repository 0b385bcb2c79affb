// A blocking client for tests of servers: bytes over TCP or a unix socket, and just enough HTTP to read answers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace collet::test {

struct HttpAnswer {
  int status = 0;
  std::string head;  // with the empty line
  std::string body;

  // Empty if there is no such field; the name as the server writes it.
  std::string header(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(key);
    if (at == head.npos) return {};
    return head.substr(at + key.size(), head.find("\r\n", at + 2) - at - key.size());
  }
};

// Every wait ends after ten seconds with an exception: a test fails rather than hangs.
class TcpClient {
 public:
  explicit TcpClient(std::uint16_t port, const char* host = "127.0.0.1", int receive_buffer_bytes = 0) {
    sockaddr_storage address{};
    socklen_t bytes = 0;
    if (std::strchr(host, ':')) {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      inet_pton(AF_INET6, host, &v6->sin6_addr);
      bytes = sizeof(*v6);
    } else {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      inet_pton(AF_INET, host, &v4->sin_addr);
      bytes = sizeof(*v4);
    }
    connect(reinterpret_cast<sockaddr*>(&address), bytes, receive_buffer_bytes);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }

  explicit TcpClient(const std::string& unix_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, unix_path.c_str(), sizeof(address.sun_path) - 1);
    connect(reinterpret_cast<sockaddr*>(&address), sizeof(address), 0);
  }

  ~TcpClient() { close(); }
  TcpClient(TcpClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), read_(std::move(other.read_)) {}
  TcpClient& operator=(TcpClient&&) = delete;

  int descriptor() const { return socket_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("send failed");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // One answer with Content-Length or without a body; a HEAD answer has none in any case.
  HttpAnswer read_answer(bool to_head = false) {
    HttpAnswer answer;
    answer.head = read_until("\r\n\r\n");
    answer.status = std::atoi(answer.head.c_str() + std::strlen("HTTP/1.1 "));
    const std::string length = answer.header("Content-Length");
    if (!length.empty() && !to_head) answer.body = read_exactly(std::strtoul(length.c_str(), nullptr, 10));
    return answer;
  }

  // Everything up to and with `end`.
  std::string read_until(std::string_view end) {
    std::size_t from = 0;
    for (;;) {
      const std::size_t at = read_.find(end, from);
      if (at != read_.npos) return take(at + end.size());
      from = read_.size() < end.size() ? 0 : read_.size() - end.size() + 1;
      if (!read_some()) throw std::runtime_error("the connection ended before \"" + std::string(end) + "\"");
    }
  }

  std::string read_exactly(std::size_t bytes) {
    while (read_.size() < bytes) {
      if (!read_some()) throw std::runtime_error("the connection ended early");
    }
    return take(bytes);
  }

  // Until the server closes; a reset counts as that.
  std::string read_to_end() {
    while (read_some()) {
    }
    return take(read_.size());
  }

  void shut_down_writing() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  // Closes with RST.
  void reset() {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

 private:
  void connect(const sockaddr* address, socklen_t bytes, int receive_buffer_bytes) {
    socket_ = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (receive_buffer_bytes > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    }
    if (::connect(socket_, address, bytes) != 0) {
      const int failure = errno;
      close();
      throw std::runtime_error(std::string("connect failed: ") + std::strerror(failure));
    }
  }

  bool read_some() {
    char bytes[16384];
    const ssize_t got = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (got < 0 && errno == EAGAIN) throw std::runtime_error("nothing came for ten seconds");
    if (got <= 0) return false;
    read_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  std::string take(std::size_t bytes) {
    std::string taken = read_.substr(0, bytes);
    read_.erase(0, bytes);
    return taken;
  }

  int socket_ = -1;
  std::string read_;
};

}  // namespace collet::test
