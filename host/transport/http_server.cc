#include <netinet/in.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "transport/acceptor.h"
#include "transport/connection_group.h"
#include "transport/http_connection.h"
#include "transport/listen_socket.h"

namespace collet::transport {
namespace {

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (address.ss_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
}

Peer peer_of(const sockaddr_storage& from) {
  if (from.ss_family == AF_UNIX) return Peer::unix_socket;
  return is_loopback(from) ? Peer::loopback : Peer::remote;
}

// Without the port. Of IPv6 the network, of which one client has all addresses.
std::string address_of(const sockaddr_storage& from) {
  constexpr std::size_t kNetworkBytes = 8;
  if (from.ss_family == AF_INET) {
    const in_addr& v4 = reinterpret_cast<const sockaddr_in&>(from).sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  if (from.ss_family != AF_INET6) return {};
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
  return {reinterpret_cast<const char*>(&v6), IN6_IS_ADDR_V4MAPPED(&v6) ? sizeof v6 : kNetworkBytes};
}

}  // namespace

struct HttpServer::State {
  State(loop::Loop& loop, HttpLimits limits, HttpHandler& handler, std::shared_ptr<RequestMemory> memory)
      : group(loop, limits, handler,
              memory ? std::move(memory) : std::make_shared<RequestMemory>(limits.memory_bytes_max)),
        acceptor(loop) {}

  ConnectionGroup group;
  Acceptor acceptor;
};

HttpServer::HttpServer(loop::Loop& loop, HttpLimits limits, HttpHandler& handler,
                       std::shared_ptr<RequestMemory> memory)
    : state_(std::make_unique<State>(loop, limits, handler, std::move(memory))) {}

HttpServer::~HttpServer() { state_->acceptor.stop(); }

void HttpServer::listen(ListenSocket& socket, unsigned index) {
  ListenSocket::Bound& listening = *socket.bound_;
  COLLET_ASSERT(index < listening.of_loop.size());
  const auto take = [&group = state_->group, tls = listening.tls](int connected, const sockaddr_storage& from) {
    if (group.size() >= group.limits.connections_max) return false;
    HttpConnection::open(group, connected, peer_of(from), address_of(from), tls.get());
    return true;
  };
  for (Descriptor& descriptor : std::exchange(listening.of_loop[index], {})) {
    state_->acceptor.listen(std::move(descriptor), take);
  }
}

void HttpServer::send_large_to(HttpServer& other) { state_->group.aside = &other.state_->group; }

void HttpServer::drain(Callback<void()> done) {
  state_->acceptor.stop();
  state_->group.drain(std::move(done));
}

std::size_t HttpServer::connections() const { return state_->group.size(); }
std::uint64_t HttpServer::refused() const { return state_->acceptor.refused(); }

}  // namespace collet::transport
