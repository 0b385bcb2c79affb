#include "transport/line_server.h"

#include <sys/socket.h>
#include <uv.h>

#include <cerrno>
#include <map>

#include "base/assert.h"
#include "transport/lines.h"
#include "transport/listen_socket.h"

namespace collet::transport {

struct LineServer::State : std::enable_shared_from_this<State> {
  loop::Loop& loop;
  const std::size_t line_bytes_max;
  const unsigned connections_max;
  Handler handler;
  std::vector<Descriptor> listening;
  std::vector<uv_poll_t*> polls;
  std::uint64_t last_serial = 0;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections;

  State(loop::Loop& on, std::size_t bytes_max, unsigned at_most, Handler answers)
      : loop(on), line_bytes_max(bytes_max), connections_max(at_most), handler(std::move(answers)) {}

  void listen(Descriptor descriptor);
  void accept_one(int listening_descriptor);
};

class LineServer::Connection final : LineHandler {
 public:
  Connection(State& state, std::uint64_t serial, Descriptor descriptor)
      : state_(state),
        serial_(serial),
        descriptor_(std::move(descriptor)),
        stream_(state.loop, descriptor_.get(), descriptor_.get(), *this, state.line_bytes_max) {}

  void write(std::string_view line) { stream_.write(std::span(&line, 1)); }

 private:
  void on_line(std::string_view line) override {
    state_.handler(line, [state = state_.weak_from_this(), serial = serial_](std::string_view answer) {
      const auto alive = state.lock();
      if (!alive) return;
      const auto found = alive->connections.find(serial);
      if (found != alive->connections.end()) found->second->write(answer);
    });
  }
  void on_line_too_long() override { state_.connections.erase(serial_); }
  void on_end() override { state_.connections.erase(serial_); }

  State& state_;
  const std::uint64_t serial_;
  Descriptor descriptor_;
  LineStream stream_;  // first to go
};

void LineServer::State::listen(Descriptor descriptor) {
  auto* poll = new uv_poll_t;
  COLLET_ASSERT(uv_poll_init(loop.uv(), poll, descriptor.get()) == 0);
  poll->data = this;
  listening.push_back(std::move(descriptor));
  polls.push_back(poll);
  uv_poll_start(poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
    uv_os_fd_t number = -1;
    uv_fileno(reinterpret_cast<uv_handle_t*>(handle), &number);
    static_cast<State*>(handle->data)->accept_one(number);
  });
}

void LineServer::State::accept_one(int listening_descriptor) {
  Descriptor accepted(accept4(listening_descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted || connections.size() >= connections_max) return;
  const std::uint64_t serial = ++last_serial;
  connections.emplace(serial, std::make_unique<Connection>(*this, serial, std::move(accepted)));
}

LineServer::LineServer(loop::Loop& loop, ListenSocket& socket, unsigned index, std::size_t line_bytes_max,
                       unsigned connections_max, Handler handler)
    : state_(std::make_shared<State>(loop, line_bytes_max, connections_max, std::move(handler))) {
  COLLET_ASSERT(index < socket.state_->of_loop.size());
  for (Descriptor& descriptor : std::exchange(socket.state_->of_loop[index], {})) {
    state_->listen(std::move(descriptor));
  }
}

LineServer::~LineServer() {
  state_->connections.clear();
  for (uv_poll_t* poll : state_->polls) {
    uv_poll_stop(poll);
    uv_close(reinterpret_cast<uv_handle_t*>(poll),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }
}

}  // namespace collet::transport
