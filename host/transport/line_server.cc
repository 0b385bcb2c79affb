#include "transport/line_server.h"

#include <map>

#include "base/assert.h"
#include "transport/acceptor.h"
#include "transport/lines.h"
#include "transport/listen_socket.h"

namespace collet::transport {

struct LineServer::Clients : std::enable_shared_from_this<Clients> {
  loop::Loop& loop;
  const std::size_t line_bytes_max;
  const unsigned connections_max;
  Handler handler;
  Acceptor acceptor;
  std::uint64_t last_serial = 0;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections;

  Clients(loop::Loop& on, std::size_t bytes_max, unsigned at_most, Handler answers)
      : loop(on), line_bytes_max(bytes_max), connections_max(at_most), handler(std::move(answers)), acceptor(on) {}

  bool add(int connected);
};

class LineServer::Connection final : LineHandler {
 public:
  Connection(Clients& clients, std::uint64_t serial, Descriptor descriptor)
      : clients_(clients),
        serial_(serial),
        descriptor_(std::move(descriptor)),
        stream_(clients.loop, descriptor_.get(), descriptor_.get(), *this, clients.line_bytes_max) {}

  void write(std::string_view line) { stream_.write(std::span(&line, 1)); }

 private:
  void on_line(std::string_view line) override {
    clients_.handler(line, [clients = clients_.weak_from_this(), serial = serial_](std::string_view answer) {
      const auto alive = clients.lock();
      if (!alive) return;
      const auto found = alive->connections.find(serial);
      if (found != alive->connections.end()) found->second->write(answer);
    });
  }
  void on_long_line(std::string_view, bool) override { clients_.connections.erase(serial_); }
  void on_end() override { clients_.connections.erase(serial_); }

  Clients& clients_;
  const std::uint64_t serial_;
  Descriptor descriptor_;
  LineStream stream_;  // first to go
};

bool LineServer::Clients::add(int connected) {
  if (connections.size() >= connections_max) return false;
  const std::uint64_t serial = ++last_serial;
  connections.emplace(serial, std::make_unique<Connection>(*this, serial, Descriptor(connected)));
  return true;
}

LineServer::LineServer(loop::Loop& loop, ListenSocket& socket, unsigned index, std::size_t line_bytes_max,
                       unsigned connections_max, Handler handler)
    : clients_(std::make_shared<Clients>(loop, line_bytes_max, connections_max, std::move(handler))) {
  COLLET_ASSERT(index < socket.bound_->of_loop.size());
  for (Descriptor& descriptor : std::exchange(socket.bound_->of_loop[index], {})) {
    clients_->acceptor.listen(std::move(descriptor), [clients = clients_.get()](int connected, const sockaddr_storage&) {
      return clients->add(connected);
    });
  }
}

LineServer::~LineServer() {
  clients_->connections.clear();
  clients_->acceptor.stop();
}

}  // namespace collet::transport
