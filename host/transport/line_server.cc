#include "transport/line_server.h"

#include <map>

#include "base/assert.h"
#include "transport/acceptor.h"
#include "transport/lines.h"
#include "transport/listen_socket.h"

namespace collet::transport {

struct LineServer::State : std::enable_shared_from_this<State> {
  loop::Loop& loop;
  const std::size_t line_bytes_max;
  const unsigned connections_max;
  Handler handler;
  Acceptor acceptor;
  std::uint64_t last_serial = 0;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections;

  State(loop::Loop& on, std::size_t bytes_max, unsigned at_most, Handler answers)
      : loop(on), line_bytes_max(bytes_max), connections_max(at_most), handler(std::move(answers)), acceptor(on) {}

  bool add(int connected);
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
  void on_long_line(std::string_view, bool) override { state_.connections.erase(serial_); }
  void on_end() override { state_.connections.erase(serial_); }

  State& state_;
  const std::uint64_t serial_;
  Descriptor descriptor_;
  LineStream stream_;  // first to go
};

bool LineServer::State::add(int connected) {
  if (connections.size() >= connections_max) return false;
  const std::uint64_t serial = ++last_serial;
  connections.emplace(serial, std::make_unique<Connection>(*this, serial, Descriptor(connected)));
  return true;
}

LineServer::LineServer(loop::Loop& loop, ListenSocket& socket, unsigned index, std::size_t line_bytes_max,
                       unsigned connections_max, Handler handler)
    : state_(std::make_shared<State>(loop, line_bytes_max, connections_max, std::move(handler))) {
  COLLET_ASSERT(index < socket.state_->of_loop.size());
  for (Descriptor& descriptor : std::exchange(socket.state_->of_loop[index], {})) {
    state_->acceptor.listen(std::move(descriptor), [state = state_.get()](int connected, const sockaddr_storage&) {
      return state->add(connected);
    });
  }
}

LineServer::~LineServer() {
  state_->connections.clear();
  state_->acceptor.stop();
}

}  // namespace collet::transport
