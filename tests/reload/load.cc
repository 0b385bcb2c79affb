#include "reload/load.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace reload {
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to " + path);
  }
  return fd;
}

}  // namespace

void Histogram::add(std::chrono::nanoseconds latency) {
  ++count_;
  ++steps_[std::min(static_cast<std::size_t>(latency.count() / 4'000), kSteps - 1)];
}

std::uint64_t Histogram::quantile(double q) const {
  const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    seen += steps_[step];
    if (seen > wanted) return step * 4;
  }
  return kSteps * 4;
}

struct Load::Connection {
  int fd = -1;
  const char* tool = "";
  std::string expected;  // in the body
  std::string read;
  Clock::time_point sent;
  Load::Phase phase = warm_up;  // then
  bool waits = false;
};

Load::Load(std::string socket, unsigned connections)
    : socket_(std::move(socket)), connections_(connections), events_(epoll_create1(EPOLL_CLOEXEC)) {
  for (unsigned i = 0; i < connections; ++i) {
    Connection& connection = connections_[i];
    connection.fd = connect_to(socket_);
    connection.tool = i % 2 ? "queued_echo" : "echo";  // on an executor, and on the loop
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(events_, EPOLL_CTL_ADD, connection.fd, &event);
  }
  thread_ = std::thread([this] { run(); });
}

Load::~Load() {
  stop();
  for (const Connection& connection : connections_) close(connection.fd);
  close(events_);
}

void Load::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Load::run() {
  for (Connection& connection : connections_) send_next(connection);
  constexpr int kPatienceMs = 10'000;
  std::vector<epoll_event> ready(connections_.size());
  while (under_way_ > 0) {
    const int count = epoll_wait(events_, ready.data(), static_cast<int>(ready.size()), kPatienceMs);
    if (count == 0) break;
    for (int i = 0; i < count; ++i) {
      Connection& connection = *static_cast<Connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
      if (!receive(connection)) {
        epoll_ctl(events_, EPOLL_CTL_DEL, connection.fd, nullptr);
        if (connection.waits) {
          ++counts_.failed;
          --under_way_;
        }
        connection.waits = false;
      } else if (!connection.waits && !stopping_) {
        send_next(connection);
      }
    }
  }
  counts_.lost = under_way_;
}

bool Load::send_next(Connection& connection) {
  const std::uint64_t id = ++last_id_;
  const std::string body = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                           R"(,"method":"tools/call","params":{"name":")" + connection.tool +
                           R"(","arguments":{"n":)" + std::to_string(id) + "}}}";
  const std::string message =
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  connection.expected = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                        R"(,"result":{"content":[{"type":"text","text":"{\"n\":)" + std::to_string(id) +
                        R"(}"}]}})";
  connection.sent = Clock::now();
  connection.phase = phase_;
  connection.waits = true;
  ++under_way_;
  return write(connection.fd, message.data(), message.size()) == static_cast<ssize_t>(message.size());
}

bool Load::receive(Connection& connection) {
  char buffer[4096];
  const ssize_t count = read(connection.fd, buffer, sizeof buffer);
  if (count <= 0) return false;
  connection.read.append(buffer, static_cast<std::size_t>(count));
  const std::size_t end = connection.read.find("\r\n\r\n");
  const std::size_t length = connection.read.find("Content-Length: ");
  if (end == std::string::npos || length > end) return true;
  const std::size_t size = std::stoul(connection.read.substr(length + 16, 12));
  if (connection.read.size() < end + 4 + size) return true;
  judge(connection, connection.read.substr(0, end), connection.read.substr(end + 4, size));
  connection.read.erase(0, end + 4 + size);
  return true;
}

void Load::judge(Connection& connection, const std::string& head, const std::string& body) {
  connection.waits = false;
  --under_way_;
  histograms_[connection.phase].add(Clock::now() - connection.sent);
  if (body == connection.expected) {
    ++counts_.answered;
    return;
  }
  const bool failed = !head.starts_with("HTTP/1.1 200") || body.find("\"error\"") != std::string::npos;
  ++(failed ? counts_.failed : counts_.wrong);
  if (counts_.first_bad.empty()) counts_.first_bad = connection.expected + " was answered " + head + body;
}

}  // namespace reload
